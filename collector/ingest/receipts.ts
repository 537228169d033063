import { sha256 } from '../../shared/crypto/node.ts'
import { hmac } from '../../shared/crypto/node.ts'
import type { MacKey } from '../../shared/cose/mac0.ts'
import { createReceipt, createRequest, type ContentRequest, type RefusedEvidence } from '../../shared/evidence/down.ts'
import { downTopic } from '../../shared/evidence/topics.ts'
import type { Device } from '../model/device.ts'
import type { Session } from '../model/evidence.ts'
import type { Store } from '../store/index.ts'
import type { CollectorKeys } from '../trust/keys.ts'

export interface DownPublication {
  readonly topic: string
  readonly bytes: Uint8Array
}

/** What one batch owes a device. */
export interface Owed {
  readonly device: Device
  readonly sessions: Map<string, Session>
  readonly refused: RefusedEvidence[]
  request: ContentRequest | null
  urgent: boolean
}

/** Extra numbers beyond this travel with the next receipt. */
const MAX_EXTRA = 512

const macKeyOf = (keys: CollectorKeys, device: Device): MacKey => ({
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
  const recent = last !== undefined && now - last.issuedAt < minIntervalMs && now >= last.issuedAt
  if (recent && !owed.urgent && owed.refused.length === 0) return undefined
  const number = state.lastReceiptNumber + 1
  const sessions = [...owed.sessions.values()].map(({ session, contiguousTo, extra }) => ({
    session,
    contiguousTo,
    extra: extra.slice(0, MAX_EXTRA),
  }))
  const bytes = createReceipt(device.ueid, { number, sessions, refused: owed.refused }, macKeyOf(keys, device))
  await store.receipts.insert({ deviceId: device.id, number, hash: sha256(bytes), issuedAt: now })
  await store.devices.saveState(device.id, { ...state, lastReceiptNumber: number })
  return { topic: downTopic(device.ueid), bytes }
}

export function requestFor(keys: CollectorKeys, { device, request }: Owed): DownPublication | undefined {
  if (request === null) return undefined
  return { topic: downTopic(device.ueid), bytes: createRequest(device.ueid, request, macKeyOf(keys, device)) }
}
