import { sql } from 'kysely'
import { sha256 } from '../../shared/crypto/node.ts'
import { parseUpstreamTopic } from '../../shared/evidence/topics.ts'
import type { QuarantinedMessage, SetAside } from '../model/quarantine.ts'
import { transaction, type Executor } from './database.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'
import type { QuarantineTable } from './schema-evidence.ts'
import type { Selectable } from 'kysely'

/** The newest of a device are kept, and of all: without a receipt their devices have the others. */
const KEPT_PER_DEVICE = 20
const KEPT = 1_000
const MAX_TOPIC = 256
const MAX_DETAIL = 500
const MAX_BYTES = 65_536

export type QuarantineRepository = ReturnType<typeof quarantineRepository>

function toMessage(row: Selectable<QuarantineTable>): QuarantinedMessage {
  const { id, ueid, topic, hash, bytes, reason, detail, tries, received_at, last_failed_at } = row
  return { id, ueid, topic, hash, bytes, reason, detail, tries, receivedAt: received_at, lastFailedAt: last_failed_at }
}

/** Messages that were set aside by a fault of this software, for people to look at and to try again. */
export function quarantineRepository(db: Executor) {
  return {
    /**
     * Keeps messages that could not be decided. One that is here already, as its device has sent it again, only counts
     * its tries. Gives how many were not here before.
     */
    async add(messages: readonly SetAside[], now: number): Promise<number> {
      return transaction(db, async (trx) => {
        let added = 0
        for (const message of messages) added += (await addOne(trx, message, now)) ? 1 : 0
        const beyond = trx.selectFrom('quarantine').select('id').orderBy('id', 'desc').limit(1).offset(KEPT)
        await trx.deleteFrom('quarantine').where('id', '<=', beyond).execute()
        return added
      })
    },

    /** Newest first. */
    async list(
      page: PageRequest,
      filter: { readonly ueid?: string | undefined } = {},
    ): Promise<Page<QuarantinedMessage>> {
      const cursor = integerCursor(page)
      let query = db.selectFrom('quarantine').selectAll().orderBy('id', 'desc').limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      if (filter.ueid !== undefined) query = query.where('ueid', '=', filter.ueid)
      return toPage(await query.execute(), page, ({ id }) => id, toMessage)
    },

    async byId(id: number): Promise<QuarantinedMessage | undefined> {
      const row = await db.selectFrom('quarantine').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? undefined : toMessage(row)
    },

    /** Whether it was there. */
    async remove(id: number): Promise<boolean> {
      const { numDeletedRows } = await db.deleteFrom('quarantine').where('id', '=', id).executeTakeFirstOrThrow()
      return numDeletedRows > 0n
    },

    async count(): Promise<number> {
      const { count } = await db
        .selectFrom('quarantine')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      return Number(count)
    },
  }
}

async function addOne(db: Executor, message: SetAside, now: number): Promise<boolean> {
  const ueid = parseUpstreamTopic(message.topic)?.ueid ?? null
  const topic = message.topic.slice(0, MAX_TOPIC)
  const hash = sha256(message.bytes)
  const said = { reason: message.reason.slice(0, MAX_TOPIC), detail: message.detail.slice(0, MAX_DETAIL) }
  const { numUpdatedRows } = await db
    .updateTable('quarantine')
    .set({ ...said, tries: sql`tries + ${message.tries}`, last_failed_at: now })
    .where('hash', '=', hash)
    .where('topic', '=', topic)
    .executeTakeFirstOrThrow()
  if (numUpdatedRows > 0n) return false
  const bytes = message.bytes.subarray(0, MAX_BYTES)
  const { receivedAt: received_at, tries } = message
  await db
    .insertInto('quarantine')
    .values({ ueid, topic, hash, bytes, ...said, tries, received_at, last_failed_at: now })
    .execute()
  const isOfDevice = ueid === null ? sql<boolean>`ueid is null` : sql<boolean>`ueid = ${ueid}`
  const beyond = db
    .selectFrom('quarantine')
    .select('id')
    .where(isOfDevice)
    .orderBy('id', 'desc')
    .limit(1)
    .offset(KEPT_PER_DEVICE)
  await db.deleteFrom('quarantine').where(isOfDevice).where('id', '<=', beyond).execute()
  return true
}
