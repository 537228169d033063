import { lstatSync, readlinkSync } from 'node:fs'

/** What is asked about one name in the file system. */
export interface PathFacts {
  readonly kind: 'file' | 'directory' | 'link' | 'other'
  readonly uid: number
  readonly mode: number
}

export interface PathReader {
  /** Throws what the file system throws; does not follow links. */
  look(path: string): PathFacts
  readLink(path: string): string
}

export type TrustedProgram =
  | { readonly status: 'trusted'; readonly path: string }
  | { readonly status: 'absent' }
  | { readonly status: 'untrusted'; readonly reason: string }

/** As many links as Linux itself follows in one path, path_resolution(7). */
const MAX_LINKS = 40

const OTHERS_WRITE = 0o022
const EXECUTE = 0o111

/**
 * Follows `path` to a file that nobody but root can have put there: every directory on the way, those that links lead
 * through included, and the file itself belong to root and nobody else may write to them. Since root alone could
 * change that afterwards, what is found stays what was looked at.
 */
export function findTrustedProgram(path: string, reader: PathReader = systemPaths): TrustedProgram {
  const untrusted = (reason: string): TrustedProgram => ({ status: 'untrusted', reason })
  const pending = path.split('/').reverse()
  let resolved: string[] = []
  let links = 0
  let facts = reader.look('/')
  for (;;) {
    const at = `/${resolved.join('/')}`
    // What a link may be replaced by is decided by the directory that it is in.
    if (facts.kind !== 'link') {
      if (facts.uid !== 0) return untrusted(`${at} belongs to user ${facts.uid}`)
      if ((facts.mode & OTHERS_WRITE) !== 0) return untrusted(`others may write to ${at}`)
    } else {
      if (++links > MAX_LINKS) return untrusted(`${path} has too many links`)
      const target = reader.readLink(at)
      resolved = target.startsWith('/') ? [] : resolved.slice(0, -1)
      pending.push(...target.split('/').reverse())
    }
    const name = nextName(pending, resolved)
    if (name === undefined) break
    resolved.push(name)
    try {
      facts = reader.look(`/${resolved.join('/')}`)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      return code === 'ENOENT' || code === 'ENOTDIR' ? { status: 'absent' } : untrusted(`${path}: ${String(code)}`)
    }
  }
  const found = `/${resolved.join('/')}`
  const { kind, mode } = reader.look(found)
  if (kind !== 'file' || (mode & EXECUTE) === 0) return untrusted(`${found} is no program`)
  return { status: 'trusted', path: found }
}

/** The next name to look at; every directory that `..` leads back to was looked at already. */
function nextName(pending: string[], resolved: string[]): string | undefined {
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '..') resolved.pop()
    else if (name !== '' && name !== '.') return name
  }
  return undefined
}

const systemPaths: PathReader = {
  look(path) {
    const stats = lstatSync(path)
    const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'link' : 'other'
    return { kind, uid: stats.uid, mode: stats.mode }
  },
  readLink: (path) => readlinkSync(path),
}
