import type { Selectable } from 'kysely'
import type { EvidenceRecord, EvidenceRun } from '../model/evidence.ts'
import type { Executor } from './database.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'
import type { EvidenceRunsTable } from './schema-evidence.ts'

export function toRun(row: Selectable<EvidenceRunsTable>): EvidenceRun {
  return {
    id: row.id,
    deviceId: row.device_id,
    session: row.session,
    firstSeq: row.first_seq,
    lastSeq: row.last_seq,
    firstPrevious: row.first_previous,
    headHash: row.head_hash,
    newestEpoch: row.newest_epoch,
    firstReceivedAt: row.first_received_at,
    lastReceivedAt: row.last_received_at,
    fresh: row.fresh === 1,
    outcome: row.outcome,
    verdict: row.verdict,
    postureDigest: row.posture_digest,
    pcrDigest: row.pcr_digest,
  }
}

/** A run that has this message alone, and no id yet. */
export function runOf(record: EvidenceRecord): EvidenceRun {
  const { deviceId, session, seq, hash, previous, epoch, receivedAt } = record
  const { fresh, outcome, verdict, postureDigest, pcrDigest } = record
  return {
    id: 0,
    deviceId,
    session,
    firstSeq: seq,
    lastSeq: seq,
    firstPrevious: previous,
    headHash: hash,
    newestEpoch: epoch,
    firstReceivedAt: receivedAt,
    lastReceivedAt: receivedAt,
    fresh,
    outcome,
    verdict,
    postureDigest,
    pcrDigest,
  }
}

/** The run with one more message, which follows its last one and tells the same. */
export const longerBy = (run: EvidenceRun, { seq, hash, epoch, receivedAt }: EvidenceRecord): EvidenceRun => ({
  id: run.id,
  deviceId: run.deviceId,
  session: run.session,
  firstSeq: run.firstSeq,
  lastSeq: seq,
  firstPrevious: run.firstPrevious,
  headHash: hash,
  newestEpoch: Math.max(run.newestEpoch ?? 0, epoch ?? 0) || null,
  firstReceivedAt: run.firstReceivedAt,
  lastReceivedAt: Math.max(run.lastReceivedAt, receivedAt),
  fresh: run.fresh,
  outcome: run.outcome,
  verdict: run.verdict,
  postureDigest: run.postureDigest,
  pcrDigest: run.pcrDigest,
})

const runColumns = (run: EvidenceRun) => ({
  device_id: run.deviceId,
  session: run.session,
  first_seq: run.firstSeq,
  last_seq: run.lastSeq,
  first_previous: run.firstPrevious,
  head_hash: run.headHash,
  newest_epoch: run.newestEpoch,
  first_received_at: run.firstReceivedAt,
  last_received_at: run.lastReceivedAt,
  fresh: run.fresh ? (1 as const) : (0 as const),
  outcome: run.outcome,
  verdict: run.verdict,
  posture_digest: run.postureDigest,
  pcr_digest: run.pcrDigest,
})

export type EvidenceRunsRepository = ReturnType<typeof evidenceRunsRepository>

/** All accepted evidence, whichever messages are kept: each (device, session, seq) is in one run. */
export function evidenceRunsRepository(db: Executor) {
  return {
    /** The last two that begin at `seq` + 1 or before, last first: all that can hold the place of `seq` or adjoin it. */
    async around(deviceId: number, session: Uint8Array, seq: number): Promise<readonly EvidenceRun[]> {
      const rows = await db
        .selectFrom('evidence_runs')
        .selectAll()
        .where('device_id', '=', deviceId)
        .where('session', '=', session)
        .where('first_seq', '<=', seq + 1)
        .orderBy('first_seq', 'desc')
        .limit(2)
        .execute()
      return rows.map(toRun)
    },

    /** Begins a run with this message. Error: request.conflict where one begins there already. */
    async begin(record: EvidenceRecord): Promise<void> {
      await db
        .insertInto('evidence_runs')
        .values(runColumns(runOf(record)))
        .execute()
    },

    /** The same runs, stored and with their ids. Error: request.conflict where one begins there already. */
    async insert(runs: readonly EvidenceRun[]): Promise<readonly EvidenceRun[]> {
      if (runs.length === 0) return []
      const rows = await db.insertInto('evidence_runs').values(runs.map(runColumns)).returningAll().execute()
      return rows.map(toRun)
    },

    /** The message follows the last one of the run and tells the same. */
    async extend(run: EvidenceRun, record: EvidenceRecord): Promise<void> {
      const { lastSeq, headHash, newestEpoch, lastReceivedAt } = longerBy(run, record)
      await db
        .updateTable('evidence_runs')
        .set({ last_seq: lastSeq, head_hash: headHash, newest_epoch: newestEpoch, last_received_at: lastReceivedAt })
        .where('id', '=', run.id)
        .execute()
    },

    /** Last begun first. */
    async list(deviceId: number, page: PageRequest): Promise<Page<EvidenceRun>> {
      const cursor = integerCursor(page)
      let query = db
        .selectFrom('evidence_runs')
        .selectAll()
        .where('device_id', '=', deviceId)
        .orderBy('id', 'desc')
        .limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      return toPage(await query.execute(), page, (row) => row.id, toRun)
    },
  }
}
