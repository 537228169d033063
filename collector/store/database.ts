import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { Kysely } from 'kysely'
import { KeepsealError } from '../../shared/errors.ts'
import { sqliteDialect, translateSqliteError } from './dialect.ts'
import type { Database } from './schema.ts'

/** A database, or a transaction on it: the repositories are the same over both. */
export type Executor = Kysely<Database>

const BUSY_TIMEOUT_MS = 5000

/**
 * Opens the embedded database; makes file (0600) and directory (0700) where they are missing. The schema is brought up
 * to date apart from this, by `migrate`.
 * Errors: state.insecure-permissions, state.unreadable, state.disk-full.
 */
export function openDatabase(options: { readonly path: string }): Kysely<Database> {
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

/** Everything or nothing. Inside a transaction it joins the one that runs. */
export function transaction<T>(db: Executor, action: (transaction: Executor) => Promise<T>): Promise<T> {
  return db.isTransaction ? action(db) : db.transaction().execute(action)
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
