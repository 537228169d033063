import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createHost, type Host, type HostOptions } from '../../agent/sensors/host.ts'

/** A file by its content, a link, or a directory. Paths are absolute; text is written as UTF-8. */
export type TreeEntry =
  | string
  | Uint8Array
  | { link: string }
  | { modified: number }
  /** An empty file of that mode. */
  | { mode: number }
  | { directory: true; mode?: number }

export type Tree = Readonly<Record<string, TreeEntry>>

/** Writes a recorded system into a directory of its own, which goes away with the test. */
export function writeTree(tree: Tree): string {
  const root = mkdtempSync(join(tmpdir(), 'keepseal-tree-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, entry] of Object.entries(tree)) {
    const at = join(root, path)
    mkdirSync(dirname(at), { recursive: true })
    if (typeof entry === 'string' || entry instanceof Uint8Array) writeFileSync(at, entry)
    else if ('link' in entry) symlinkSync(entry.link, at)
    else if ('directory' in entry) {
      mkdirSync(at, { recursive: true })
      if (entry.mode !== undefined) chmodSync(at, entry.mode)
    } else if ('mode' in entry) {
      writeFileSync(at, '')
      chmodSync(at, entry.mode)
    } else {
      writeFileSync(at, '')
      utimesSync(at, entry.modified, entry.modified)
    }
  }
  return root
}

/** A little-endian host over such a tree. */
export const treeHost = (tree: Tree, options: HostOptions = {}): Host =>
  createHost({ root: writeTree(tree), byteOrder: 'LE', ...options })

/** The host, but what begins with one of `paths` may not be read. Holds for root too, whom no mode keeps out. */
export function withoutPermission(host: Host, ...paths: readonly string[]): Host {
  const refused = (path: string): boolean => paths.some((prefix) => path.startsWith(prefix))
  const no = { status: 'no-permission' } as const
  return {
    ...host,
    readFile: (path, max) => (refused(path) ? no : host.readFile(path, max)),
    readText: (path, max) => (refused(path) ? no : host.readText(path, max)),
    open: (path) => (refused(path) ? no : host.open(path)),
    readDirectory: (path, max) => (refused(path) ? no : host.readDirectory(path, max)),
    readEntries: (path, options) => (refused(path) ? no : host.readEntries(path, options)),
    readLink: (path) => (refused(path) ? no : host.readLink(path)),
    stat: (path) => (refused(path) ? no : host.stat(path)),
    self: () => (refused('/proc/self') ? no : host.self()),
    tpm: async () => (refused('/dev/tpmrm0') ? no : host.tpm()),
  }
}

/** The host, but what belongs to whoever runs the tests belongs to root. */
export function ownedByRoot(host: Host): Host {
  const mine = process.getuid?.() ?? 0
  const group = process.getgid?.() ?? 0
  const owned = <T>(one: T): T =>
    typeof one === 'object' && one !== null && 'uid' in one && 'gid' in one
      ? { ...one, uid: one.uid === mine ? 0 : one.uid, gid: one.gid === group ? 0 : one.gid }
      : one
  return {
    ...host,
    stat(path) {
      const result = host.stat(path)
      return result.status === 'found' ? { ...result, value: owned(result.value) } : result
    },
    readEntries(path, options) {
      const result = host.readEntries(path, options)
      return result.status === 'found' ? { ...result, value: result.value.map(owned) } : result
    },
  }
}

/**
 * Runs `action` as the user nobody if this process is root, as the service runs without root. Nothing else of the
 * process may go on meanwhile.
 */
export async function asNobody<T>(action: () => T | Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return action()
  process.seteuid?.(65_534)
  try {
    return await action()
  } finally {
    process.seteuid?.(0)
  }
}
