import type { Executor } from './database.ts'

export type ProfileDocumentsRepository = ReturnType<typeof profileDocumentsRepository>

/** Profiles as they were handed in, by what they are. Nothing here changes or removes one. */
export function profileDocumentsRepository(db: Executor) {
  return {
    /** Twice changes nothing. `digest`: SHA-256 of `bytes`. */
    async save(digest: Uint8Array, bytes: Uint8Array, storedAt: number): Promise<void> {
      await db
        .insertInto('profile_documents')
        .values({ digest, bytes, stored_at: storedAt })
        .onConflict((conflict) => conflict.column('digest').doNothing())
        .execute()
    },

    async byDigest(digest: Uint8Array): Promise<Uint8Array | undefined> {
      const row = await db
        .selectFrom('profile_documents')
        .select('bytes')
        .where('digest', '=', digest)
        .executeTakeFirst()
      return row?.bytes
    },
  }
}
