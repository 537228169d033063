import { sql } from 'kysely'
import type { Epoch } from '../model/evidence.ts'
import { transaction, type Executor } from './database.ts'

const columns = ['number', 'nonce', 'issued_at as issuedAt'] as const

export type EpochsRepository = ReturnType<typeof epochsRepository>

/** Every epoch that was issued: all replicas read from here what is current. */
export function epochsRepository(db: Executor) {
  return {
    /** Gives the epoch the next number: from 1, and after a restore from that of the restore point. Error: request.conflict for a nonce that was used before. */
    async insert(epoch: Omit<Epoch, 'number'>): Promise<Epoch> {
      return transaction(db, async (trx) => {
        const restored = await trx
          .selectFrom('restore_points')
          .select(({ fn }) => fn.coalesce(fn.max('first_epoch'), sql<number>`1`).as('firstEpoch'))
          .executeTakeFirstOrThrow()
        const first = sql.lit(Number(restored.firstEpoch))
        return trx
          .insertInto('epochs')
          .columns(['number', 'nonce', 'issued_at'])
          .expression((from) =>
            from
              .selectFrom('epochs')
              .select(({ fn, val }) => [
                sql<number>`case when ${fn.max('number')} >= ${first} then ${fn.max('number')} + 1 else ${first} end`.as(
                  'number',
                ),
                val(epoch.nonce).as('nonce'),
                val(epoch.issuedAt).as('issued_at'),
              ]),
          )
          .returning(columns)
          .executeTakeFirstOrThrow()
      })
    },

    /** The newest, or undefined before the first. */
    async current(): Promise<Epoch | undefined> {
      return db.selectFrom('epochs').select(columns).orderBy('number', 'desc').limit(1).executeTakeFirst()
    },

    async byNonce(nonce: Uint8Array): Promise<Epoch | undefined> {
      return db.selectFrom('epochs').select(columns).where('nonce', '=', nonce).executeTakeFirst()
    },

    async byNumber(number: number): Promise<Epoch | undefined> {
      return db.selectFrom('epochs').select(columns).where('number', '=', number).executeTakeFirst()
    },

    /** Issued at or after `issuedAt`, oldest first. */
    async since(issuedAt: number): Promise<readonly Epoch[]> {
      return db.selectFrom('epochs').select(columns).where('issued_at', '>=', issuedAt).orderBy('number').execute()
    },
  }
}
