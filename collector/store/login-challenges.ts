import type { ChallengePurpose, LoginChallenge } from '../model/passkey.ts'
import type { Executor } from './database.ts'

export type LoginChallengesRepository = ReturnType<typeof loginChallengesRepository>

/** What was asked of people who log in. Any collector on this database takes the answer, and one of them once. */
export function loginChallengesRepository(db: Executor) {
  return {
    async create({ hash, purpose, accountId, content, expiresAt }: LoginChallenge): Promise<void> {
      const row = { challenge_hash: hash, purpose, account_id: accountId, content, expires_at: expiresAt }
      await db.insertInto('login_challenges').values(row).execute()
    },

    /** Gives it to exactly one caller. Whether it has expired is his to check. */
    async take(hash: Uint8Array, purpose: ChallengePurpose): Promise<LoginChallenge | undefined> {
      const row = await db
        .selectFrom('login_challenges')
        .selectAll()
        .where('challenge_hash', '=', hash)
        .where('purpose', '=', purpose)
        .executeTakeFirst()
      if (row === undefined) return undefined
      const taken = await db.deleteFrom('login_challenges').where('challenge_hash', '=', hash).executeTakeFirst()
      if (taken.numDeletedRows !== 1n) return undefined
      return { hash, purpose, accountId: row.account_id, content: row.content, expiresAt: row.expires_at }
    },

    async forgetExpired(now: number): Promise<void> {
      await db.deleteFrom('login_challenges').where('expires_at', '<=', now).execute()
    },
  }
}
