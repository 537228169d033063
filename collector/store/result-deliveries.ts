import { sql } from 'kysely'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { Executor } from './database.ts'

/** A result that a device is to be told of. */
export interface ResultDelivery {
  readonly deviceId: number
  readonly ueid: Ueid
  readonly number: number
  /** ms since 1970: of the change that it is about. */
  readonly since: number
  readonly cwt: Uint8Array
  readonly tries: number
}

export type ResultDeliveriesRepository = ReturnType<typeof resultDeliveriesRepository>

/** What devices have not confirmed yet: a newer result takes the place of an older one. */
export function resultDeliveriesRepository(db: Executor) {
  return {
    async owe(deviceId: number, number: number): Promise<void> {
      await db
        .insertInto('result_deliveries')
        .values({ device_id: deviceId, transition_id: number, tries: 0 })
        .onConflict((conflict) => conflict.column('device_id').doUpdateSet({ transition_id: number, tries: 0 }))
        .execute()
    },

    /** Of these devices. One whose result is not kept any more is owed nothing. */
    async of(devices: readonly number[]): Promise<readonly ResultDelivery[]> {
      if (devices.length === 0) return []
      return db
        .selectFrom('result_deliveries')
        .innerJoin('devices', 'devices.id', 'result_deliveries.device_id')
        .innerJoin('signed_results', 'signed_results.transition_id', 'result_deliveries.transition_id')
        .innerJoin('device_transitions', 'device_transitions.id', 'result_deliveries.transition_id')
        .select([
          'result_deliveries.device_id as deviceId',
          'devices.ueid as ueid',
          'result_deliveries.transition_id as number',
          'device_transitions.at as since',
          'signed_results.cwt as cwt',
          'result_deliveries.tries as tries',
        ])
        .where('result_deliveries.device_id', 'in', devices)
        .execute()
    },

    async tried(devices: readonly number[]): Promise<void> {
      if (devices.length === 0) return
      await db
        .updateTable('result_deliveries')
        .set({ tries: sql<number>`tries + 1` })
        .where('device_id', 'in', devices)
        .execute()
    },

    /** They hold it, or were told often enough. One that is newer by now stays. */
    async settle(settled: readonly Pick<ResultDelivery, 'deviceId' | 'number'>[]): Promise<void> {
      for (const { deviceId, number } of settled) {
        await db
          .deleteFrom('result_deliveries')
          .where('device_id', '=', deviceId)
          .where('transition_id', '<=', number)
          .execute()
      }
    },
  }
}
