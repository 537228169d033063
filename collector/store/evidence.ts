import type { Selectable } from 'kysely'
import type { EvidenceRecord } from '../model/evidence.ts'
import type { Executor } from './database.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'
import type { EvidenceTable } from './schema-evidence.ts'

type Row = Omit<Selectable<EvidenceTable>, 'id'>

function toRecord(row: Row): EvidenceRecord {
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

export function evidenceColumns(record: EvidenceRecord) {
  return {
    session: record.session,
    seq: record.seq,
    hash: record.hash,
    previous: record.previous,
    epoch: record.epoch,
    received_at: record.receivedAt,
    fresh: record.fresh ? (1 as const) : (0 as const),
    outcome: record.outcome,
    verdict: record.verdict,
    posture_digest: record.postureDigest,
    pcr_digest: record.pcrDigest,
    bytes: record.bytes,
  }
}

export type EvidenceRepository = ReturnType<typeof evidenceRepository>

/** Messages of accepted evidence that are kept: each (device, session, seq) at most once. */
export function evidenceRepository(db: Executor) {
  const ofDevice = (deviceId: number) => db.selectFrom('evidence').selectAll().where('device_id', '=', deviceId)
  const newestOf = (deviceId: number) => db.selectFrom('newest_evidence').selectAll().where('device_id', '=', deviceId)
  const optional = (row: Row | undefined) => (row === undefined ? undefined : toRecord(row))

  return {
    /** False when the place (device, session, seq) is taken, whatever takes it: nothing was stored. */
    async insert(record: EvidenceRecord): Promise<boolean> {
      const result = await db
        .insertInto('evidence')
        .values({ device_id: record.deviceId, ...evidenceColumns(record) })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return result.numInsertedOrUpdatedRows === 1n
    },

    /** As `insert`, of many. */
    async insertAll(records: readonly EvidenceRecord[]): Promise<void> {
      if (records.length === 0) return
      await db
        .insertInto('evidence')
        .values(records.map((record) => ({ device_id: record.deviceId, ...evidenceColumns(record) })))
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },

    /** Replaces the newest message of the device. `recentHashes`: see the table. */
    async saveNewest(record: EvidenceRecord, recentHashes: Uint8Array): Promise<void> {
      const columns = { ...evidenceColumns(record), recent_hashes: recentHashes }
      await db
        .insertInto('newest_evidence')
        .values({ device_id: record.deviceId, ...columns })
        .onConflict((conflict) => conflict.column('device_id').doUpdateSet(columns))
        .execute()
    },

    async newestHash(deviceId: number): Promise<Uint8Array | undefined> {
      const row = await db
        .selectFrom('newest_evidence')
        .select('hash')
        .where('device_id', '=', deviceId)
        .executeTakeFirst()
      return row?.hash
    },

    /** The beginnings of the hashes of the newest messages, the last one that of `seq`. */
    async recentHashes(
      deviceId: number,
    ): Promise<{ readonly session: Uint8Array; readonly seq: number; readonly hashes: Uint8Array } | undefined> {
      return db
        .selectFrom('newest_evidence')
        .select(['session', 'seq', 'recent_hashes as hashes'])
        .where('device_id', '=', deviceId)
        .executeTakeFirst()
    },

    /** Where it is kept, or the newest one of its device. */
    async find(deviceId: number, session: Uint8Array, seq: number): Promise<EvidenceRecord | undefined> {
      const newest = await newestOf(deviceId).where('session', '=', session).where('seq', '=', seq).executeTakeFirst()
      if (newest !== undefined) return toRecord(newest)
      return optional(await ofDevice(deviceId).where('session', '=', session).where('seq', '=', seq).executeTakeFirst())
    },

    /** The first message of each run of the agent, of those that are kept; newest first. */
    async firstOfSessions(deviceId: number, limit: number): Promise<readonly EvidenceRecord[]> {
      const rows = await ofDevice(deviceId).where('seq', '=', 0).orderBy('id', 'desc').limit(limit).execute()
      return rows.map(toRecord)
    },

    async byHash(deviceId: number, hash: Uint8Array): Promise<EvidenceRecord | undefined> {
      return optional(await ofDevice(deviceId).where('hash', '=', hash).executeTakeFirst())
    },

    /** The fresh evidence of the newest epoch; within an epoch the one that arrived last. */
    async latestFresh(deviceId: number): Promise<EvidenceRecord | undefined> {
      const newest = await newestOf(deviceId).executeTakeFirst()
      if (newest !== undefined) return toRecord(newest)
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
