import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SHELL_PORT } from '../image/guest-files.ts'
import { FIRMWARE_CODE } from './firmware.ts'
import { GuestShell } from './guest-shell.ts'
import { monitor } from './monitor.ts'

export interface MachineParts {
  /** For sockets and logs of this machine. */
  readonly directory: string
  readonly esp: string
  readonly root: string
  readonly variables: string
  /** State of the software TPM. */
  readonly tpm: string
}

/** Beyond that firmware or kernel wait for something that does not come. */
const BOOT_TIMEOUT_MS = 600_000
const END_TIMEOUT_MS = 90_000
/** What has the disk: of a virtio device on PCI that is the part behind the bus. */
const ROOT_DEVICE = '/machine/peripheral/root-disk/virtio-backend'

/** A virtual machine under software emulation that has booted: the same processor wherever the test runs. */
export class Machine {
  readonly shell: GuestShell
  /** From power on until the guest took commands. */
  readonly bootMs: number
  readonly poweredOnAt: number
  readonly #qemu: ChildProcess
  readonly #tpm: ChildProcess
  readonly #parts: MachineParts

  private constructor(parts: MachineParts, qemu: ChildProcess, tpm: ChildProcess, shell: GuestShell, at: number) {
    this.#parts = parts
    this.#qemu = qemu
    this.#tpm = tpm
    this.shell = shell
    this.poweredOnAt = at
    this.bootMs = Date.now() - at
  }

  static async boot(parts: MachineParts): Promise<Machine> {
    const tpm = await startTpm(parts)
    const at = Date.now()
    const qemu = start('qemu-system-x86_64', qemuParameters(parts), join(parts.directory, 'qemu.log'))
    try {
      const socket = join(parts.directory, 'shell.sock')
      const shell = await Promise.race([GuestShell.open(socket, BOOT_TIMEOUT_MS), failure(qemu, parts.directory)])
      return new Machine(parts, qemu, tpm, shell, at)
    } catch (error) {
      await Promise.all([end(qemu), end(tpm)])
      throw error
    }
  }

  get console(): string {
    return readFileSync(join(this.#parts.directory, 'console.log'), 'latin1')
  }

  /** Lets its disk take so many writes a second and no more, so that each takes long enough to be cut off in it. */
  slowDisk(writesPerSecond: number): Promise<void> {
    const none = { bps: 0, bps_rd: 0, bps_wr: 0, iops: 0, iops_rd: 0 }
    const limit = { id: ROOT_DEVICE, ...none, iops_wr: writesPerSecond }
    return monitor(join(this.#parts.directory, 'monitor.sock'), [['block_set_io_throttle', limit]])
  }

  /** Shuts down as an operator does. */
  async powerOff(): Promise<void> {
    this.shell.send('systemctl poweroff')
    await Promise.race([exit(this.#qemu), sleep(END_TIMEOUT_MS)])
    await this.cutPower()
  }

  /** Ends it at once: what the guest has not brought to its disk is lost. */
  async cutPower(): Promise<void> {
    this.shell.close()
    await end(this.#qemu)
    await end(this.#tpm)
  }
}

function qemuParameters({ directory, esp, root, variables }: MachineParts): string[] {
  const disk = (name: string, file: string, more = ''): string[] => [
    '-drive',
    `if=none,id=${name},format=raw,file=${file}`,
    '-device',
    `virtio-blk-pci,id=${name}-disk,drive=${name},serial=${name}${more}`,
  ]
  const flash = (unit: number, file: string, more = ''): string[] => [
    '-drive',
    `if=pflash,format=raw,unit=${unit},file=${file}${more}`,
  ]
  return [
    ['-machine', 'q35,smm=on', '-accel', 'tcg,thread=multi', '-cpu', 'Nehalem,+rdrand', '-smp', '2', '-m', '1024'],
    ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    // Only firmware in system management mode writes its variables, as Secure Boot wants it.
    ['-global', 'driver=cfi.pflash01,property=secure,value=on'],
    flash(0, FIRMWARE_CODE, ',readonly=on'),
    flash(1, variables),
    disk('esp', esp, ',bootindex=1'),
    disk('root', root),
    ['-chardev', `socket,id=tpm,path=${join(directory, 'tpm.sock')}`],
    ['-tpmdev', 'emulator,id=tpm0,chardev=tpm', '-device', 'tpm-crb,tpmdev=tpm0'],
    ['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net,romfile='],
    ['-object', `filter-dump,id=dump,netdev=net,file=${join(directory, 'net.pcap')}`],
    ['-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci'],
    ['-chardev', `socket,id=shell,path=${join(directory, 'shell.sock')},server=on,wait=off`],
    ['-device', `virtserialport,chardev=shell,name=${SHELL_PORT}`],
    ['-qmp', `unix:${join(directory, 'monitor.sock')},server=on,wait=off`],
    ['-serial', `file:${join(directory, 'console.log')}`],
  ].flat()
}

async function startTpm({ directory, tpm }: MachineParts): Promise<ChildProcess> {
  const socket = join(directory, 'tpm.sock')
  for (const name of ['tpm.sock', 'shell.sock', 'monitor.sock']) rmSync(join(directory, name), { force: true })
  const parameters = ['socket', '--tpm2', '--tpmstate', `dir=${tpm}`, '--ctrl', `type=unixio,path=${socket}`]
  const child = start('swtpm', parameters, join(directory, 'swtpm.log'))
  await Promise.race([exists(socket), failure(child, directory)])
  return child
}

function start(program: string, parameters: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, 'w')
  // It ends with this process, however that ends: setpriv(1), PR_SET_PDEATHSIG.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...parameters], { stdio: ['ignore', log, log] })
  closeSync(log)
  child.once('error', () => undefined)
  return child
}

async function exists(socket: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (existsSync(socket)) return
    await sleep(10)
  }
  throw new Error('swtpm does not listen')
}

const exit = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', () => resolve()))

async function failure(child: ChildProcess, directory: string): Promise<never> {
  await new Promise((resolve) => {
    child.once('error', resolve)
    child.once('exit', resolve)
  })
  throw new Error(`${child.spawnargs[3] ?? ''} ended by itself: see its log in ${directory}`)
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await exit(child)
}
