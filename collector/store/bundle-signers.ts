import { decodeKeyHistory, encodeKeyHistory, type KeyHistory } from '../../shared/evidence/key-history.ts'
import type { Executor } from './database.ts'

export type BundleSignersRepository = ReturnType<typeof bundleSignersRepository>

/** Collectors whose bundles are taken, where their keys have changed since somebody named them. */
export function bundleSignersRepository(db: Executor) {
  return {
    /** What has led on from the key with this thumbprint (hexadecimal), as it was followed. */
    async historyOf(trusted: string): Promise<KeyHistory | undefined> {
      const row = await db
        .selectFrom('bundle_signers')
        .select('history')
        .where('trusted_key', '=', trusted)
        .executeTakeFirst()
      return row && decodeKeyHistory(row.history)
    },

    async follow(trusted: string, history: KeyHistory, now: number): Promise<void> {
      const followed = { history: encodeKeyHistory(history), followed_at: now }
      await db
        .insertInto('bundle_signers')
        .values({ trusted_key: trusted, ...followed })
        .onConflict((conflict) => conflict.column('trusted_key').doUpdateSet(followed))
        .execute()
    },
  }
}
