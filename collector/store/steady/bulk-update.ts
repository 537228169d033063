import { CompiledQuery } from 'kysely'
import { isPostgres, type Executor } from '../database.ts'

type BulkValue = number | string | Uint8Array | null
type ColumnType = 'bigint' | 'text' | 'bytea'

/** One table of which many rows are updated at once. */
export interface BulkTable {
  readonly table: string
  /** How many of the columns, the first ones, are the key. */
  readonly keys: number
  readonly columns: readonly (readonly [name: string, type: ColumnType])[]
}

/** Bound of the parameters of one statement, well below what both databases take. */
const MAX_PARAMETERS = 8000

/**
 * `update … from (values …)`: one statement for many rows, because a statement a row costs more than the row. The names
 * of the columns of VALUES are the same in both databases.
 */
export const bulkUpdate = (db: Executor, target: BulkTable, rows: BulkRows): Promise<void> =>
  inParts(db, 'update', target, rows)

/** Deletes the rows of these keys: all columns of the target are the key. */
export const bulkDelete = (db: Executor, target: BulkTable, rows: BulkRows): Promise<void> =>
  inParts(db, 'delete', target, rows)

type BulkRows = readonly (readonly BulkValue[])[]
type Action = 'update' | 'delete'

async function inParts(db: Executor, action: Action, target: BulkTable, rows: BulkRows): Promise<void> {
  const most = Math.floor(MAX_PARAMETERS / target.columns.length)
  for (let from = 0; from < rows.length; from += most) {
    const part = rows.slice(from, from + most)
    await db.executeQuery(CompiledQuery.raw(statement(action, target, part.length, isPostgres(db)), part.flat()))
  }
}

const statements = new Map<string, string>()
const MAX_STATEMENTS = 512

function statement(action: Action, target: BulkTable, rows: number, postgres: boolean): string {
  const name = `${action} ${target.table} ${target.columns.length} ${rows} ${postgres}`
  const held = statements.get(name)
  if (held !== undefined) return held
  if (statements.size >= MAX_STATEMENTS) statements.clear()
  const made = build(action, target, rows, postgres)
  statements.set(name, made)
  return made
}

function build(action: Action, { table, keys, columns }: BulkTable, rows: number, postgres: boolean): string {
  let parameter = 0
  // SQLite has no such types, and keeps each value as what it is given as.
  const one = (type: ColumnType): string => (postgres ? `$${(parameter += 1)}::${type}` : '?')
  const values = Array.from({ length: rows }, () => `(${columns.map(([, type]) => one(type)).join(', ')})`)
  if (action === 'delete') {
    const names = columns.map(([column]) => column).join(', ')
    return `delete from ${table} where (${names}) in (values ${values.join(', ')})`
  }
  const equations = columns.map(([column], index) => [column, `given.column${index + 1}`] as const)
  const set = equations.slice(keys).map(([column, value]) => `${column} = ${value}`)
  const where = equations.slice(0, keys).map(([column, value]) => `${table}.${column} = ${value}`)
  return `update ${table} set ${set.join(', ')} from (values ${values.join(', ')}) as given where ${where.join(' and ')}`
}
