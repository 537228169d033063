import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { copyTree, debianTree } from '../../support/debian-tree.ts'
import { run } from '../run.ts'
import { GUEST_FILES, UNWANTED_UNITS } from './guest-files.ts'

/** Outside of the repository: trees are large, and are used again. */
export const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'keepseal', 'vm')

const SUITE = 'bookworm'
const PACKAGES = [
  'systemd-sysv',
  'dbus',
  'udev',
  'kmod',
  'iproute2',
  'nftables',
  'busybox',
  'initramfs-tools',
  'linux-image-cloud-amd64',
  'prometheus-node-exporter',
  // What the package of the agent depends on or recommends.
  'libstdc++6',
  'libtss2-esys-3.0.2-0',
  'libtss2-mu0',
  'libtss2-tctildr0',
  'libtss2-rc0',
  'libtss2-tcti-device0',
]

/** Debian with kernel and systemd, made once and kept. What a gateway's vendor adds comes later, into a copy. */
export function gatewayTree(say: (line: string) => void): string {
  const stamp = createHash('sha256')
    .update(JSON.stringify([SUITE, PACKAGES, GUEST_FILES, UNWANTED_UNITS]))
    .digest('hex')
  const kept = join(CACHE, `tree-${stamp.slice(0, 12)}`)
  if (existsSync(kept)) return kept
  say('making a tree of Debian by debootstrap, once')
  const minimal = debianTree(SUITE)
  if (!('root' in minimal)) throw new Error(minimal.obstacle)
  const root = copyTree(minimal.root)
  try {
    writeFiles(root, GUEST_FILES)
    installPackages(root, PACKAGES)
    chroot(root, 'systemctl', 'enable', 'systemd-networkd.service', 'test-shell.service')
    chroot(root, 'systemctl', 'mask', ...UNWANTED_UNITS)
    rmSync(join(root, 'var/cache/apt/archives'), { recursive: true, force: true })
    mkdirSync(CACHE, { recursive: true })
    for (const name of readdirSync(CACHE)) {
      if (name.startsWith('tree-')) rmSync(join(CACHE, name), { recursive: true, force: true })
    }
    const unfinished = `${kept}.unfinished`
    rmSync(unfinished, { recursive: true, force: true })
    run('cp', ['-a', root, unfinished])
    renameSync(unfinished, kept)
    return kept
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** By apt within the tree; services are not started, for there is no /run/systemd/system. */
function installPackages(root: string, names: readonly string[]): void {
  if (existsSync('/etc/resolv.conf')) copyFileSync('/etc/resolv.conf', join(root, 'etc/resolv.conf'))
  chroot(root, 'apt-get', 'update', '-qq')
  chroot(root, 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...names)
}

/** A package file, as `apt install ./FILE` does it. Answers with how long it took. */
export function installPackageFile(root: string, file: string): number {
  const name = basename(file)
  copyFileSync(file, join(root, name))
  const started = Date.now()
  chroot(root, 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', `/${name}`)
  const took = Date.now() - started
  rmSync(join(root, name))
  return took
}

export const chroot = (root: string, ...command: readonly string[]): string =>
  run('chroot', [root, 'env', 'DEBIAN_FRONTEND=noninteractive', 'HOME=/root', ...command])

export interface GuestFile {
  readonly content: string
  readonly mode?: number
}

export function writeFiles(root: string, files: Readonly<Record<string, GuestFile>>): void {
  for (const [path, { content, mode = 0o644 }] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content, { mode })
  }
}

/** Kernel and initial RAM disk of the tree. */
export function bootFiles(root: string): { readonly kernel: string; readonly initrd: string } {
  const version = readdirSync(join(root, 'lib/modules'))[0]
  if (version === undefined) throw new Error('the tree has no kernel')
  const [kernel, initrd] = [join(root, 'boot', `vmlinuz-${version}`), join(root, 'boot', `initrd.img-${version}`)]
  if (readFileSync(initrd).length === 0) throw new Error('the tree has no initial RAM disk')
  return { kernel, initrd }
}
