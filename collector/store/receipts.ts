import { transaction, type Executor } from './database.ts'

const KEPT_PER_DEVICE = 64

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
    async insert(receipt: IssuedReceipt): Promise<void> {
      await transaction(db, async (trx) => {
        await trx
          .insertInto('receipts')
          .values({
            device_id: receipt.deviceId,
            number: receipt.number,
            hash: receipt.hash,
            issued_at: receipt.issuedAt,
          })
          .execute()
        const beyond = trx
          .selectFrom('receipts')
          .select('number')
          .where('device_id', '=', receipt.deviceId)
          .orderBy('number', 'desc')
          .limit(1)
          .offset(KEPT_PER_DEVICE)
        await trx
          .deleteFrom('receipts')
          .where('device_id', '=', receipt.deviceId)
          .where('number', '<=', beyond)
          .execute()
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
