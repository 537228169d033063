import { sql } from 'kysely'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { Refusal } from '../model/evidence.ts'
import { transaction, type Executor } from './database.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

const KEPT_PER_DEVICE = 100

export type RefusalsRepository = ReturnType<typeof refusalsRepository>

/** Refused messages: the newest of each device in full, all of them as numbers. */
export function refusalsRepository(db: Executor) {
  const sameDevice = (ueid: Refusal['ueid']) =>
    ueid === null ? sql<boolean>`ueid is null` : sql<boolean>`ueid = ${ueid}`

  return {
    /** Keeps the newest 100 of a device, and of all messages without a readable device together. */
    async insert(refusal: Refusal): Promise<void> {
      await transaction(db, async (trx) => {
        await trx
          .insertInto('refusals')
          .values({
            ueid: refusal.ueid,
            topic: refusal.topic,
            code: refusal.code,
            hash: refusal.hash,
            received_at: refusal.receivedAt,
            bytes: refusal.bytes,
          })
          .execute()
        const beyond = trx
          .selectFrom('refusals')
          .select('id')
          .where(sameDevice(refusal.ueid))
          .orderBy('id', 'desc')
          .limit(1)
          .offset(KEPT_PER_DEVICE)
        await trx.deleteFrom('refusals').where(sameDevice(refusal.ueid)).where('id', '<=', beyond).execute()
        await trx
          .insertInto('refusal_counts')
          .values({ ueid: refusal.ueid ?? '', code: refusal.code, total: 1 })
          .onConflict((conflict) =>
            conflict.columns(['ueid', 'code']).doUpdateSet({ total: sql<number>`refusal_counts.total + 1` }),
          )
          .execute()
      })
    },

    /** Newest first. Without `ueid`: of all devices. */
    async list(page: PageRequest, filter: { readonly ueid?: Ueid | undefined } = {}): Promise<Page<Refusal>> {
      const cursor = integerCursor(page)
      let query = db.selectFrom('refusals').selectAll().orderBy('id', 'desc').limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      if (filter.ueid !== undefined) query = query.where('ueid', '=', filter.ueid)
      return toPage(
        await query.execute(),
        page,
        (row) => row.id,
        ({ ueid, topic, code, hash, received_at, bytes }) => ({
          ueid,
          topic,
          code,
          hash,
          receivedAt: received_at,
          bytes,
        }),
      )
    },

    /** Revoked units of a product that have gone on reporting for so long after they were revoked, seen `since`. */
    async ofRevoked(productId: string, since: number, afterMs: number): Promise<readonly Ueid[]> {
      const rows = await db
        .selectFrom('devices')
        .innerJoin('refusals', 'refusals.ueid', 'devices.ueid')
        .select('devices.ueid')
        .distinct()
        .where('devices.product_id', '=', productId)
        .where('devices.enrolment', '=', 'revoked')
        .where('refusals.code', '=', 'identity.revoked')
        .where('refusals.received_at', '>=', since)
        .where(({ eb, ref }) => eb('refusals.received_at', '>=', eb(ref('devices.revoked_at'), '+', afterMs)))
        .orderBy('devices.ueid')
        .execute()
      return rows.map(({ ueid }) => ueid)
    },

    /** How many were ever refused, by code; also those whose message is no longer kept. */
    async countsByCode(filter: { readonly ueid?: Ueid | undefined } = {}): Promise<ReadonlyMap<string, number>> {
      let query = db
        .selectFrom('refusal_counts')
        .select((select) => ['code', select.fn.sum('total').as('total')])
        .groupBy('code')
      if (filter.ueid !== undefined) query = query.where('ueid', '=', filter.ueid)
      return new Map((await query.execute()).map((row) => [row.code, Number(row.total)]))
    },
  }
}
