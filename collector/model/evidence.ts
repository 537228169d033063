import type { Ueid } from '../../shared/evidence/identifiers.ts'

/** An epoch that this collector has issued: the nonce of every evidence made while it is the newest. */
export interface Epoch {
  readonly number: number
  /** 32 random bytes. */
  readonly nonce: Uint8Array
  readonly issuedAt: number
}

/** First and last of consecutive sequence numbers. */
export type SequenceRange = readonly [first: number, last: number]

/** One agent run as the collector knows it: which sequence numbers it holds. */
export interface Session {
  readonly deviceId: number
  /** 16 random bytes, chosen at agent start. */
  readonly session: Uint8Array
  /** All of 0..contiguousTo are held; -1 when 0 is missing. */
  readonly contiguousTo: number
  /** Held beyond the contiguous part: first and last number of each run, ascending, with gaps between them. */
  readonly extra: readonly SequenceRange[]
  readonly firstSeenAt: number
  /** Epochs of its first and last fresh evidence; null before any was fresh. */
  readonly firstEpoch: number | null
  readonly lastEpoch: number | null
}

/** Accepted evidence: authentic, counted once. */
export interface EvidenceRecord {
  readonly deviceId: number
  readonly session: Uint8Array
  readonly seq: number
  /** SHA-256 over the received bytes; `previous` is what it claims to follow. */
  readonly hash: Uint8Array
  readonly previous: Uint8Array | null
  readonly epoch: number | null
  readonly receivedAt: number
  readonly fresh: boolean
  /** Outcome code of the appraisal's first failure, or null. */
  readonly outcome: string | null
  readonly verdict: string
  readonly postureDigest: Uint8Array
  readonly pcrDigest: Uint8Array | null
  readonly bytes: Uint8Array
}

/** Messages of a session that follow each other without a gap and tell the same: counted, linked, and not all kept. */
export interface EvidenceRun extends Pick<
  EvidenceRecord,
  'deviceId' | 'session' | 'fresh' | 'outcome' | 'verdict' | 'postureDigest' | 'pcrDigest'
> {
  readonly id: number
  readonly firstSeq: number
  readonly lastSeq: number
  /** What the first one says to follow. */
  readonly firstPrevious: Uint8Array | null
  /** Hash of the last one. */
  readonly headHash: Uint8Array
  /** The newest epoch among them. */
  readonly newestEpoch: number | null
  readonly firstReceivedAt: number
  readonly lastReceivedAt: number
}

/** A message that was refused: what it was, why, and for whom, kept within a bound per device. */
export interface Refusal {
  readonly ueid: Ueid | null
  readonly topic: string
  readonly code: string
  readonly hash: Uint8Array
  readonly receivedAt: number
  readonly bytes: Uint8Array
}

/** Approved values: what a device, or each device of a product, is supposed to report. */
export interface ReferenceValues {
  /** `ref_` + UUIDv7. */
  readonly id: string
  readonly productId: string
  /** null: for the whole product. A device's own values come first. */
  readonly deviceId: number | null
  /** `unreviewed`: taken from what one device reported; supports no certificate by itself. */
  readonly review: 'unreviewed'
  readonly postureDigest: Uint8Array
  readonly pcrDigest: Uint8Array | null
  /** Names the reference events of the boot; null where no log proved the quoted values. */
  readonly bootReferenceDigest: Uint8Array | null
  /** As the quote told it; null without a quote. */
  readonly tpmFirmwareVersion: bigint | null
  readonly createdAt: number
  readonly createdBy: string
}
