import { transaction, type Executor } from './database.ts'
import { bulkDelete, type BulkTable } from './steady/bulk-update.ts'

const KEPT_PER_DEVICE = 64
const RECEIPT_KEYS: BulkTable = {
  table: 'receipts',
  keys: 2,
  columns: [
    ['device_id', 'bigint'],
    ['number', 'bigint'],
  ],
}

/** A receipt that was sent, as the first message of a session may name it. */
export interface IssuedReceipt {
  readonly deviceId: number
  /** Grows by one with each receipt of a device. */
  readonly number: number
  /** SHA-256 over the receipt's bytes. */
  readonly hash: Uint8Array
  readonly issuedAt: number
}

export type ReceiptsRepository = ReturnType<typeof receiptsRepository>

export function receiptsRepository(db: Executor) {
  return {
    /** Keeps the newest 64 of the device. Error: request.conflict when the number was given already. */
    async insert(receipts: readonly IssuedReceipt[]): Promise<void> {
      if (receipts.length === 0) return
      await transaction(db, async (trx) => {
        const rows = receipts.map(({ deviceId, number, hash, issuedAt }) => ({
          device_id: deviceId,
          number,
          hash,
          issued_at: issuedAt,
        }))
        await trx.insertInto('receipts').values(rows).execute()
        // Numbers have no gaps: with each one that comes, one goes.
        const old = receipts.filter(({ number }) => number > KEPT_PER_DEVICE)
        await bulkDelete(
          trx,
          RECEIPT_KEYS,
          old.map(({ deviceId, number }) => [deviceId, number - KEPT_PER_DEVICE]),
        )
      })
    },

    /** The newest receipt that the device was sent. */
    async latest(deviceId: number): Promise<Pick<IssuedReceipt, 'number' | 'issuedAt'> | undefined> {
      return db
        .selectFrom('receipts')
        .select(['number', 'issued_at as issuedAt'])
        .where('device_id', '=', deviceId)
        .orderBy('number', 'desc')
        .limit(1)
        .executeTakeFirst()
    },

    /** Undefined for a receipt that was never sent, or long ago. */
    async numberOf(deviceId: number, hash: Uint8Array): Promise<number | undefined> {
      const row = await db
        .selectFrom('receipts')
        .select('number')
        .where('device_id', '=', deviceId)
        .where('hash', '=', hash)
        .orderBy('number', 'desc')
        .executeTakeFirst()
      return row?.number
    },
  }
}
