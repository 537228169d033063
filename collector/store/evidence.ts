import type { Selectable } from 'kysely'
import type { EvidenceRecord } from '../model/evidence.ts'
import type { Executor } from './database.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'
import type { EvidenceTable } from './schema.ts'

function toRecord(row: Selectable<EvidenceTable>): EvidenceRecord {
  return {
    deviceId: row.device_id,
    session: row.session,
    seq: row.seq,
    hash: row.hash,
    previous: row.previous,
    epoch: row.epoch,
    receivedAt: row.received_at,
    fresh: row.fresh === 1,
    outcome: row.outcome,
    verdict: row.verdict,
    postureDigest: row.posture_digest,
    pcrDigest: row.pcr_digest,
    bytes: row.bytes,
  }
}

export type EvidenceRepository = ReturnType<typeof evidenceRepository>

/** Accepted evidence, each (device, session, seq) once. */
export function evidenceRepository(db: Executor) {
  const ofDevice = (deviceId: number) => db.selectFrom('evidence').selectAll().where('device_id', '=', deviceId)
  const optional = (row: Selectable<EvidenceTable> | undefined) => (row === undefined ? undefined : toRecord(row))

  return {
    /** False when the place (device, session, seq) is taken, whatever takes it: nothing was stored. */
    async insert(record: EvidenceRecord): Promise<boolean> {
      const result = await db
        .insertInto('evidence')
        .values({
          device_id: record.deviceId,
          session: record.session,
          seq: record.seq,
          hash: record.hash,
          previous: record.previous,
          epoch: record.epoch,
          received_at: record.receivedAt,
          fresh: record.fresh ? 1 : 0,
          outcome: record.outcome,
          verdict: record.verdict,
          posture_digest: record.postureDigest,
          pcr_digest: record.pcrDigest,
          bytes: record.bytes,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return result.numInsertedOrUpdatedRows === 1n
    },

    async find(deviceId: number, session: Uint8Array, seq: number): Promise<EvidenceRecord | undefined> {
      return optional(await ofDevice(deviceId).where('session', '=', session).where('seq', '=', seq).executeTakeFirst())
    },

    async byHash(deviceId: number, hash: Uint8Array): Promise<EvidenceRecord | undefined> {
      return optional(await ofDevice(deviceId).where('hash', '=', hash).executeTakeFirst())
    },

    /** The fresh evidence of the newest epoch; within an epoch the one that arrived last. */
    async latestFresh(deviceId: number): Promise<EvidenceRecord | undefined> {
      return optional(
        await ofDevice(deviceId)
          .where('fresh', '=', 1)
          .orderBy('epoch', 'desc')
          .orderBy('id', 'desc')
          .limit(1)
          .executeTakeFirst(),
      )
    },

    /** Last arrived first. */
    async list(deviceId: number, page: PageRequest): Promise<Page<EvidenceRecord>> {
      const cursor = integerCursor(page)
      let query = ofDevice(deviceId).orderBy('id', 'desc').limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      return toPage(await query.execute(), page, (row) => row.id, toRecord)
    },
  }
}
