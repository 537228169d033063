import { rmSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { KeepsealError } from '../../../shared/errors.ts'
import { openDatabase } from '../database.ts'
import { translateSqliteError } from '../dialect.ts'
import { migrate } from '../migrations/index.ts'
import { copyOver, exists, makePrivateFile } from './file.ts'
import type { RestorePoint } from '../restore-points.ts'
import { assertSqliteRuntime } from '../sqlite-runtime.ts'
import { markRestored } from './restore-point.ts'

/** A copy of the database as it is at one moment, while the collector goes on. */
export async function backupSqlite(path: string, file: string): Promise<void> {
  assertSqliteRuntime()
  if (!(await exists(path))) throw new KeepsealError('state.unreadable', path)
  await makePrivateFile(file, async (temporary) => {
    try {
      const source = new Sqlite(path, { readonly: true, fileMustExist: true })
      try {
        await source.backup(temporary)
      } finally {
        source.close()
      }
      check(temporary)
    } catch (cause) {
      throw translateSqliteError(cause)
    }
  })
}

/** Puts a backup in the place of a database that is not there. The caller holds the database alone. */
export async function restoreSqlite(path: string, file: string, now: number): Promise<RestorePoint> {
  assertSqliteRuntime()
  let point: RestorePoint | undefined
  for (const side of ['-wal', '-shm']) {
    if (await exists(path + side)) throw new KeepsealError('state.not-empty', path + side)
  }
  await makePrivateFile(path, async (temporary) => {
    try {
      copyOver(file, temporary)
      check(temporary)
      const db = openDatabase({ path: temporary })
      try {
        await migrate(db)
        point = await markRestored(db, now)
      } finally {
        await db.destroy()
      }
      toOneFile(temporary)
    } catch (cause) {
      throw translateSqliteError(cause)
    } finally {
      for (const side of ['-wal', '-shm']) rmSync(temporary + side, { force: true })
    }
  })
  if (point === undefined) throw new Error('no restore point was marked')
  return point
}

/** Whole, with all that refers to something else referring to something, and a database of this product. */
function check(path: string): void {
  const database = new Sqlite(path, { fileMustExist: true })
  try {
    database.pragma('journal_mode = DELETE')
    if (database.pragma('integrity_check', { simple: true }) !== 'ok') {
      throw new KeepsealError('state.unreadable', 'the backup is damaged')
    }
    if ((database.pragma('foreign_key_check') as unknown[]).length > 0) {
      throw new KeepsealError('state.unreadable', 'the backup is not consistent')
    }
    const tables = database.prepare("select name from sqlite_master where name = 'schema_migrations'").all()
    if (tables.length === 0) throw new KeepsealError('state.unreadable', 'it is no database of a collector')
  } finally {
    database.close()
  }
}

function toOneFile(path: string): void {
  const database = new Sqlite(path, { fileMustExist: true })
  database.pragma('journal_mode = DELETE')
  database.close()
}
