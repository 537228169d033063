import { lstatSync, statSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'

const GROUP_WRITES = 0o020
const OTHERS_WRITE = 0o002

/** Why others than root and the user of this process may put things into `directory`; undefined where they cannot. */
export function distrustDirectory(directory: string): string | undefined {
  const stats = statSync(directory)
  if (!stats.isDirectory()) return `${directory} is no directory`
  return distrust(directory, stats, GROUP_WRITES | OTHERS_WRITE)
}

/**
 * Why a helper behind this socket may be anybody's; undefined where it is root's or this user's own. Members of its
 * group may connect, and nobody else. Throws what the file system throws.
 */
export function distrustSocket(path: string): string | undefined {
  const reason = distrustDirectory(dirname(path))
  if (reason !== undefined) return reason
  const stats = lstatSync(path)
  if (!stats.isSocket()) return `${path} is no socket`
  return distrust(path, stats, OTHERS_WRITE)
}

function distrust(path: string, { uid, mode }: Stats, writers: number): string | undefined {
  if (uid !== 0 && uid !== process.geteuid?.()) return `${path} belongs to user ${uid}`
  return (mode & writers) === 0 ? undefined : `others may write to ${path}`
}
