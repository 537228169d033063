import { KeepsealError } from '../../shared/errors.ts'

/** Which part of a list is wanted. `cursor` is the `nextCursor` of the page before; callers do not look into it. */
export interface PageRequest {
  /** 1..500. */
  readonly limit: number
  readonly cursor?: string | null | undefined
}

export interface Page<T> {
  readonly items: readonly T[]
  /** null on the last page. */
  readonly nextCursor: string | null
}

const MAX_LIMIT = 500

/** How many rows to read: one more than wanted tells whether there is a next page. */
export function rowsToRead(page: PageRequest): number {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > MAX_LIMIT) {
    throw new KeepsealError('request.invalid', `limit must be 1 to ${MAX_LIMIT}`)
  }
  return page.limit + 1
}

/** `rows` as read with `rowsToRead`; `key` is what the list is ordered by. */
export function toPage<Row, T>(
  rows: readonly Row[],
  page: PageRequest,
  key: (row: Row) => string | number,
  item: (row: Row) => T,
): Page<T> {
  const kept = rows.slice(0, page.limit)
  const last = kept.at(-1)
  const more = rows.length > page.limit && last !== undefined
  return { items: kept.map(item), nextCursor: more ? String(key(last)) : null }
}

/** The cursor of a list that is ordered by an integer key. Error: request.invalid. */
export function integerCursor(page: PageRequest): number | undefined {
  if (page.cursor === undefined || page.cursor === null) return undefined
  if (!/^[0-9]{1,15}$/.test(page.cursor))
    throw new KeepsealError('request.invalid', 'the cursor is not one of this list')
  return Number(page.cursor)
}

/** The cursor of a list that is ordered by an `{prefix}_` + UUIDv7 id. Error: request.invalid. */
export function idCursor(page: PageRequest): string | undefined {
  if (page.cursor === undefined || page.cursor === null) return undefined
  if (!/^[a-z]{3}_[0-9a-f-]{36}$/.test(page.cursor)) {
    throw new KeepsealError('request.invalid', 'the cursor is not one of this list')
  }
  return page.cursor
}
