import type { Selectable } from 'kysely'
import { toHex } from '../../shared/bytes/bytes.ts'
import type { EvidenceRecord } from '../model/evidence.ts'
import { transaction, type Executor } from './database.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'
import type { EvidenceTable } from './schema-evidence.ts'

type Row = Omit<Selectable<EvidenceTable>, 'id'> & { readonly bytes: Uint8Array }

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
  }
}

export type EvidenceRepository = ReturnType<typeof evidenceRepository>

/** Messages of accepted evidence that are kept: each (device, session, seq) at most once. */
export function evidenceRepository(db: Executor) {
  const ofDevice = (deviceId: number) => kept(db).where('device_id', '=', deviceId)
  const newestOf = (deviceId: number) => db.selectFrom('newest_evidence').selectAll().where('device_id', '=', deviceId)
  const optional = (row: Row | undefined) => (row === undefined ? undefined : toRecord(row))

  return {
    /** False when the place (device, session, seq) is taken, whatever takes it: nothing was stored. */
    async insert(record: EvidenceRecord): Promise<boolean> {
      return (await insertAll(db, [record])) === 1
    },

    /** As `insert`, of many. */
    async insertAll(records: readonly EvidenceRecord[]): Promise<void> {
      await insertAll(db, records)
    },

    /** Replaces the newest message of the device. `recentHashes`: see the table. */
    async saveNewest(record: EvidenceRecord, recentHashes: Uint8Array): Promise<void> {
      const columns = { ...evidenceColumns(record), bytes: record.bytes, recent_hashes: recentHashes }
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

/** What is known of the messages that are kept, each with the message. */
export function kept(db: Executor) {
  return db
    .selectFrom('evidence')
    .innerJoin('evidence_messages', (join) =>
      join
        .onRef('evidence_messages.evidence_id', '=', 'evidence.id')
        .onRef('evidence_messages.received_at', '=', 'evidence.received_at'),
    )
    .selectAll('evidence')
    .select('evidence_messages.bytes')
}

/** Those whose place was free, and how many these were. */
function insertAll(db: Executor, records: readonly EvidenceRecord[]): Promise<number> {
  if (records.length === 0) return Promise.resolve(0)
  return transaction(db, async (inner) => {
    const rows = await inner
      .insertInto('evidence')
      .values(records.map((record) => ({ device_id: record.deviceId, ...evidenceColumns(record) })))
      .onConflict((conflict) => conflict.doNothing())
      .returning(['id', 'device_id', 'hash', 'received_at'])
      .execute()
    if (rows.length === 0) return 0
    const key = (deviceId: number, hash: Uint8Array): string => `${deviceId} ${toHex(hash)}`
    const bytesOf = new Map(records.map(({ deviceId, hash, bytes }) => [key(deviceId, hash), bytes]))
    const messages = rows.map((row) => {
      const bytes = bytesOf.get(key(row.device_id, row.hash))
      if (bytes === undefined) throw new Error('a row came back that was not inserted')
      return { evidence_id: row.id, received_at: row.received_at, bytes }
    })
    await inner.insertInto('evidence_messages').values(messages).execute()
    return rows.length
  })
}
