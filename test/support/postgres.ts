import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { PostgresSettings } from '../../collector/store/postgres/pool.ts'
import { cpuMsOf } from './process-cpu.ts'

/** Debian keeps the programs of each version in a directory of its own. */
function programs(): string | undefined {
  const root = '/usr/lib/postgresql'
  try {
    const [newest] = readdirSync(root).sort((a, b) => Number(b) - Number(a))
    return newest === undefined ? undefined : join(root, newest, 'bin')
  } catch {
    return undefined
  }
}

export const postgresPrograms = programs()

/** For the names of suites: why they are skipped where they are. */
export const postgresName = postgresPrograms === undefined ? 'PostgreSQL, which is not installed here' : 'PostgreSQL'

/** A server of PostgreSQL of its own: on a socket in its own directory alone, with its own data. */
export interface Postgres {
  /** The directory of the socket. */
  readonly directory: string
  /** A new database, empty. */
  createDatabase(): Promise<PostgresSettings>
  /** Ends at once, without writing anything more, and leaves the recovery to the next start. */
  kill(): Promise<void>
  /** It hangs, with all that serve connections: SIGSTOP. */
  pause(): void
  resume(): void
  /** Processor time so far, in ms, of the server and of all that it has started. */
  cpuMs(): number
  start(): Promise<void>
  stop(): Promise<void>
}

const USER = 'keepseal'

/** It refuses to run as root, so that root becomes its own user first. */
const asItsUser: readonly string[] =
  process.getuid?.() === 0
    ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups', '--inh-caps=-all']
    : []

/** `isDurable`: it waits for the disk, as where what it holds matters. */
export async function startPostgres({ isDurable = false } = {}): Promise<Postgres> {
  const bin = postgresPrograms
  if (bin === undefined) throw new Error('PostgreSQL is not installed (package postgresql)')
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-pg-'))
  if (asItsUser.length > 0) run(['chown', 'postgres:postgres', directory], directory)
  const data = join(directory, 'data')
  const initdb = [join(bin, 'initdb'), '-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync']
  run([...asItsUser, ...initdb], directory)

  let server: ChildProcess | undefined
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const child = server
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await gone
  }
  /** The server and the processes that it has started for connections. */
  const pids = (): readonly number[] => {
    const pid = server?.pid
    if (pid === undefined) return []
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    return [pid, ...children.filter((text) => text !== '').map(Number)]
  }
  const signalAll = (signal: NodeJS.Signals): void => {
    for (const each of pids()) process.kill(each, signal)
  }
  const atExit = (): void => void server?.kill('SIGQUIT')
  process.once('exit', atExit)

  const settings = (database: string): PostgresSettings => {
    return { host: directory, port: 5432, database, user: USER, tls: false, connections: 8 }
  }
  const start = async (): Promise<void> => {
    const options = [
      'listen_addresses=',
      `fsync=${isDurable ? 'on' : 'off'}`,
      'max_connections=60',
      'shared_buffers=32MB',
    ]
    const [program = '', ...parameters] = [
      ...asItsUser,
      join(bin, 'postgres'),
      '-D',
      data,
      '-k',
      directory,
      ...options.flatMap((option) => ['-c', option]),
    ]
    server = spawn(program, parameters, { cwd: directory, stdio: 'ignore' })
    for (let waited = 0; waited < 20_000; waited += 20) {
      if (await answers(settings('postgres'))) return
      await sleep(20)
    }
    throw new Error('PostgreSQL does not start')
  }
  await start()

  let count = 0
  return {
    directory,
    start,
    kill: () => end('SIGQUIT'),
    pause: () => signalAll('SIGSTOP'),
    resume: () => signalAll('SIGCONT'),
    cpuMs: () =>
      pids()
        .map(cpuMsOf)
        .reduce((sum, { own, children }) => sum + own + children, 0),
    async createDatabase() {
      const name = `test_${count++}`
      await query(settings('postgres'), `create database ${name}`)
      return settings(name)
    },
    async stop() {
      process.off('exit', atExit)
      // At once: nobody will read what it would write now.
      await end('SIGQUIT')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** One statement on a connection of its own. */
export async function query(settings: PostgresSettings, text: string): Promise<readonly Record<string, unknown>[]> {
  const { host, port, database, user } = settings
  const client = new Client({ host, port, database, user })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

const answers = (settings: PostgresSettings): Promise<boolean> =>
  query(settings, 'select 1').then(
    () => true,
    () => false,
  )

function run([program = '', ...parameters]: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync(program, parameters, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program}: ${stderr}`)
}
