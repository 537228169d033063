import { sha256 } from '../../shared/crypto/node.ts'
import { hmac } from '../../shared/crypto/node.ts'
import type { MacKey } from '../../shared/cose/mac0.ts'
import { createReceipt, createRequest, type ContentRequest, type RefusedEvidence } from '../../shared/evidence/down.ts'
import { downTopic } from '../../shared/evidence/topics.ts'
import type { Device } from '../model/device.ts'
import type { Session } from '../model/evidence.ts'
import type { Store } from '../store/index.ts'
import type { IssuedReceipt } from '../store/receipts.ts'
import type { CollectorKeys } from '../trust/keys.ts'

export interface DownPublication {
  readonly topic: string
  readonly bytes: Uint8Array
}

/** What one batch owes a device. */
export interface Owed {
  readonly device: Device
  readonly sessions: Map<string, OwedSession>
  readonly refused: RefusedEvidence[]
  request: ContentRequest | null
  urgent: boolean
}

export interface OwedSession {
  /** As it is after the last message of the batch. */
  readonly session: Session
  /** Numbers that were decided in this batch, again or for the first time. */
  readonly decided: Set<number>
}

/** Of one receipt; what a batch decided is always among them, as it holds fewer messages. */
const MAX_EXTRA = 512

export const macKeyOf = (
  keys: Pick<CollectorKeys, 'receiptKeyOf'>,
  device: Pick<Device, 'ueid' | 'deviceKeyThumbprint'>,
): MacKey => ({
  keyId: device.deviceKeyThumbprint,
  secret: keys.receiptKeyOf(device.ueid, device.deviceKeyThumbprint),
  hmac,
})

/**
 * Writes down the receipt that a device is owed, within the transaction that decided what it says, so that it can be
 * named later even if the answer is lost. Undefined where nothing is new and the last one is recent.
 */
export async function receiptFor(
  store: Store,
  keys: CollectorKeys,
  owed: Owed,
  now: number,
  minIntervalMs: number,
): Promise<DownPublication | undefined> {
  const { device } = owed
  const state = await store.devices.stateOf(device.id)
  const last = await store.receipts.latest(device.id)
  const known = { lastIssuedAt: last?.issuedAt ?? null, lastNumber: state.lastReceiptNumber }
  const made = makeReceipt(keys, owed, known, now, minIntervalMs)
  if (made === undefined) return undefined
  await store.receipts.insert([made.receipt])
  await store.devices.saveState(device.id, { ...state, lastReceiptNumber: made.receipt.number })
  return made.publication
}

/** What a device was sent before. */
export interface KnownReceipts {
  /** ms since 1970; null before the first. */
  readonly lastIssuedAt: number | null
  readonly lastNumber: number
}

/** The next receipt, to be stored and sent. Undefined where nothing is new and the last one is recent. */
export function makeReceipt(
  keys: CollectorKeys,
  owed: Owed,
  { lastIssuedAt, lastNumber }: KnownReceipts,
  now: number,
  minIntervalMs: number,
): { readonly receipt: IssuedReceipt; readonly publication: DownPublication } | undefined {
  const { device } = owed
  const recent = lastIssuedAt !== null && now - lastIssuedAt < minIntervalMs && now >= lastIssuedAt
  const isEmpty = owed.sessions.size === 0 && owed.refused.length === 0
  if (isEmpty || (recent && !owed.urgent && owed.refused.length === 0)) return undefined
  const number = lastNumber + 1
  const budget = Math.max(1, Math.floor(MAX_EXTRA / Math.max(1, owed.sessions.size)))
  const sessions = [...owed.sessions.values()].map(({ session: { session, contiguousTo, extra }, decided }) => ({
    session,
    contiguousTo,
    extra: extraNumbers(contiguousTo, extra, decided, budget),
  }))
  const bytes = createReceipt(device.ueid, { number, sessions, refused: owed.refused }, macKeyOf(keys, device))
  return {
    receipt: { deviceId: device.id, number, hash: sha256(bytes), issuedAt: now },
    publication: { topic: downTopic(device.ueid), bytes },
  }
}

/**
 * Numbers beyond the contiguous part that a receipt names: those just decided, and the highest ones as far as there is
 * room. A gap that an agent's full outbox has left is never closed, so the lowest ones would fill every receipt for ever.
 */
function extraNumbers(
  contiguousTo: number,
  extra: Session['extra'],
  decided: ReadonlySet<number>,
  budget: number,
): number[] {
  const numbers = new Set([...decided].filter((number) => number > contiguousTo))
  for (const [first, last] of extra.toReversed()) {
    for (let number = last; number >= first && numbers.size < budget; number--) numbers.add(number)
  }
  return [...numbers].sort((a, b) => a - b)
}

export function requestFor(keys: CollectorKeys, { device, request }: Owed): DownPublication | undefined {
  if (request === null) return undefined
  return { topic: downTopic(device.ueid), bytes: createRequest(device.ueid, request, macKeyOf(keys, device)) }
}
