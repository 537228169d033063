import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs'
import type { Stats } from 'node:fs'
import { endianness } from 'node:os'
import type { AgentContent } from '../../shared/posture/sections/agent.ts'
import type { TpmAttributes } from '../tpm/commands/attributes.ts'
import type { CommandId } from './commands.ts'
import { ownershipOf, readEntriesOf, type EntryOptions, type HostEntry, type Ownership } from './host-entries.ts'
import { resolveInRoot } from './host-path.ts'

/** Why something on the host could not be read. `absent` includes what vanished meanwhile, as processes do. */
export type HostFailure =
  | { readonly status: 'absent' }
  | { readonly status: 'no-permission' }
  | { readonly status: 'too-large' }
  | { readonly status: 'unreadable' }

export type HostResult<T> = { readonly status: 'found'; readonly value: T } | HostFailure

export interface HostStat extends Ownership {
  readonly kind: 'file' | 'directory' | 'other'
  /** Seconds since 1970. */
  readonly modified: number
  /** Differs when the file was replaced or written to: device, inode, size, times of change of content and inode. */
  readonly identity: string
  /** Number of the inode: that of a thing of the kernel's own, such as a namespace. */
  readonly inode: number
}

/** A regular file that is read in pieces, because it may be larger than the agent wants to be. */
export interface HostFile {
  readonly size: number
  /** Fills `into` from `position` on and returns how many bytes there were: fewer than fit only at the end. */
  read(into: Uint8Array, position: number): HostResult<number>
  close(): void
}

/**
 * All that a sensor may look at: files under one root, the TPM's attributes, the output of a few fixed commands, what the
 * agent knows of itself, and two clocks. Nothing is written.
 *
 * Paths, names and link targets are byte strings: one character (U+0000 to U+00FF) for each byte, because file names
 * need not be UTF-8. ./text.ts makes them printable.
 */
export interface Host {
  /** Order of bytes within the words that the kernel prints, as in /proc/net/tcp. */
  readonly byteOrder: 'LE' | 'BE'
  /** Seconds since 1970. */
  now(): number
  /** Processor time that this process has used, in milliseconds. */
  cpuMs(): number
  /** A regular file of at most `maxBytes`. Anything else, such as a pipe or a device, is `unreadable`, never opened. */
  readFile(path: string, maxBytes: number): HostResult<Buffer>
  /** The same as a byte string. */
  readText(path: string, maxBytes: number): HostResult<string>
  /** The same kind of file, to be read in pieces and then closed. */
  open(path: string): HostResult<HostFile>
  /** Sorted names of at most `maxEntries` entries; with more it is `too-large`. */
  readDirectory(path: string, maxEntries: number): HostResult<readonly string[]>
  /** The same with what each entry is and who owns it, see ./host-entries.ts. */
  readEntries(path: string, options: EntryOptions): HostResult<readonly HostEntry[]>
  readLink(path: string): HostResult<string>
  stat(path: string): HostResult<HostStat>
  /** What the TPM that the agent uses says about itself; `absent` where it uses none. Throws as openTpm does. */
  tpm(): Promise<HostResult<TpmAttributes>>
  /** What the agent that measures knows of itself; `absent` where something else measures. */
  self(): HostResult<AgentContent>
  /**
   * What a command of the system prints, as a byte string; `absent` where it is not installed, `unreadable` where it fails or takes too
   * long. Only the privileged helper runs commands, and only in its own root: elsewhere it is `no-permission`.
   */
  run(command: CommandId): Promise<HostResult<string>>
}

export interface HostOptions {
  /** Directory that stands for `/`. Links in it never lead out of it. */
  readonly root?: string
  readonly byteOrder?: 'LE' | 'BE'
  readonly now?: () => number
  readonly tpm?: Host['tpm'] | undefined
  readonly run?: Host['run'] | undefined
  readonly self?: Host['self'] | undefined
}

const CHUNK = 64 * 1024
/** Files of sysfs all say that they have the size of a page; how long they are shows when they are read. */
const NOMINAL_SIZE = 4096

