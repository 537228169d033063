import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { Kysely, PostgresAdapter } from 'kysely'
import { KeepsealError } from '../../shared/errors.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import { sqliteColumnTypes, sqliteDialect, translateSqliteError, type ColumnTypes } from './dialect.ts'
import { postgresColumnTypes, postgresDialect } from './postgres/dialect.ts'
import { isCollision } from './postgres/errors.ts'
import type { PostgresSettings } from './postgres/pool.ts'
import type { Database } from './schema.ts'
import { assertSqliteRuntime } from './sqlite-runtime.ts'

/** A database, or a transaction on it: the repositories are the same over both. */
export type Executor = Kysely<Database>

const BUSY_TIMEOUT_MS = 5000

/**
 * Opens the embedded database; makes file (0600) and directory (0700) where they are missing. The schema is brought up
 * to date apart from this, by `migrate`.
 * Errors: state.runtime-unfit, state.insecure-permissions, state.unreadable, state.disk-full.
 */
export function openDatabase(options: { readonly path: string }): Kysely<Database> {
  assertSqliteRuntime()
  prepareFile(options.path)
  try {
    const database = new Sqlite(options.path, { timeout: BUSY_TIMEOUT_MS })
    // A receipt promises that evidence outlives a power cut: FULL syncs the log at every commit.
    for (const setting of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON', 'trusted_schema = OFF']) {
      database.pragma(setting)
    }
    return new Kysely<Database>({ dialect: sqliteDialect(database) })
  } catch (cause) {
    throw translateSqliteError(cause)
  }
}

/**
 * A pool of connections to a database of PostgreSQL, which is connected to when it is used. `patient`: without limits
 * of time, for changes of the schema.
 */
export function openPostgres(
  settings: PostgresSettings,
  options: { readonly patient?: boolean } = {},
): Kysely<Database> {
  return new Kysely<Database>({ dialect: postgresDialect(settings, options.patient) })
}

export const isPostgres = (db: Executor): boolean => db.getExecutor().adapter instanceof PostgresAdapter

export const columnTypesOf = (db: Executor): ColumnTypes => (isPostgres(db) ? postgresColumnTypes : sqliteColumnTypes)

/**
 * Everything or nothing, and alone: no other transaction of this kind or the next writes meanwhile, in any process.
 * Inside a transaction it joins the one that runs.
 */
export function transaction<T>(db: Executor, action: (transaction: Executor) => Promise<T>): Promise<T> {
  return db.isTransaction ? action(db) : db.transaction().execute(action)
}

const ATTEMPTS = 10

/**
 * Everything or nothing, beside others of this kind that concern other devices: for these devices it is alone. Where it
 * collides with another one over what their devices share, it is undone and done again.
 */
export async function transactionOf<T>(
  db: Executor,
  devices: readonly Ueid[],
  action: (transaction: Executor) => Promise<T>,
): Promise<T> {
  if (db.isTransaction || !isPostgres(db)) return transaction(db, action)
  for (let attempt = 1; ; attempt++) {
    try {
      return await db
        .transaction()
        .setIsolationLevel('read committed')
        .execute(async (executor) => {
          await lockDevices(executor, devices)
          return action(executor)
        })
    } catch (error) {
      if (attempt >= ATTEMPTS || !isCollision(error)) throw error
    }
  }
}

/** Always in the order of their keys, so that two transactions never wait for each other over devices. */
async function lockDevices(db: Executor, devices: readonly Ueid[]): Promise<void> {
  if (devices.length === 0) return
  await db
    .selectFrom('device_states')
    .innerJoin('devices', 'devices.id', 'device_states.device_id')
    .select('device_states.device_id')
    .where('devices.ueid', 'in', devices)
    .orderBy('device_states.device_id')
    .forUpdate('device_states')
    .execute()
}

function prepareFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const found = statSync(path, { throwIfNoEntry: false })
    // Only a file that is missing is opened here: closing a descriptor of a database in use drops its POSIX locks.
    if (found === undefined) closeSync(openSync(path, 'ax', 0o600))
    else if ((found.mode & 0o077) !== 0) throw new KeepsealError('state.insecure-permissions', path)
  } catch (cause) {
    if (cause instanceof KeepsealError) throw cause
    const full = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC'
    throw new KeepsealError(full ? 'state.disk-full' : 'state.unreadable', path, { cause })
  }
}
