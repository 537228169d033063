import { sql } from 'kysely'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { Transition } from '../model/transition.ts'
import type { Executor } from './database.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

const KEPT_PER_DEVICE = 100

/** A result that was signed because the device changed. */
export interface SignedResult {
  readonly deviceId: number
  /** Number of the newest transition that it is about. */
  readonly transitionId: number
  /** ms since 1970. */
  readonly issuedAt: number
  readonly cwt: Uint8Array
  /** Thumbprint of the key that signed it. */
  readonly keyId: Uint8Array
}

/** With what the device became, on the axis that changed last. */
export type ListedResult = SignedResult & Pick<Transition, 'axis' | 'to' | 'cause'>

export interface ChangedDevice {
  readonly deviceId: number
  readonly ueid: Ueid
}

export type SignedResultsRepository = ReturnType<typeof signedResultsRepository>

export function signedResultsRepository(db: Executor) {
  /** Where no row says so, nothing is settled. */
  const settled = sql<number>`coalesce((select settled from result_signing), 0)`
  return {
    /** Devices after this one that have changed since their newest result, in the order of their keys. */
    async changed(after: number, limit: number): Promise<readonly ChangedDevice[]> {
      return db
        .selectFrom('device_transitions')
        .innerJoin('devices', 'devices.id', 'device_transitions.device_id')
        .select(['device_transitions.device_id as deviceId', 'devices.ueid as ueid'])
        .distinct()
        .where('device_transitions.id', '>', settled)
        .where('device_transitions.device_id', '>', after)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('signed_results')
                .select('signed_results.device_id')
                .whereRef('signed_results.device_id', '=', 'device_transitions.device_id')
                .whereRef('signed_results.transition_id', '>=', 'device_transitions.id'),
            ),
          ),
        )
        .orderBy('device_transitions.device_id')
        .limit(limit)
        .execute()
    },

    /** The newest transition of a device, where no result is about it yet. */
    async unsignedTransition(deviceId: number): Promise<number | undefined> {
      const newest = await db
        .selectFrom('device_transitions')
        .select('id')
        .where('device_id', '=', deviceId)
        .orderBy('id', 'desc')
        .limit(1)
        .executeTakeFirst()
      if (newest === undefined) return undefined
      const signed = await db
        .selectFrom('signed_results')
        .select('transition_id')
        .where('device_id', '=', deviceId)
        .where('transition_id', '>=', newest.id)
        .executeTakeFirst()
      return signed === undefined ? newest.id : undefined
    },

    /** Keeps the newest 100 of the device. Changes nothing where there is one about the transition. */
    async add({ deviceId, transitionId, issuedAt, cwt, keyId }: SignedResult): Promise<void> {
      await db
        .insertInto('signed_results')
        .values({ device_id: deviceId, transition_id: transitionId, issued_at: issuedAt, cwt, key_id: keyId })
        .onConflict((conflict) => conflict.column('transition_id').doNothing())
        .execute()
      const oldest = db
        .selectFrom('signed_results')
        .select('transition_id')
        .where('device_id', '=', deviceId)
        .orderBy('transition_id', 'desc')
        .offset(KEPT_PER_DEVICE - 1)
        .limit(1)
      await db
        .deleteFrom('signed_results')
        .where('device_id', '=', deviceId)
        .where('transition_id', '<', oldest)
        .execute()
    },

    /**
     * What happened before this moment is not looked at again. Later numbers can still come to light in another order
     * than that in which they were given, since transactions of several devices go on beside each other.
     */
    async settle(before: number): Promise<void> {
      const { unsettled } = await db
        .selectFrom('device_transitions')
        .select(({ fn }) => fn.min('id').as('unsettled'))
        .where('id', '>', settled)
        .where('at', '>=', before)
        .executeTakeFirstOrThrow()
      const { newest } = await db
        .selectFrom('device_transitions')
        .select(({ fn }) => fn.max('id').as('newest'))
        .where('id', '>', settled)
        .where('at', '<', before)
        .executeTakeFirstOrThrow()
      if (newest === null) return
      const reached = unsettled === null ? Number(newest) : Math.min(Number(newest), Number(unsettled) - 1)
      await db
        .insertInto('result_signing')
        .values({ id: 1, settled: reached })
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet({ settled: reached }).where('result_signing.settled', '<', reached),
        )
        .execute()
    },

    /** Newest first. */
    async list(deviceId: number, page: PageRequest): Promise<Page<ListedResult>> {
      const cursor = integerCursor(page)
      let query = db
        .selectFrom('signed_results')
        .innerJoin('device_transitions', 'device_transitions.id', 'signed_results.transition_id')
        .select([
          'signed_results.device_id as deviceId',
          'signed_results.transition_id as transitionId',
          'signed_results.issued_at as issuedAt',
          'signed_results.cwt as cwt',
          'signed_results.key_id as keyId',
          'device_transitions.axis as axis',
          'device_transitions.to_value as to',
          'device_transitions.cause as cause',
        ])
        .where('signed_results.device_id', '=', deviceId)
        .orderBy('signed_results.transition_id', 'desc')
        .limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('signed_results.transition_id', '<', cursor)
      return toPage(
        await query.execute(),
        page,
        (row) => row.transitionId,
        (row) => row,
      )
    },
  }
}
