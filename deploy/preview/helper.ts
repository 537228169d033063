import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild, supervise, type Keep } from './child.ts'

/** Of an address of a Unix socket, unix(7), with its end. */
const MAX_SOCKET_PATH = 107
const START_TIMEOUT_MS = 10_000

export const helperSocket = (home: string): string => join(home, 'measure.sock')

/**
 * The privileged helper, where this is root: for anybody else it would see no more than the agent. The agent does
 * without where it cannot be, and says so.
 */
export async function startHelper(
  repository: string,
  home: string,
  keep: Keep,
  program = 'agent/measure/main.js',
  node?: string,
): Promise<void> {
  const socket = helperSocket(home)
  if (process.geteuid?.() !== 0 || Buffer.byteLength(socket) > MAX_SOCKET_PATH) return
  const logFile = join(home, 'logs', 'measure.log')
  const child = startChild(repository, {
    program,
    arguments: ['--listen', socket],
    environment: {},
    logFile,
    nodeFlags: ['--jitless'],
    node,
  })
  supervise('privileged helper', child, logFile, keep)
  // What was approved with it and is then reported without would look like another posture.
  for (const end = Date.now() + START_TIMEOUT_MS; !existsSync(socket) && Date.now() < end;) await sleep(50)
}
