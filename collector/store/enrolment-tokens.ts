import { KeepsealError } from '../../shared/errors.ts'
import type { EnrolmentToken } from '../model/product.ts'
import { readToken, tokenColumns } from './enrolment-token-rows.ts'
import type { Executor } from './database.ts'
import { idCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

export type Reservation = 'ok' | 'reserved' | 'used' | 'expired'

export type EnrolmentTokensRepository = ReturnType<typeof enrolmentTokensRepository>

/** One-time enrolment tokens, known by their SHA-256 alone. */
export function enrolmentTokensRepository(db: Executor) {
  const byId = async (id: string): Promise<EnrolmentToken | undefined> =>
    readToken(await db.selectFrom('enrolment_tokens').select(tokenColumns).where('id', '=', id).executeTakeFirst())

  return {
    async create(token: EnrolmentToken): Promise<void> {
      await db
        .insertInto('enrolment_tokens')
        .values({
          id: token.id,
          token_hash: token.tokenHash,
          product_id: token.productId,
          reenrol_ueid: token.reenrolUeid,
          expires_at: token.expiresAt,
          reserved_until: token.reservedUntil,
          reserved_by: token.reservedBy,
          used_at: token.usedAt,
          used_by_ueid: token.usedByUeid,
          created_at: token.createdAt,
          ek_kind: token.registration?.kind ?? null,
          ek_fingerprint: token.registration?.fingerprint ?? null,
          ek_serial: token.registration?.serial ?? null,
          revoked_at: token.registration?.revokedAt ?? null,
        })
        .execute()
    },

    byId,

    async byHash(tokenHash: Uint8Array): Promise<EnrolmentToken | undefined> {
      const query = db.selectFrom('enrolment_tokens').select(tokenColumns).where('token_hash', '=', tokenHash)
      return readToken(await query.executeTakeFirst())
    },

    /**
     * Holds the token for one enrolment until `until`. Who holds it already (`by` equal) may hold it again.
     * Error: enrol.token-unknown.
     */
    async reserve(id: string, by: Uint8Array, until: number, now: number): Promise<Reservation> {
      const held = await db
        .updateTable('enrolment_tokens')
        .set({ reserved_by: by, reserved_until: until })
        .where('id', '=', id)
        .where('used_at', 'is', null)
        .where('expires_at', '>', now)
        .where((or) =>
          or.or([or('reserved_until', 'is', null), or('reserved_until', '<=', now), or('reserved_by', '=', by)]),
        )
        .executeTakeFirst()
      if (held.numUpdatedRows === 1n) return 'ok'
      const token = await byId(id)
      if (token === undefined) throw new KeepsealError('enrol.token-unknown')
      if (token.usedAt !== null) return 'used'
      return token.expiresAt <= now ? 'expired' : 'reserved'
    },

    /**
     * Uses the token up. True for exactly one caller, ever, and only while a reservation holds: that the token's own
     * time runs out between the two calls of an enrolment does not matter.
     */
    async consume(id: string, ueid: string, now: number): Promise<boolean> {
      const used = await db
        .updateTable('enrolment_tokens')
        .set({ used_at: now, used_by_ueid: ueid })
        .where('id', '=', id)
        .where('used_at', 'is', null)
        .where('revoked_at', 'is', null)
        // A registered key is reserved for nobody but whoever has proven to hold it.
        .where((or) => or.or([or('reserved_until', '>=', now), or('ek_fingerprint', 'is not', null)]))
        .executeTakeFirst()
      return used.numUpdatedRows === 1n
    },

    /** Tokens that are secrets, newest first; registered keys are in a list of their own. */
    async list(page: PageRequest): Promise<Page<EnrolmentToken>> {
      const cursor = idCursor(page)
      let query = db
        .selectFrom('enrolment_tokens')
        .select(tokenColumns)
        .where('ek_fingerprint', 'is', null)
        .orderBy('id', 'desc')
        .limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      return toPage(
        await query.execute(),
        page,
        (row) => row.id,
        (row) => readToken(row),
      )
    },
  }
}
