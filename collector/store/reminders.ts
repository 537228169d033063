import type { Executor } from './database.ts'

export type RemindersRepository = ReturnType<typeof remindersRepository>

/** How far people were told of each date. It only grows: a clock that was put back says nothing twice. */
export function remindersRepository(db: Executor) {
  return {
    /** The stage that each subject has reached. */
    async stages(): Promise<ReadonlyMap<string, number>> {
      const rows = await db.selectFrom('reminders').select(['subject', 'stage']).execute()
      return new Map(rows.map(({ subject, stage }) => [subject, stage]))
    },

    /** True for the one who may tell of this stage; false when it, or a later one, was told of. */
    async reach(subject: string, stage: number, now: number): Promise<boolean> {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('reminders')
        .values({ subject, stage, told_at: now })
        .onConflict((conflict) =>
          conflict.column('subject').doUpdateSet({ stage, told_at: now }).where('reminders.stage', '<', stage),
        )
        .executeTakeFirstOrThrow()
      return (numInsertedOrUpdatedRows ?? 0n) > 0n
    },
  }
}
