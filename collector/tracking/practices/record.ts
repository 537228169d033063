import { checkDetail, type RecordedEventKind } from '../../../shared/maturity/events/kinds.ts'
import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { RecordedEvent } from '../../model/recorded-event.ts'
import { makeId } from '../../store/ids.ts'
import type { Store } from '../../store/index.ts'

export interface NewEvent {
  readonly productId: string
  readonly kind: RecordedEventKind
  readonly detail: unknown
  readonly occurredAt: number
  readonly reference: string
  readonly corrects: string | null
}

/** Clocks of people and of the collector differ by this much, and no more. */
const AHEAD_MS = 300_000

/**
 * Records what a person says has happened. It can have happened long ago, and never later than now: when it was said is
 * kept beside it. Errors: request.invalid, request.not-found, request.conflict.
 */
export async function recordEvent(
  store: Store,
  event: NewEvent,
  by: { readonly id: string; readonly name: string },
  { now, random }: { readonly now: number; readonly random: RandomFunction },
): Promise<RecordedEvent> {
  const checked = checkDetail(event.kind, event.detail)
  if ('problems' in checked) throw new KeepsealError('request.invalid', `${event.kind}: ${checked.problems.join('; ')}`)
  if (event.occurredAt > now + AHEAD_MS) throw new KeepsealError('request.invalid', 'it has not happened yet')
  const recorded: RecordedEvent = {
    ...checked.fact,
    id: makeId('evt', now, random),
    productId: event.productId,
    occurredAt: event.occurredAt,
    recordedAt: now,
    recordedBy: by.id,
    recordedByName: by.name,
    reference: event.reference,
    corrects: event.corrects,
  }
  await store.transaction(async (transaction) => {
    if (event.corrects !== null) await mayCorrect(transaction, event.corrects, event.productId)
    await transaction.recordedEvents.add(recorded)
    const detail = { kind: event.kind, productId: event.productId, corrects: event.corrects }
    await transaction.auditLog.append({ at: now, actor: by.id, action: 'event.record', subject: recorded.id, detail })
  })
  return recorded
}

async function mayCorrect(store: Store, id: string, productId: string): Promise<void> {
  const corrected = await store.recordedEvents.byId(id)
  if (corrected === undefined) throw new KeepsealError('request.not-found', `event ${id}`)
  if (corrected.productId !== productId) throw new KeepsealError('request.invalid', `${id} is of another product`)
}
