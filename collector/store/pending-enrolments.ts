import type { PendingEnrolment } from '../model/product.ts'
import type { Executor } from './database.ts'

export type PendingEnrolmentsRepository = ReturnType<typeof pendingEnrolmentsRepository>

/** Enrolments between their two calls. */
export function pendingEnrolmentsRepository(db: Executor) {
  return {
    async insert(pending: PendingEnrolment): Promise<void> {
      await db
        .insertInto('pending_enrolments')
        .values({
          id: pending.id,
          token_id: pending.tokenId,
          challenge: pending.challenge,
          secret_hash: pending.secretHash,
          request: pending.request,
          identity: pending.identity,
          expires_at: pending.expiresAt,
        })
        .execute()
    },

    /** Reads and deletes: a challenge is answered once, rightly or wrongly. Expired ones are given too. */
    async take(id: string): Promise<PendingEnrolment | undefined> {
      return db
        .deleteFrom('pending_enrolments')
        .where('id', '=', id)
        .returning([
          'id',
          'token_id as tokenId',
          'challenge',
          'secret_hash as secretHash',
          'request',
          'identity',
          'expires_at as expiresAt',
        ])
        .executeTakeFirst()
    },

    async deleteExpired(now: number): Promise<void> {
      await db.deleteFrom('pending_enrolments').where('expires_at', '<=', now).execute()
    },
  }
}
