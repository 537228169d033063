import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../run.ts'
import { ROOT_UUID } from './guest-files.ts'

const STUB = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub'
/** The test key of Debian's ovmf, which its file of variables with Secure Boot trusts, and the password that it names. */
const KEY = '/usr/share/ovmf/PkKek-1-snakeoil.key'
const CERTIFICATE = '/usr/share/ovmf/PkKek-1-snakeoil.pem'
const PASSWORD = 'pass:snakeoil'

export const COMMAND_LINE = `root=UUID=${ROOT_UUID} ro console=ttyS0 ima_policy=tcb ima_hash=sha256 quiet`

export interface KernelImageParts {
  readonly kernel: string
  readonly initrd: string
  readonly commandLine: string
}

/** Where the stub expects its sections (systemd-stub(7)); the numbers are those of its manual's example. */
const ADDRESSES = { osrel: 0x20000, cmdline: 0x30000, linux: 0x2000000, initrd: 0x3000000 } as const

/** A signed unified kernel image in `directory`. */
export function makeKernelImage(directory: string, name: string, root: string, parts: KernelImageParts): string {
  const file = (suffix: string): string => join(directory, `${name}.${suffix}`)
  writeFileSync(file('cmdline'), parts.commandLine)
  const sources = {
    osrel: join(root, 'etc/os-release'),
    cmdline: file('cmdline'),
    linux: parts.kernel,
    initrd: parts.initrd,
  }
  const sections = Object.entries(sources).flatMap(([section, source]) => {
    const address = ADDRESSES[section as keyof typeof ADDRESSES].toString(16)
    return ['--add-section', `.${section}=${source}`, '--change-section-vma', `.${section}=0x${address}`]
  })
  run('objcopy', [...sections, STUB, file('unsigned.efi')])
  run('sbsign', ['--key', signingKey(directory), '--cert', CERTIFICATE, '--output', file('efi'), file('unsigned.efi')])
  rmSync(file('unsigned.efi'))
  return file('efi')
}

function signingKey(directory: string): string {
  const file = join(directory, 'signing-key.pem')
  if (!existsSync(file)) {
    writeFileSync(file, run('openssl', ['pkey', '-in', KEY, '-passin', PASSWORD]))
    chmodSync(file, 0o600)
  }
  return file
}

/** The same kernel without its distributor's signature: other bytes, which no release names. */
export function anotherKernel(directory: string, kernel: string): string {
  const file = join(directory, 'another-vmlinuz')
  writeFileSync(file, readFileSync(kernel))
  run('sbattach', ['--remove', file])
  if (readFileSync(file).equals(readFileSync(kernel))) throw new Error('the kernel has no signature to remove')
  return file
}
