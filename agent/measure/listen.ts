import { spawn } from 'node:child_process'
import { chmodSync, chownSync, lstatSync, readFileSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { distrustDirectory } from './trusted-place.ts'

export interface ListenOptions {
  readonly path: string
  /** Name or number of the group whose members may connect. Without one only this process's own user may. */
  readonly group?: string | undefined
  /** The command line of the process that serves one connection on its standard input. */
  readonly server: readonly [string, ...string[]]
  readonly tell: (message: string) => void
  readonly lifetimeMs?: number
}

/** Connections that are served at once; others are closed. */
const MAX_CONNECTIONS = 4

/** Until a process that serves a connection is ended. It ends by itself before. */
const LIFETIME_MS = 90_000

/** For one that is asked to end. What is held up in the kernel, or never comes to look at signals, does not. */
const GRACE_MS = 2_000

/**
 * What a systemd socket unit with Accept=yes does, for systems without systemd: each connection becomes the standard
 * input of a process of its own. Resolves when it listens. Throws where the socket cannot be made, or others than
 * root and this user could replace it.
 */
export async function listen({
  path,
  group,
  server: command,
  tell,
  lifetimeMs = LIFETIME_MS,
}: ListenOptions): Promise<Server> {
  const distrusted = distrustDirectory(dirname(path))
  if (distrusted !== undefined) throw new Error(distrusted)
  const groupId = group === undefined ? undefined : groupIdOf(group)
  // Paused: what has arrived of a request stays in the socket, for the process that will read it.
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true })
  let serving = 0
  server.on('connection', (connection) => {
    connection.on('error', () => undefined)
    if (serving >= MAX_CONNECTIONS) {
      tell(`a connection is closed: ${MAX_CONNECTIONS} are served already`)
      connection.destroy()
      return
    }
    serving++
    start(command, connection, { tell, lifetimeMs }, () => serving--)
  })
  await removeLeftOver(path)
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path }, resolve)
    })
  } finally {
    process.umask(mask)
  }
  try {
    if (groupId !== undefined) {
      chownSync(path, -1, groupId)
      chmodSync(path, 0o660)
    }
  } catch (error) {
    server.close()
    throw error
  }
  return server
}

function start(
  [program, ...args]: ListenOptions['server'],
  connection: Socket,
  { tell, lifetimeMs }: { readonly tell: (message: string) => void; readonly lifetimeMs: number },
  ended: () => void,
): void {
  const child = spawn(program, args, { cwd: '/', env: {}, stdio: [connection, connection, 'inherit'] })
  const timers = [
    setTimeout(() => child.kill('SIGTERM'), lifetimeMs),
    setTimeout(() => child.kill('SIGKILL'), lifetimeMs + GRACE_MS),
  ]
  const finish = (): void => {
    for (const timer of timers) clearTimeout(timer)
    connection.destroy()
    ended()
  }
  child.once('error', (error) => {
    tell(`a connection is not served: ${error.message}`)
    finish()
  })
  child.once('exit', finish)
}

/** A socket that nothing listens at is what an earlier process has left. Throws where there is anything else. */
async function removeLeftOver(path: string): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return
  if (!stats.isSocket()) throw new Error(`${path} is there, and is no socket`)
  const taken = await new Promise<boolean>((resolve) => {
    const visitor = connect({ path })
    visitor.once('error', () => resolve(false))
    visitor.once('connect', () => {
      visitor.destroy()
      resolve(true)
    })
  })
  if (taken) throw new Error(`another process listens at ${path}`)
  unlinkSync(path)
}

/** group(5): name, password, number, members. */
function groupIdOf(group: string): number {
  if (/^\d{1,9}$/.test(group)) return Number(group)
  const lines = readFileSync('/etc/group', 'utf8').split('\n')
  const id = lines.map((line) => line.split(':')).find(([name]) => name === group)?.[2]
  if (id === undefined || !/^\d{1,9}$/.test(id)) throw new Error(`there is no group ${group}`)
  return Number(id)
}
