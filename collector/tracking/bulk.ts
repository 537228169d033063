import { KeepsealError } from '../../shared/errors.ts'
import type { Store } from '../store/index.ts'

/** What one request may touch: more is a selection that somebody should look at first. */
export const MAX_SELECTED = 5_000
const CHUNK = 50
const TOLD = 20

/** What was done, and what was not: nothing is left out, however it ended. */
export interface BulkReport {
  /** How many were selected; `sample` names the first of them. */
  readonly matched: number
  readonly sample: readonly string[]
  /** On a dry run: how many it would be done to. */
  readonly done: number
  /** Why it was not done to others, and to whom. */
  readonly skipped: readonly Skipped[]
  /** Not looked at, since something else failed: their state is what it was. */
  readonly left: number
  readonly stoppedBy: string | null
}

export interface Skipped {
  readonly reason: string
  readonly count: number
  readonly sample: readonly string[]
}

export interface BulkAct<T> {
  readonly selected: readonly T[]
  readonly nameOf: (item: T) => string
  /** Why it cannot be done to this one; throws nothing. Looked at on a dry run, and again in the transaction. */
  readonly against: (store: Store, item: T) => Promise<string | undefined>
  /** May refuse with a KeepsealError, before it has changed anything. */
  readonly act: (store: Store, item: T) => Promise<void>
  /** After it is stored. */
  readonly acted?: (item: T) => void
  /** `act` is a transaction by itself, and may refuse after it has begun to change things: one at a time. */
  readonly alone?: boolean
  /** Told of what was nobody's decision. */
  readonly failed?: (error: unknown) => void
}

/** Error: request.conflict when it is not the number that somebody has looked at; request.invalid when it is too many. */
export function assertExpected(matched: number, expected: number | undefined): void {
  if (matched > MAX_SELECTED) {
    throw new KeepsealError('request.invalid', `more than ${MAX_SELECTED} match`, { remedy: 'Narrow the selection.' })
  }
  if (expected !== undefined && matched !== expected) {
    throw new KeepsealError('request.conflict', `${matched} match, not ${expected}`, {
      remedy: 'Look at the selection again with a dry run, and say its number.',
    })
  }
}

/** Chunk by chunk, each wholly or not at all. A chunk that fails ends it, and the report says how far it came. */
export async function actOnAll<T>(store: Store, bulk: BulkAct<T>, isDryRun: boolean): Promise<BulkReport> {
  const { selected, nameOf, against, act, acted = () => undefined, alone = false, failed = () => undefined } = bulk
  const size = alone ? 1 : CHUNK
  const skipped = new Map<string, string[]>()
  let done = 0
  let stoppedBy: string | null = null
  let at = 0
  for (; at < selected.length && stoppedBy === null; at += size) {
    const chunk = selected.slice(at, at + size)
    const outcome = { done: [] as T[], skipped: [] as [string, string][] }
    const skip = (item: T, reason: string): unknown => outcome.skipped.push([reason, nameOf(item)])
    const each = async (transaction: Store): Promise<void> => {
      for (const item of chunk) {
        const reason = await against(transaction, item)
        if (reason !== undefined) skip(item, reason)
        else if (
          isDryRun ||
          (await isDone(
            () => act(transaction, item),
            (why) => skip(item, why),
          ))
        )
          outcome.done.push(item)
      }
    }
    try {
      await (isDryRun || alone ? each(store) : store.transaction(each))
    } catch (error) {
      failed(error)
      stoppedBy = error instanceof KeepsealError ? error.code : 'internal.failure'
      break
    }
    done += outcome.done.length
    for (const [reason, name] of outcome.skipped) skipped.set(reason, [...(skipped.get(reason) ?? []), name])
    if (!isDryRun) outcome.done.forEach(acted)
  }
  return {
    matched: selected.length,
    sample: selected.slice(0, TOLD).map(nameOf),
    done,
    skipped: [...skipped].map(([reason, names]) => ({ reason, count: names.length, sample: names.slice(0, TOLD) })),
    left: Math.max(0, selected.length - at),
    stoppedBy,
  }
}

async function isDone(act: () => Promise<void>, refused: (why: string) => unknown): Promise<boolean> {
  try {
    await act()
    return true
  } catch (error) {
    if (!(error instanceof KeepsealError) || !error.code.startsWith('request.')) throw error
    refused(error.message)
    return false
  }
}
