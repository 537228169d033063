import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import { causeOf } from '../../../shared/maturity/causes.ts'
import type { CaseKey } from '../../model/case.ts'
import type { Store } from '../../store/index.ts'
import type { Call } from '../triggers/rule.ts'
import { openCase } from './open.ts'

export interface Looked {
  readonly productId: string
  readonly certificateId: string
  /** What calls for a case now. */
  readonly calls: readonly Call[]
  /** Whether it cannot be said now that something that stood has gone. */
  readonly isUnknown: (key: CaseKey) => boolean
}

/**
 * Opens a case of what has come since the last look. What stood then has had its case, and gets no second one when that
 * is closed; what has gone may call again. Each in a transaction of its own: case, message and memory, or nothing.
 */
export async function openCalled(
  store: Store,
  { productId, certificateId, calls, isUnknown }: Looked,
  now: number,
  random: RandomFunction,
): Promise<void> {
  const standing = await store.standingCauses.of(productId, certificateId)
  for (const { severity, ...call } of calls) {
    if (standing.some((each) => isSame(each, call))) continue
    const opening = {
      ...call,
      productId,
      certificateId,
      severity: severity ?? causeOf(call.cause).severity,
      detectedAt: now,
      origin: 'software',
    } as const
    await store.transaction(async (transaction) => {
      if (await transaction.standingCauses.begin(opening, now)) await openCase(transaction, opening, now, random)
    })
  }
  for (const key of standing) {
    const stands = calls.some((call) => isSame(key, call)) || isUnknown(key)
    if (!stands) await store.standingCauses.end(key)
  }
}

type Identity = Pick<CaseKey, 'cause' | 'subject' | 'releaseId'>
const isSame = (a: Identity, b: Identity): boolean =>
  a.cause === b.cause && a.subject === b.subject && a.releaseId === b.releaseId
