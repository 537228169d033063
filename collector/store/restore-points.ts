import type { Executor } from './database.ts'

/** That the database was put back from a backup. */
export interface RestorePoint {
  /** Greater than that of every restore point before. */
  readonly number: number
  readonly restoredAt: number
  /** When the newest receipt was issued that the backup knows of; null where it knows of none. */
  readonly newestReceiptAt: number | null
  /** The number from which epochs go on. */
  readonly firstEpoch: number
}

export type RestorePointsRepository = ReturnType<typeof restorePointsRepository>

/** Written by `keepseal-collector restore` alone, while nobody serves. */
export function restorePointsRepository(db: Executor) {
  return {
    /** Undefined for a database that was never restored. */
    async newest(): Promise<RestorePoint | undefined> {
      return db
        .selectFrom('restore_points')
        .select([
          'number',
          'restored_at as restoredAt',
          'newest_receipt_at as newestReceiptAt',
          'first_epoch as firstEpoch',
        ])
        .orderBy('number', 'desc')
        .limit(1)
        .executeTakeFirst()
    },

    /** The broker has it. The first time is what is kept. */
    async markPublished(number: number, at: number): Promise<void> {
      await db
        .updateTable('restore_points')
        .set({ published_at: at })
        .where('number', '=', number)
        .where('published_at', 'is', null)
        .execute()
    },
  }
}
