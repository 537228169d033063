import { sql } from 'kysely'
import type { Executor } from './database.ts'

/** One part of a section's encoded content, as it travelled. */
export interface SectionChunk {
  readonly vendor: string
  /** SHA-256 of the whole content, decoded. */
  readonly digest: Uint8Array
  readonly index: number
  readonly count: number
  /** Bytes of the whole content, decoded. */
  readonly size: number
  readonly encoding: string
  readonly bytes: Uint8Array
  /** Whose quota it counts in. */
  readonly deviceId: number
}

export type SectionsRepository = ReturnType<typeof sectionsRepository>

/** Section content by its digest, each once per vendor, and the chunks of content that is still under way. */
export function sectionsRepository(db: Executor) {
  const content = (vendor: string, digest: Uint8Array) =>
    db.selectFrom('sections').where('vendor', '=', vendor).where('digest', '=', digest)

  return {
    async has(vendor: string, digest: Uint8Array): Promise<boolean> {
      return (await content(vendor, digest).select('digest').executeTakeFirst()) !== undefined
    },

    async find(vendor: string, digest: Uint8Array): Promise<Uint8Array | undefined> {
      return (await content(vendor, digest).select('content').executeTakeFirst())?.content
    },

    /** `bytes` must have been checked against `digest`. Saving again changes nothing. */
    async save(vendor: string, digest: Uint8Array, bytes: Uint8Array): Promise<void> {
      await db
        .insertInto('sections')
        .values({ vendor, digest, content: bytes })
        .onConflict((conflict) => conflict.columns(['vendor', 'digest']).doNothing())
        .execute()
    },

    /** For what is of no use to any other device. */
    async remove(vendor: string, digest: Uint8Array): Promise<void> {
      await db.deleteFrom('sections').where('vendor', '=', vendor).where('digest', '=', digest).execute()
    },

    /** A device's first chunk of an index stays: a second one changes nothing. */
    async saveChunk(chunk: SectionChunk): Promise<void> {
      await db
        .insertInto('section_chunks')
        .values({
          vendor: chunk.vendor,
          digest: chunk.digest,
          chunk_index: chunk.index,
          chunk_count: chunk.count,
          size: chunk.size,
          encoding: chunk.encoding,
          bytes: chunk.bytes,
          device_id: chunk.deviceId,
        })
        .onConflict((conflict) => conflict.columns(['vendor', 'digest', 'device_id', 'chunk_index']).doNothing())
        .execute()
    },

    /** What this device has sent of it, by index, ascending: another device's parts may be false. */
    async chunksOf(vendor: string, digest: Uint8Array, deviceId: number): Promise<readonly SectionChunk[]> {
      return db
        .selectFrom('section_chunks')
        .select([
          'vendor',
          'digest',
          'chunk_index as index',
          'chunk_count as count',
          'size',
          'encoding',
          'bytes',
          'device_id as deviceId',
        ])
        .where('vendor', '=', vendor)
        .where('digest', '=', digest)
        .where('device_id', '=', deviceId)
        .orderBy('chunk_index')
        .execute()
    },

    /** Of one device, or of all of the vendor. */
    async deleteChunks(vendor: string, digest: Uint8Array, deviceId?: number): Promise<void> {
      const chunks = db.deleteFrom('section_chunks').where('vendor', '=', vendor).where('digest', '=', digest)
      await (deviceId === undefined ? chunks : chunks.where('device_id', '=', deviceId)).execute()
    },

    /** Gives up what this device has under way of anything but `digest`. */
    async deleteOtherChunks(deviceId: number, digest: Uint8Array): Promise<void> {
      await db.deleteFrom('section_chunks').where('device_id', '=', deviceId).where('digest', '<>', digest).execute()
    },

    /** Bytes of the chunks that this device has sent and that wait for the rest. */
    async bytesHeldBy(deviceId: number): Promise<number> {
      const row = await db
        .selectFrom('section_chunks')
        .select(sql<number | string>`coalesce(sum(length(bytes)), 0)`.as('held'))
        .where('device_id', '=', deviceId)
        .executeTakeFirstOrThrow()
      return Number(row.held)
    },
  }
}
