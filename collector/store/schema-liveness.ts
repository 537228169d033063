import type { Generated } from 'kysely'
import type { Verdict } from '../model/device.ts'
import type { TransitionAxis } from '../model/transition.ts'

/** Tables of what became of devices, and of when there was anybody to see it: part of ./schema.ts. */

export interface DeviceTransitionsTable {
  id: Generated<number>
  device_id: number
  at: number
  axis: TransitionAxis
  from_value: string | null
  to_value: string
  /** A code, or who decided. */
  cause: string | null
}

/** Results that were signed because a device changed. */
export interface SignedResultsTable {
  device_id: number
  /** The newest one that the result is about. */
  transition_id: number
  issued_at: number
  cwt: Uint8Array
  key_id: Uint8Array
}

/** The newest result of each device, whether it was signed for a change or because the one before had become old. */
export interface NewestResultsTable {
  device_id: number
  /** 0 for a device that is due for its first one. */
  issued_at: number
  cwt: Uint8Array | null
  key_id: Uint8Array | null
}

/** Results that devices are to be told of and have not confirmed. */
export interface ResultDeliveriesTable {
  device_id: number
  transition_id: number
  /** How often it was sent in answer to evidence. */
  tries: number
}

/** What a person has asked a device for at once, and its answer. */
export interface AttestationChallengesTable {
  id: string
  device_id: number
  number: number
  nonce: Uint8Array
  asked_by: string
  asked_at: number
  expires_at: number
  /** When another one took its place. */
  superseded_at: number | null
  tries: number
  sent_at: number | null
  /** All of these are null, or none but `code`. */
  answered_at: number | null
  evidence_hash: Uint8Array | null
  fresh: 0 | 1 | null
  verdict: Verdict | null
  code: string | null
}

/** One row: no transition up to this one is left to be signed about. */
export interface ResultSigningTable {
  id: 1
  settled: number
}

/** When a collector took evidence (`up`), and when it had to hold devices back (`backlog`). */
export interface CollectorIntervalsTable {
  id: Generated<number>
  /** Names the process, so that each prolongs its own rows alone. */
  replica: string
  kind: 'up' | 'backlog'
  from_at: number
  to_at: number
  /** Why there was a gap before. */
  cause: string
}

export interface EpochsTable {
  number: number
  nonce: Uint8Array
  issued_at: number
}

/** When the database was put back from a backup: what was decided after the backup is lost, and devices ask why. */
export interface RestorePointsTable {
  id: Generated<number>
  restored_at: number
  /** When the newest receipt that the backup knows was issued: later ones are of decisions that are lost. */
  newest_receipt_at: number | null
  /** When a signed message that tells devices was handed to the broker. */
  published_at: number | null
  /** Greater than that of every restore point before, also of those that a later restore has undone. */
  number: number
  /** The number from which epochs go on. */
  first_epoch: number
}
