import type { LoginSession } from '../model/account.ts'
import type { Executor } from './database.ts'

const columns = [
  'token_hash as tokenHash',
  'account_id as accountId',
  'created_at as createdAt',
  'last_seen_at as lastSeenAt',
  'expires_at as expiresAt',
] as const

export type LoginSessionsRepository = ReturnType<typeof loginSessionsRepository>

/** Who is logged in, and how often somebody has failed to. */
export function loginSessionsRepository(db: Executor) {
  return {
    async create({ tokenHash, accountId, createdAt, lastSeenAt, expiresAt }: LoginSession): Promise<void> {
      const row = { account_id: accountId, created_at: createdAt, last_seen_at: lastSeenAt, expires_at: expiresAt }
      await db
        .insertInto('login_sessions')
        .values({ token_hash: tokenHash, ...row })
        .execute()
    },

    /** Whether it has expired is the caller's to check. */
    async byHash(tokenHash: Uint8Array): Promise<LoginSession | undefined> {
      return db.selectFrom('login_sessions').select(columns).where('token_hash', '=', tokenHash).executeTakeFirst()
    },

    async touch(tokenHash: Uint8Array, now: number): Promise<void> {
      await db.updateTable('login_sessions').set({ last_seen_at: now }).where('token_hash', '=', tokenHash).execute()
    },

    async end(tokenHash: Uint8Array): Promise<void> {
      await db.deleteFrom('login_sessions').where('token_hash', '=', tokenHash).execute()
    },

    async endAllOf(accountId: string): Promise<void> {
      await db.deleteFrom('login_sessions').where('account_id', '=', accountId).execute()
    },

    async forgetExpired(now: number): Promise<void> {
      await db.deleteFrom('login_sessions').where('expires_at', '<=', now).execute()
    },

    /** Since the last success; null: none. */
    async failuresOf(
      loginHash: Uint8Array,
    ): Promise<{ readonly failures: number; readonly blockedUntil: number } | undefined> {
      return db
        .selectFrom('login_failures')
        .select(['failures', 'blocked_until as blockedUntil'])
        .where('login_hash', '=', loginHash)
        .executeTakeFirst()
    },

    async saveFailures(loginHash: Uint8Array, failures: number, now: number, blockedUntil: number): Promise<void> {
      const values = { failures, failed_at: now, blocked_until: blockedUntil }
      await db
        .insertInto('login_failures')
        .values({ login_hash: loginHash, ...values })
        .onConflict((conflict) => conflict.column('login_hash').doUpdateSet(values))
        .execute()
    },

    async clearFailures(loginHash: Uint8Array): Promise<void> {
      await db.deleteFrom('login_failures').where('login_hash', '=', loginHash).execute()
    },

    /** Failures from before: nobody can fill the table for ever. */
    async forgetFailures(before: number): Promise<void> {
      await db.deleteFrom('login_failures').where('failed_at', '<', before).execute()
    },
  }
}
