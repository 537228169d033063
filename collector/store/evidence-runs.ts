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
        .values({
          device_id: record.deviceId,
          session: record.session,
          first_seq: record.seq,
          last_seq: record.seq,
          first_previous: record.previous,
          head_hash: record.hash,
          newest_epoch: record.epoch,
          first_received_at: record.receivedAt,
          last_received_at: record.receivedAt,
          fresh: record.fresh ? 1 : 0,
          outcome: record.outcome,
          verdict: record.verdict,
          posture_digest: record.postureDigest,
          pcr_digest: record.pcrDigest,
        })
        .execute()
    },

    /** The message follows the last one of the run and tells the same. */
    async extend(run: EvidenceRun, record: EvidenceRecord): Promise<void> {
      await db
        .updateTable('evidence_runs')
        .set({
          last_seq: record.seq,
          head_hash: record.hash,
          newest_epoch: Math.max(run.newestEpoch ?? 0, record.epoch ?? 0) || null,
          last_received_at: Math.max(run.lastReceivedAt, record.receivedAt),
        })
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
