import type { Executor } from '../database.ts'
import { transaction } from '../database.ts'
import { epochsRepository } from '../epochs.ts'
import { restorePointsRepository } from '../restore-points.ts'

import type { RestorePoint } from '../restore-points.ts'

/** Writes down that the database was put back: what was decided since the backup is lost, and that has to be visible. */
export function markRestored(db: Executor, now: number): Promise<RestorePoint> {
  return transaction(db, async (trx) => {
    const newest = await trx
      .selectFrom('receipts')
      .select(({ fn }) => fn.max('issued_at').as('at'))
      .executeTakeFirst()
    const last = await restorePointsRepository(trx).newest()
    const epoch = await epochsRepository(trx).current()
    // Restore points and epochs that were given out after the backup are forgotten, and must not come a second time.
    // Neither comes more often than a clock ticks: by the time of the restore there were fewer.
    const point: RestorePoint = {
      number: Math.max(now, (last?.number ?? 0) + 1),
      restoredAt: now,
      newestReceiptAt: newest?.at ?? null,
      firstEpoch: Math.max(Math.floor(now / 1000), (epoch?.number ?? 0) + 1, (last?.firstEpoch ?? 0) + 1),
    }
    await restorePointsRepository(trx).add(point)
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
