import { readlinkSync } from 'node:fs'

/** As many links as Linux itself follows in one path, path_resolution(7). */
const MAX_LINKS = 40

/**
 * Where `path` is, when `root` stands for `/`. Every link on the way is read and followed here, because the kernel
 * would follow an absolute one out of the root. All three are byte strings. Throws what the file system throws, and
 * an error with the code ELOOP for a loop.
 *
 * @param followLast whether a link that the path ends in is followed too
 */
export function resolveInRoot(root: string, path: string, followLast: boolean): string {
  const pending = path.split('/').reverse()
  const resolved: string[] = []
  let links = 0
  while (pending.length > 0) {
    const name = pending.pop() as string
    if (name === '' || name === '.') continue
    if (name === '..') {
      // Above the root is the root.
      resolved.pop()
      continue
    }
    resolved.push(name)
    if (pending.length === 0 && !followLast) break
    const target = linkTarget([root, ...resolved].join('/'))
    if (target === undefined) continue
    if (++links > MAX_LINKS) throw Object.assign(new Error('too many links'), { code: 'ELOOP', syscall: 'readlink' })
    resolved.pop()
    if (target.startsWith('/')) resolved.length = 0
    pending.push(...target.split('/').reverse())
  }
  return [root, ...resolved].join('/')
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(Buffer.from(path, 'latin1'), { encoding: 'latin1' })
  } catch (error) {
    // EINVAL: it exists and is no link.
    if ((error as NodeJS.ErrnoException).code === 'EINVAL') return undefined
    throw error
  }
}
