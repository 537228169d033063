import type BetterSqlite3 from 'better-sqlite3'
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type SqliteDatabase,
  type SqliteStatement,
} from 'kysely'
import { KeepsealError } from '../../shared/errors.ts'

/** All that differs between the databases this store can live in. Repositories and migrations use nothing else. */
export interface ColumnTypes {
  /** A generated integer primary key, growing. */
  readonly generatedId: string
  readonly integer: string
  readonly text: string
  readonly bytes: string
  /** What follows the closing bracket of CREATE TABLE. */
  readonly tableOptions: string
  /** Statements that leave room beside each row of a table whose rows are updated all the time, where that helps. */
  readonly roomForUpdates: (table: string) => readonly string[]
}

/** STRICT tables: SQLite would otherwise store a text in an integer column without a word. */
export const sqliteColumnTypes: ColumnTypes = {
  generatedId: 'integer primary key autoincrement',
  integer: 'integer',
  text: 'text',
  bytes: 'blob',
  tableOptions: 'strict',
  roomForUpdates: () => [],
}

const MAX_CACHED_STATEMENTS = 256

/**
 * Kysely's SQLite dialect with what a server needs of it: write transactions that take the lock when they begin
 * (two that read first and write later would end in SQLITE_BUSY), compiled statements that are kept, and errors of
 * this product's own codes.
 */
export function sqliteDialect(database: BetterSqlite3.Database): Dialect {
  return {
    createDriver: () => new ImmediateDriver(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}

class ImmediateDriver extends SqliteDriver {
  readonly #database: BetterSqlite3.Database

  constructor(database: BetterSqlite3.Database) {
    super({ database: new CachingDatabase(database) })
    this.#database = database
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // A full disk makes SQLite roll back by itself; rolling back again would hide the error that caused it.
    if (this.#database.inTransaction) await super.rollbackTransaction(connection)
  }
}

class CachingDatabase implements SqliteDatabase {
  readonly #database: BetterSqlite3.Database
  readonly #statements = new Map<string, SqliteStatement>()

  constructor(database: BetterSqlite3.Database) {
    this.#database = database
  }

  prepare(sql: string): SqliteStatement {
    const known = this.#statements.get(sql)
    if (known !== undefined) {
      this.#statements.delete(sql)
      this.#statements.set(sql, known)
      return known
    }
    const statement = translating(this.#database.prepare<unknown[], unknown>(sql))
    this.#statements.set(sql, statement)
    for (const oldest of this.#statements.keys()) {
      if (this.#statements.size <= MAX_CACHED_STATEMENTS) break
      this.#statements.delete(oldest)
    }
    return statement
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }
}

function translating(statement: BetterSqlite3.Statement<unknown[], unknown>): SqliteStatement {
  return {
    reader: statement.reader,
    all: (parameters) => translated(() => statement.all(...parameters).map(plainBytes)),
    run: (parameters) => translated(() => statement.run(...parameters)),
    iterate: (parameters) => statement.iterate(...parameters),
  }
}

/** Rows come with Buffers; the models speak of Uint8Array, whose `slice` copies and whose `toString` is another. */
function plainBytes(row: unknown): unknown {
  if (typeof row !== 'object' || row === null) return row
  const record = row as Record<string, unknown>
  for (const key in record) {
    const value = record[key]
    if (value instanceof Uint8Array) record[key] = new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  }
  return record
}

function translated<T>(action: () => T): T {
  try {
    return action()
  } catch (cause) {
    throw translateSqliteError(cause)
  }
}

/** SQLite's extended result codes (sqlite.org/rescode.html) that mean something to an operator or to a caller. */
export function translateSqliteError(cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'SQLITE_FULL') return new KeepsealError('state.disk-full', undefined, { cause })
  if (isOfKind(code, 'SQLITE_BUSY')) return new KeepsealError('state.busy', undefined, { cause })
  if (isOfKind(code, 'SQLITE_IOERR')) return new KeepsealError('state.unwritable', undefined, { cause })
  if (
    code === 'SQLITE_NOTADB' ||
    code === 'SQLITE_CANTOPEN' ||
    code === 'SQLITE_READONLY' ||
    isOfKind(code, 'SQLITE_CORRUPT')
  ) {
    return new KeepsealError('state.unreadable', undefined, { cause })
  }
  if (code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY') {
    return new KeepsealError('request.conflict', 'it exists already', { cause })
  }
  return cause
}

/** Extended codes begin with the primary one. */
const isOfKind = (code: unknown, kind: string): boolean => typeof code === 'string' && code.startsWith(kind)
