import type { CaseKey } from '../model/case.ts'
import type { Executor } from './database.ts'

export type StandingCausesRepository = ReturnType<typeof standingCausesRepository>

/**
 * What calls for a case and has done so since: as long as it stands there is no second case of it, also when the first
 * one is closed. What has gone and comes again is new.
 */
export function standingCausesRepository(db: Executor) {
  return {
    async of(productId: string, certificateId: string): Promise<readonly CaseKey[]> {
      const rows = await db
        .selectFrom('standing_causes')
        .select(['release_id', 'cause', 'subject'])
        .where('product_id', '=', productId)
        .where('certificate_id', '=', certificateId)
        .execute()
      return rows.map(({ release_id: release, cause, subject }) => ({
        productId,
        certificateId,
        releaseId: release === '' ? null : release,
        cause,
        subject,
      }))
    },

    /** False when it stands already: another collector was quicker. */
    async begin({ productId, certificateId, releaseId, cause, subject }: CaseKey, now: number): Promise<boolean> {
      const begun = await db
        .insertInto('standing_causes')
        .values({
          product_id: productId,
          certificate_id: certificateId,
          release_id: releaseId ?? '',
          cause,
          subject,
          since: now,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return Number(begun.numInsertedOrUpdatedRows ?? 0) === 1
    },

    async end({ productId, certificateId, releaseId, cause, subject }: CaseKey): Promise<void> {
      await db
        .deleteFrom('standing_causes')
        .where('product_id', '=', productId)
        .where('certificate_id', '=', certificateId)
        .where('release_id', '=', releaseId ?? '')
        .where('cause', '=', cause)
        .where('subject', '=', subject)
        .execute()
    },
  }
}
