import { toHex } from '../../shared/bytes/bytes.ts'
import type { Executor } from './database.ts'

/** Numbers of a session that are not held, between some that are. */
export interface SessionGap {
  readonly deviceId: number
  readonly session: Uint8Array
  readonly first: number
  readonly last: number
  /** When the reports on both sides arrived, ms since 1970. null where nothing is held before the gap. */
  readonly before: number | null
  readonly after: number | null
  /** Whether it is known when they arrived. */
  readonly isKnown: boolean
}

export interface GappedSession {
  readonly device_id: number
  readonly session: Uint8Array
  readonly contiguous_to: number
  /** As it is stored. */
  readonly extra: string
}

export interface GapEdge {
  readonly device_id: number
  readonly session: Uint8Array
  readonly first_seq: number
  readonly last_seq: number
  readonly first_received_at: number
  readonly last_received_at: number
}

export const gapEdgeColumns = [
  'evidence_runs.device_id',
  'evidence_runs.session',
  'evidence_runs.first_seq',
  'evidence_runs.last_seq',
  'evidence_runs.first_received_at',
  'evidence_runs.last_received_at',
] as const

const place = (device: number, session: Uint8Array, seq: number): string => `${device} ${toHex(session)} ${seq}`

export function* gapsOf(sessions: readonly GappedSession[], runs: readonly GapEdge[]): Generator<SessionGap> {
  const beginnings = new Map(runs.map((run) => [place(run.device_id, run.session, run.first_seq), run]))
  const ends = new Map(runs.map((run) => [place(run.device_id, run.session, run.last_seq), run]))
  for (const { device_id: deviceId, session, contiguous_to: contiguousTo, extra } of sessions) {
    let next = contiguousTo + 1
    for (const [first, last] of JSON.parse(extra) as [number, number][]) {
      const after = beginnings.get(place(deviceId, session, first))?.first_received_at
      const before = next === 0 ? null : ends.get(place(deviceId, session, next - 1))?.last_received_at
      const isKnown = after !== undefined && before !== undefined
      yield { deviceId, session, first: next, last: first - 1, before: before ?? null, after: after ?? null, isKnown }
      next = last + 1
    }
  }
}

/**
 * What is on one side arrived before the database was put back, and what is on the other after that. A session of which
 * nothing from before is known may have begun between the backup and the restore, and then its beginning is lost.
 */
export const isExplained = ({ before, after, isKnown }: SessionGap, restoredAt: number): boolean =>
  isKnown && (before === null || before < restoredAt) && after !== null && restoredAt <= after

/** The gaps of these devices' sessions. */
export async function gapsOfDevices(db: Executor, devices: readonly number[]): Promise<readonly SessionGap[]> {
  if (devices.length === 0) return []
  const gapped = db
    .selectFrom('sessions')
    .where('sessions.extra', '<>', '[]')
    .where('sessions.device_id', 'in', devices)
  const sessions = await gapped
    .select(['sessions.device_id', 'sessions.session', 'sessions.contiguous_to', 'sessions.extra'])
    .orderBy('sessions.device_id')
    .orderBy('sessions.first_seen_at')
    .execute()
  const runs = await gapped
    .innerJoin('evidence_runs', (join) =>
      join
        .onRef('evidence_runs.device_id', '=', 'sessions.device_id')
        .onRef('evidence_runs.session', '=', 'sessions.session'),
    )
    .select(gapEdgeColumns)
    .execute()
  return [...gapsOf(sessions, runs)]
}
