import type { Executor } from '../database.ts'
import { transaction } from '../database.ts'

export interface RestorePoint {
  readonly restoredAt: number
  /** When the newest receipt was issued that the backup knows of; null where it knows of none. */
  readonly newestReceiptAt: number | null
}

/** Writes down that the database was put back: what was decided since the backup is lost, and that has to be visible. */
export function markRestored(db: Executor, now: number): Promise<RestorePoint> {
  return transaction(db, async (trx) => {
    const newest = await trx
      .selectFrom('receipts')
      .select(({ fn }) => fn.max('issued_at').as('at'))
      .executeTakeFirst()
    const point = { restoredAt: now, newestReceiptAt: newest?.at ?? null }
    await trx
      .insertInto('restore_points')
      .values({ restored_at: now, newest_receipt_at: point.newestReceiptAt, published_at: null })
      .execute()
    await trx
      .insertInto('audit_log')
      .values({
        at: now,
        actor: 'collector',
        action: 'database.restore',
        subject: 'database',
        detail: JSON.stringify({ newestReceiptAt: point.newestReceiptAt }),
      })
      .execute()
    return point
  })
}
