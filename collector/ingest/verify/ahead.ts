import { parseUpstreamTopic } from '../../../shared/evidence/topics.ts'
import type { Store } from '../../store/index.ts'
import type { ReceivedMessage } from '../evidence-handler.ts'
import type { KeyedMessage } from './batch.ts'
import type { VerificationPool } from './pool.ts'

/** The same messages in the same order, each with what was found out about its signatures. Never rejects. */
export type VerifyAhead = (messages: readonly ReceivedMessage[]) => Promise<readonly ReceivedMessage[]>

/**
 * Has the signatures of evidence checked by threads, while the batch before is decided. The keys are those that its
 * topic's device has now; where it has others once it is decided, nothing is proven and all is checked again.
 */
export function verifyAhead(store: Store, pool: VerificationPool, messageBytes: number): VerifyAhead {
  return async (messages) => {
    const ueids = messages.map(({ topic, bytes }) => {
      const parsed = parseUpstreamTopic(topic)
      return parsed?.kind === 'evidence' && bytes.length <= messageBytes ? parsed.ueid : undefined
    })
    const wanted = [...new Set(ueids.filter((ueid) => ueid !== undefined))]
    // Without the database there is nothing to check with, and the decision will say so.
    const keys = wanted.length === 0 ? new Map() : await store.devices.publicKeysOf(wanted).catch(() => new Map())
    const keyed: { readonly place: number; readonly message: KeyedMessage }[] = []
    for (const [place, ueid] of ueids.entries()) {
      const held = ueid === undefined ? undefined : keys.get(ueid)
      const bytes = messages[place]?.bytes
      if (held !== undefined && bytes !== undefined) keyed.push({ place, message: { bytes, ...held } })
    }
    const found = await pool.verify(keyed.map(({ message }) => message))
    const proofs = new Map(keyed.map(({ place }, index) => [place, found[index]]))
    return messages.map((message, place) => {
      const proven = proofs.get(place)
      return proven === undefined ? message : { ...message, proofs: proven }
    })
  }
}
