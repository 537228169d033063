import type { Generated } from 'kysely'

/** Tables of accepted evidence: part of ./schema.ts, where the conventions stand. */

interface EvidenceColumns {
  session: Uint8Array
  seq: number
  hash: Uint8Array
  previous: Uint8Array | null
  epoch: number | null
  received_at: number
  fresh: 0 | 1
  outcome: string | null
  verdict: string
  posture_digest: Uint8Array
  pcr_digest: Uint8Array | null
}

/** What is known of the messages that are kept. */
export interface EvidenceTable extends EvidenceColumns {
  id: Generated<number>
  device_id: number
}

/** Those messages as they came; partitioned by time on PostgreSQL: ./evidence-partitions.ts. */
export interface EvidenceMessagesTable {
  evidence_id: number
  /** The same as in the row of the evidence: it says which partition to look in. */
  received_at: number
  bytes: Uint8Array
}

/** Messages that could not be decided, by a fault of this software. */
export interface QuarantineTable {
  id: Generated<number>
  /** Of the topic, not of any device that was found. */
  ueid: string | null
  topic: string
  hash: Uint8Array
  bytes: Uint8Array
  reason: string
  detail: string
  tries: number
  received_at: number
  last_failed_at: number
}

/** One row a device, updated by each report: the newest fresh message, kept or not. */
export interface NewestEvidenceTable extends EvidenceColumns {
  device_id: number
  bytes: Uint8Array
  /** The first eight bytes of the hashes of the newest messages of its run, up to and with this one. */
  recent_hashes: Uint8Array
}

/** Everything that was counted: messages that follow each other without a gap, and of which the first tells all. */
export interface EvidenceRunsTable {
  id: Generated<number>
  device_id: number
  session: Uint8Array
  first_seq: number
  last_seq: number
  /** What the first one says to follow. */
  first_previous: Uint8Array | null
  /** Hash of the last one. */
  head_hash: Uint8Array
  /** The newest epoch among them. */
  newest_epoch: number | null
  first_received_at: number
  last_received_at: number
  fresh: 0 | 1
  outcome: string | null
  verdict: string
  posture_digest: Uint8Array
  pcr_digest: Uint8Array | null
}
