import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { createServer } from 'node:net'
import { KeepsealError } from '../../shared/errors.ts'

export interface StateLock {
  release(): Promise<void>
}

/**
 * One agent for a state directory. The lock is a name in the kernel's abstract socket namespace (unix(7)): it ends
 * with the process however that dies, so there is never a stale one to remove. It does not reach from one network
 * namespace into another; and another user of this machine could take the name first, which the collector would see
 * as silence. Throws `agent.running` when another process has it.
 */
export async function lockState(directory: string): Promise<StateLock> {
  let place: string
  try {
    place = await realpath(directory)
  } catch (cause) {
    throw new KeepsealError('state.unreadable', directory, { cause })
  }
  const name = createHash('sha256').update(place).digest('hex')
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE'
      reject(new KeepsealError(taken ? 'agent.running' : 'state.unreadable', directory, { cause }))
    })
    server.listen(`\0keepseal-agent-${name}`, resolve)
  })
  // The lock alone is no reason to go on running.
  server.unref()
  return { release: () => new Promise((resolve) => server.close(() => resolve())) }
}
