import { equal, toHex } from '../../shared/bytes/bytes.ts'
import type { ContentRequest, SessionReceipt } from '../../shared/evidence/down.ts'
import {
  acknowledgeContents,
  NO_PROGRESS,
  type Acknowledged,
  type AcknowledgedList,
  type Progress,
} from '../state/progress.ts'

/** What one evidence of this run has told the collector, to be taken as known once it is receipted. */
export interface Told {
  readonly session: Uint8Array
  readonly sequence: number
  readonly postureDigest: Uint8Array
  readonly pcrDigest: Uint8Array | null
  readonly contents: readonly Uint8Array[]
  /** null: it says nothing new about the kernel's measurement list. */
  readonly list: AcknowledgedList | null
}

const isHeldBy = ({ session, sequence }: Told, receipts: readonly SessionReceipt[]): boolean =>
  receipts.some(
    (receipt) =>
      equal(receipt.session, session) && (sequence <= receipt.contiguousTo || receipt.extra.includes(sequence)),
  )

/** What the collector knows after a receipt, and what still waits for one. */
export function afterReceipt(
  known: Acknowledged,
  told: readonly Told[],
  receipts: readonly SessionReceipt[],
): { readonly acknowledged: Acknowledged; readonly waiting: readonly Told[] } {
  const held = told.filter((entry) => isHeldBy(entry, receipts))
  const newest = held.at(-1)
  if (newest === undefined) return { acknowledged: known, waiting: told }
  const contents = held.flatMap((entry) => [...entry.contents])
  return {
    acknowledged: {
      postureDigest: newest.postureDigest,
      pcrDigest: newest.pcrDigest,
      contents: acknowledgeContents(known.contents, contents),
      list: held.reduce((list, entry) => furthest(list, entry.list), known.list),
    },
    waiting: told.filter((entry) => !held.includes(entry)),
  }
}

/** Receipts for a backlog come after the one for the newest evidence, and tell of less. */
function furthest(known: AcknowledgedList | null, told: AcknowledgedList | null): AcknowledgedList | null {
  if (told === null || known === null || !equal(known.boot, told.boot)) return told ?? known
  return told.verified !== null && told.verified.entries < (known.verified?.entries ?? 0) ? known : told
}

/** What was told of the measurement list before the collector asked for it was no use: no receipt changes that. */
export function afterListRequest(told: readonly Told[], request: ContentRequest): readonly Told[] {
  return request.ima === null ? told : told.map((entry) => ({ ...entry, list: null }))
}

/** What the collector asks for it does not know, whatever was receipted before: after a restore, say. */
export function afterRequest(known: Acknowledged, request: ContentRequest): Acknowledged {
  const wanted = new Set(request.contents.map(toHex))
  return {
    postureDigest: request.posture ? null : known.postureDigest,
    pcrDigest: request.pcrs ? null : known.pcrDigest,
    contents: known.contents.filter((digest) => !wanted.has(toHex(digest))),
    list: listAfterRequest(known.list, request.ima),
  }
}

/** The collector holds less than was thought: the list is sent from its start again, and it skips what it holds. */
function listAfterRequest(known: AcknowledgedList | null, from: number | null): AcknowledgedList | null {
  return from === null || from >= (known?.verified?.entries ?? Number.POSITIVE_INFINITY) ? known : null
}

/**
 * What is left after a restore of the collector: nothing counts as known to it any more, and its receipts may count
 * from less. The newest one is still what the next session names: a collector that has lost it makes nothing of it.
 */
export function afterRestore(
  { lastReceipt, highestEpoch }: Progress,
  restorePoint: Uint8Array,
  isEpochOfAfter: boolean,
): Omit<Progress, 'starts'> {
  return {
    restorePoint,
    highestEpoch: isEpochOfAfter ? highestEpoch : null,
    lastReceipt: lastReceipt === null ? null : { number: 0, hash: lastReceipt.hash },
    acknowledged: NO_PROGRESS.acknowledged,
    result: null,
    // Those of the collector count by its clock, and withheld ones of before have expired by its epochs.
    answeredChallenge: 0,
  }
}