export function createHost(options: HostOptions = {}): Host {
  const root = (options.root ?? '/').replace(/\/+$/, '')
  const rooted = root !== ''
  const locate = (path: string, follow: boolean): Buffer =>
    Buffer.from(rooted ? resolveInRoot(Buffer.from(root).toString('latin1'), path, follow) : path, 'latin1')

  const host: Host = {
    byteOrder: options.byteOrder ?? endianness(),
    now: options.now ?? (() => Math.floor(Date.now() / 1000)),
    cpuMs() {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    },
    readFile: (path, maxBytes) => attempt(() => readRegularFile(locate(path, true), maxBytes, rooted)),
    open: (path) => attempt(() => openInPieces(locate(path, true), rooted)),
    readText(path, maxBytes) {
      const file = host.readFile(path, maxBytes)
      return file.status === 'found' ? { status: 'found', value: file.value.toString('latin1') } : file
    },
    readDirectory: (path, maxEntries) => attempt(() => readNames(locate(path, true), maxEntries)),
    readEntries: (path, options) =>
      attempt(() => {
        const directory = locate(path, true)
        const entries = readEntriesOf(directory, options, (name) => locate(`${path}/${name}`, true))
        return entries === undefined ? { status: 'too-large' } : { status: 'found', value: entries }
      }),
    readLink: (path) =>
      attempt(() => ({ status: 'found', value: readlinkSync(locate(path, false), { encoding: 'latin1' }) })),
    stat: (path) =>
      attempt(() => {
        const stats = statSync(locate(path, true))
        const { dev, ino, size, mtimeMs, ctimeMs } = stats
        const identity = [dev, ino, size, mtimeMs, ctimeMs].join(':')
        const modified = Math.floor(mtimeMs / 1000)
        const value = { kind: kindOf(stats), modified, identity, inode: ino, ...ownershipOf(stats) }
        return { status: 'found', value }
      }),
    tpm: options.tpm ?? (async () => ({ status: 'absent' })),
    self: options.self ?? (() => ({ status: 'absent' })),
    run: options.run ?? (async () => ({ status: 'no-permission' })),
  }
  return host
}

function attempt<T>(action: () => HostResult<T>): HostResult<T> {
  try {
    return action()
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ENOENT':
      case 'ENOTDIR':
      case 'ESRCH':
      case 'ENODEV':
        return { status: 'absent' }
      case 'EACCES':
      case 'EPERM':
        return { status: 'no-permission' }
      default:
        if (error instanceof Error && 'syscall' in error) return { status: 'unreadable' }
        throw error
    }
  }
}

function kindOf(stats: Stats): HostStat['kind'] {
  return stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other'
}

function readRegularFile(path: Buffer, maxBytes: number, rooted: boolean): HostResult<Buffer> {
  const opened = openRegularFile(path, rooted, maxBytes)
  if (opened.status !== 'found') return opened
  try {
    return readToEnd(opened.value.file, maxBytes, opened.value.size)
  } finally {
    closeSync(opened.value.file)
  }
}

function openRegularFile(
  path: Buffer,
  rooted: boolean,
  maxBytes: number,
): HostResult<{ readonly file: number; readonly size: number }> {
  // Looked at before it is opened: opening alone can start a watchdog or wait for the other end of a pipe.
  const before = rooted ? lstatSync(path) : statSync(path)
  if (!before.isFile()) return { status: 'unreadable' }
  if (before.size > Math.max(maxBytes, NOMINAL_SIZE)) return { status: 'too-large' }
  const noFollow = rooted ? constants.O_NOFOLLOW : 0
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | noFollow)
  if (fstatSync(file).isFile()) return { status: 'found', value: { file, size: before.size } }
  closeSync(file)
  return { status: 'unreadable' }
}

function openInPieces(path: Buffer, rooted: boolean): HostResult<HostFile> {
  const opened = openRegularFile(path, rooted, Number.POSITIVE_INFINITY)
  if (opened.status !== 'found') return opened
  const { file, size } = opened.value
  const read: HostFile['read'] = (into, position) =>
    attempt(() => {
      let filled = 0
      while (filled < into.length) {
        const length = readSync(file, into, filled, into.length - filled, position + filled)
        if (length === 0) break
        filled += length
      }
      return { status: 'found', value: filled }
    })
  return { status: 'found', value: { size, read, close: () => closeSync(file) } }
}

/** Files of /proc and /sys have no size, so the end is where reading ends. */
function readToEnd(file: number, maxBytes: number, expected: number): HostResult<Buffer> {
  const parts: Buffer[] = []
  let total = 0
  let size = expected > 0 ? Math.min(expected, maxBytes) + 1 : Math.min(CHUNK, maxBytes + 1)
  for (;;) {
    const part = Buffer.allocUnsafe(size)
    let filled = 0
    let length = 1
    while (filled < size && length > 0) {
      length = readSync(file, part, filled, size - filled, null)
      filled += length
    }
    total += filled
    if (total > maxBytes) return { status: 'too-large' }
    parts.push(filled === size ? part : part.subarray(0, filled))
    if (length === 0) break
    size = Math.min(CHUNK, maxBytes - total + 1)
  }
  const [only] = parts
  return { status: 'found', value: parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, total) }
}

function readNames(path: Buffer, maxEntries: number): HostResult<readonly string[]> {
  const names: string[] = []
  // @types/node does not know that a directory's names can be had as byte strings, nor a path as a Buffer here.
  const directory = opendirSync(path as unknown as string, { encoding: 'latin1', bufferSize: 512 })
  try {
    for (;;) {
      const entry = directory.readSync()
      if (entry === null) break
      if (names.length >= maxEntries) return { status: 'too-large' }
      names.push(entry.name)
    }
  } finally {
    directory.closeSync()
  }
  return { status: 'found', value: names.sort() }
}
