import type { EnrolmentToken } from '../model/product.ts'
import type { Executor } from './database.ts'
import { readToken, tokenColumns } from './enrolment-token-rows.ts'
import { idCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

export type RegistrationsRepository = ReturnType<typeof registrationsRepository>

/** Endorsement keys that stand for a token: see ../model/registration.ts. They are made and used as tokens are. */
export function registrationsRepository(db: Executor) {
  const all = () => db.selectFrom('enrolment_tokens').select(tokenColumns).where('ek_fingerprint', 'is not', null)

  return {
    /** Of any product: the fingerprint is of one kind, but a digest of 32 bytes is of no two things. */
    async withFingerprint(fingerprints: readonly Uint8Array[]): Promise<readonly EnrolmentToken[]> {
      if (fingerprints.length === 0) return []
      const rows = await all().where('ek_fingerprint', 'in', fingerprints).orderBy('id').execute()
      return rows.map((row) => readToken(row))
    },

    async ofProduct(productId: string, fingerprint: Uint8Array): Promise<EnrolmentToken | undefined> {
      return readToken(
        await all().where('ek_fingerprint', '=', fingerprint).where('product_id', '=', productId).executeTakeFirst(),
      )
    },

    async byId(id: string): Promise<EnrolmentToken | undefined> {
      return readToken(await all().where('id', '=', id).executeTakeFirst())
    },

    /** Makes one that has expired or was revoked, and was never used, good again. False where that is not so. */
    async renew(id: string, serial: string | null, expiresAt: number, now: number): Promise<boolean> {
      const renewed = await db
        .updateTable('enrolment_tokens')
        .set({ ek_serial: serial, expires_at: expiresAt, revoked_at: null })
        .where('id', '=', id)
        .where('ek_fingerprint', 'is not', null)
        .where('used_at', 'is', null)
        .where((or) => or.or([or('expires_at', '<=', now), or('revoked_at', 'is not', null)]))
        .executeTakeFirst()
      return renewed.numUpdatedRows === 1n
    },

    /** False where it was used or revoked before. */
    async revoke(id: string, now: number): Promise<boolean> {
      const revoked = await db
        .updateTable('enrolment_tokens')
        .set({ revoked_at: now })
        .where('id', '=', id)
        .where('ek_fingerprint', 'is not', null)
        .where('used_at', 'is', null)
        .where('revoked_at', 'is', null)
        .executeTakeFirst()
      return revoked.numUpdatedRows === 1n
    },

    /** Newest first. */
    async list(page: PageRequest, productId?: string): Promise<Page<EnrolmentToken>> {
      const cursor = idCursor(page)
      let query = all().orderBy('id', 'desc').limit(rowsToRead(page))
      if (productId !== undefined) query = query.where('product_id', '=', productId)
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
