import { concat, equal } from '../../shared/bytes/bytes.ts'
import type { KnownLinks } from '../appraisal/context.ts'
import type { EvidenceRecord, EvidenceRun, Session } from '../model/evidence.ts'
import type { Store } from '../store/index.ts'

/** Bytes of each hash, and how many, that are remembered of the newest run: only the holder of the key could forge one. */
const PREFIX = 8
const REMEMBERED = 64

/** A session's runs beside the place of a message. */
export interface Neighbours {
  /** Holds the place. */
  readonly at: EvidenceRun | undefined
  /** Ends just before it. */
  readonly before: EvidenceRun | undefined
  /** Begins just after it. */
  readonly after: EvidenceRun | undefined
}

export async function neighboursOf(
  store: Store,
  deviceId: number,
  session: Uint8Array,
  seq: number,
): Promise<Neighbours> {
  const runs = await store.evidenceRuns.around(deviceId, session, seq)
  return {
    at: runs.find(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq),
    before: runs.find(({ lastSeq }) => lastSeq === seq - 1),
    after: runs.find(({ firstSeq }) => firstSeq === seq + 1),
  }
}

/** What holds a place: as much of its hash as is known. */
export async function heldAt(
  store: Store,
  seq: number,
  { at }: Neighbours,
  session: Session | undefined,
): Promise<KnownLinks['samePlace']> {
  if (at === undefined) {
    // Counted, and so long ago that not even its run is kept.
    return session !== undefined && isHeld(session, seq) ? { newestEpoch: session.lastEpoch } : undefined
  }
  if (seq === at.lastSeq) return at.headHash
  const kept = await store.evidence.find(at.deviceId, at.session, seq)
  return kept?.hash ?? (await remembered(store, at, seq)) ?? { newestEpoch: at.newestEpoch }
}

export const isHeld = ({ contiguousTo, extra }: Session, seq: number): boolean =>
  seq <= contiguousTo || extra.some(([first, last]) => first <= seq && seq <= last)

async function remembered(
  store: Store,
  { deviceId, session }: EvidenceRun,
  seq: number,
): Promise<Uint8Array | undefined> {
  const newest = await store.evidence.recentHashes(deviceId)
  if (newest === undefined || !equal(newest.session, session)) return undefined
  const start = newest.hashes.length - (newest.seq - seq + 1) * PREFIX
  return start < 0 || seq > newest.seq ? undefined : newest.hashes.subarray(start, start + PREFIX)
}

/** How thin history is. */
export interface HistoryPolicy {
  /** Of messages that tell nothing new, one in so many is kept. */
  readonly keepOneIn: number
}

/**
 * Counts and links an accepted message. One that tells the same as those before it makes their run longer; it is kept
 * itself if it is one in so many, or `isTelling`: something came of it.
 */
export async function remember(
  store: Store,
  record: EvidenceRecord,
  before: EvidenceRun | undefined,
  { isNewest, isTelling }: { readonly isNewest: boolean; readonly isTelling: boolean },
  { keepOneIn }: HistoryPolicy,
): Promise<void> {
  const run = before !== undefined && tellsTheSame(before, record) ? before : undefined
  if (run === undefined) await store.evidenceRuns.begin(record)
  else await store.evidenceRuns.extend(run, record)
  const isSample = run === undefined || (record.seq - run.firstSeq) % keepOneIn === 0
  if (isSample || isTelling) await store.evidence.insert(record)
  if (isNewest) await store.evidence.saveNewest(record, await recentHashes(store, record, run))
}

export function tellsTheSame(run: EvidenceRun, record: EvidenceRecord): boolean {
  const { fresh, outcome, verdict, postureDigest, pcrDigest } = record
  return (
    run.fresh === fresh &&
    run.outcome === outcome &&
    run.verdict === verdict &&
    equal(run.postureDigest, postureDigest) &&
    (run.pcrDigest === null || pcrDigest === null ? run.pcrDigest === pcrDigest : equal(run.pcrDigest, pcrDigest))
  )
}

async function recentHashes(store: Store, record: EvidenceRecord, run: EvidenceRun | undefined): Promise<Uint8Array> {
  const newest = run === undefined ? undefined : await store.evidence.recentHashes(record.deviceId)
  const isNext = newest?.seq === record.seq - 1 && equal(newest.session, record.session)
  return hashesWith(isNext ? newest.hashes : undefined, record)
}

/** `before`: of the newest messages of the same run, where the message follows them. */
export function hashesWith(before: Uint8Array | undefined, { hash }: EvidenceRecord): Uint8Array {
  const own = hash.subarray(0, PREFIX)
  return before === undefined ? own : concat(before, own).subarray(-REMEMBERED * PREFIX)
}
