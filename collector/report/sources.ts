import { hash } from '../../shared/crypto/node.ts'
import type { Register } from '../../shared/decisions/register.ts'
import type { Catalogue } from '../../shared/maturity/catalogue/schema.ts'
import type { Decisions } from '../decisions/decision-book.ts'
import type { Store } from '../store/index.ts'
import type { Ledger } from './ledger.ts'

/** Where a report comes from. Both may be those of somebody who is bound to a vendor. */
export interface ReportSources {
  readonly store: Store
  readonly decisions: Pick<Decisions, 'register' | 'certificatesCovering' | 'excerpt' | 'next' | 'entriesOf'>
  readonly catalogue: Catalogue
  readonly collectorId: Uint8Array
  /** ms since 1970. */
  readonly now: number
}

/** ms since 1970, both inclusive. */
export interface Period {
  readonly from: number
  readonly to: number
}

/** What the parts of a report are made from, and where they say what they rest on. */
export interface Making extends ReportSources {
  readonly register: Register
  readonly period: Period
  readonly ledger: Ledger
  /** Gathers what is left out. */
  readonly limits: Set<string>
}

export const time = (ms: number): string => new Date(ms).toISOString()
export const ofSeconds = (seconds: number): string => time(seconds * 1000)
export const ofSecondsOrNull = (seconds: number | null): string | null => (seconds === null ? null : ofSeconds(seconds))
export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(hash('sha256', bytes))

/** Everything on the pages of a list, at most `limit`, and whether there is more. */
export async function allPages<T>(
  read: (cursor: string | null) => Promise<{ readonly items: readonly T[]; readonly nextCursor: string | null }>,
  limit: number,
): Promise<{ readonly items: readonly T[]; readonly more: boolean }> {
  const items: T[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof read>> = await read(cursor)
    items.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== null && items.length < limit)
  return { items, more: cursor !== null }
}
