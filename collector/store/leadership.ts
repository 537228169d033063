import { createHash } from 'node:crypto'
import { mkdir, realpath } from 'node:fs/promises'
import { createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { KeepsealError } from '../../shared/errors.ts'
import type { StoreLocation } from './index.ts'
import { holdPostgresAlone, joinPostgres } from './postgres/leadership.ts'

/** What only one of the collectors on a database does at a time; not always the same one does both. */
export type Duty = 'tracking' | 'notifying'

/** A collector's part among those that serve from one database. */
export interface Leadership {
  /**
   * Whether it does the periodic work of `duty` (tracking, if absent), which only one may do. Asked before each piece of that work; where nobody leads,
   * who asks begins to. One that has lost the database does not lead. Pieces of work must stand being done twice: the
   * leader can lose the lock in the middle of one.
   */
  isLeader(duty?: Duty): Promise<boolean>
  /** Leads no more, so that another one can at once, and goes on using the database. */
  resign(): Promise<void>
  release(): Promise<void>
}

/** Error: state.in-use where it has to be the only one and is not. */
export async function joinCollectors(location: StoreLocation): Promise<Leadership> {
  if ('postgres' in location) return joinPostgres(location.postgres)
  const release = await holdFile(location.path)
  let isLeading = true
  return {
    isLeader: () => Promise.resolve(isLeading),
    resign: () => {
      isLeading = false
      return Promise.resolve()
    },
    release,
  }
}

/** Holds the database alone, for its replacement. Gives what lets go of it again. Error: state.in-use. */
export function holdAlone(location: StoreLocation): Promise<() => Promise<void>> {
  return 'postgres' in location ? holdPostgresAlone(location.postgres) : holdFile(location.path)
}

/**
 * One collector for an embedded database. The lock is a name in the kernel's abstract socket namespace (unix(7)): it
 * ends with the process however that dies. It does not reach from one network namespace into another.
 */
async function holdFile(path: string): Promise<() => Promise<void>> {
  let place: string
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    place = join(await realpath(dirname(path)), basename(path))
  } catch (cause) {
    throw new KeepsealError('state.unreadable', path, { cause })
  }
  const name = createHash('sha256').update(place).digest('hex')
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(new KeepsealError(cause.code === 'EADDRINUSE' ? 'state.in-use' : 'state.unreadable', path, { cause }))
    })
    server.listen(`\0keepseal-collector-${name}`, resolve)
  })
  // The lock alone is no reason to go on running.
  server.unref()
  return () => new Promise((resolve) => server.close(() => resolve()))
}
