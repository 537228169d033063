import { spawn } from 'node:child_process'
import { sql } from 'kysely'
import { KeepsealError } from '../../../shared/errors.ts'
import { openPostgres } from '../database.ts'
import { migrate, migrations } from '../migrations/index.ts'
import type { PostgresSettings } from '../postgres/pool.ts'
import { makePrivateFile } from './file.ts'
import type { RestorePoint } from '../restore-points.ts'
import { markRestored } from './restore-point.ts'

/** Debian's bundle of authorities: the programs of PostgreSQL before 16 know no name for "the system's". */
const SYSTEM_AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'

/** pg_dump reads one snapshot, so that the collectors go on meanwhile. */
export async function backupPostgres(settings: PostgresSettings, file: string): Promise<void> {
  await makePrivateFile(file, async (temporary, handle) => {
    await run(settings, 'pg_dump', ['--format=custom', '--no-owner', '--no-privileges'], handle.fd)
    await run(settings, 'pg_restore', ['--list', temporary])
  })
}

/** Puts a backup into a database without tables. The caller holds the database alone. */
export async function restorePostgres(settings: PostgresSettings, file: string, now: number): Promise<RestorePoint> {
  const db = openPostgres({ ...settings, connections: 2 }, { patient: true })
  try {
    const { rows } = await sql<{
      name: string
    }>`select tablename as name from pg_tables where schemaname = 'public'`.execute(db)
    if (rows.length > 0) throw new KeepsealError('state.not-empty', settings.database)
    await checkVersion(settings, file)
    const parameters = ['--exit-on-error', '--single-transaction', '--no-owner', '--no-privileges']
    await run(settings, 'pg_restore', [...parameters, `--dbname=${settings.database}`, file])
    await migrate(db)
    return await markRestored(db, now)
  } finally {
    await db.destroy()
  }
}

/** Looked at before anything is written: the rows of the table as pg_restore prints them, a version and a name each. */
async function checkVersion(settings: PostgresSettings, file: string): Promise<void> {
  const text = await run(settings, 'pg_restore', ['--data-only', '--table=schema_migrations', '--file=-', file])
  const versions = [...text.matchAll(/^([0-9]+)\t/gm)].map(([, version]) => Number(version))
  if (versions.length === 0) throw new KeepsealError('state.unreadable', 'it is no database of a collector')
  const known = migrations.at(-1)?.version ?? 0
  const version = Math.max(...versions)
  if (version > known) throw new KeepsealError('state.schema-newer', `schema ${version}, known ${known}`)
}

const MAX_TEXT = 64 * 1024

/** Runs a program of PostgreSQL; gives what it prints, unless that goes into `output`. */
function run(
  { host, port, database, user, password, tls }: PostgresSettings,
  program: string,
  parameters: readonly string[],
  output: number | 'pipe' = 'pipe',
): Promise<string> {
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    PGHOST: host,
    PGPORT: String(port),
    PGDATABASE: database,
    PGUSER: user,
    ...(password !== undefined && { PGPASSWORD: password }),
    PGSSLMODE: tls === false ? 'disable' : 'verify-full',
    ...(tls !== false && { PGSSLROOTCERT: tls.caFile === '' ? SYSTEM_AUTHORITIES : tls.caFile }),
    LC_ALL: 'C',
  }
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, { env, stdio: ['ignore', output, 'pipe'] })
    let text = ''
    let complaint = ''
    child.stdout?.on('data', (data: Buffer) => (text = (text + data.toString()).slice(0, MAX_TEXT)))
    child.stderr?.on('data', (data: Buffer) => (complaint = (complaint + data.toString()).slice(0, MAX_TEXT)))
    child.once('error', (cause: NodeJS.ErrnoException) =>
      reject(cause.code === 'ENOENT' ? new KeepsealError('state.tool-missing', program, { cause }) : cause),
    )
    child.once('close', (status) => {
      if (status === 0) resolve(text)
      else reject(new KeepsealError('state.unreadable', `${program}: ${complaint.trim()}`))
    })
  })
}
