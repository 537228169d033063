import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import type { Device, DeviceState } from '../../model/device.ts'
import type { EvidenceRecord, EvidenceRun, Session } from '../../model/evidence.ts'
import type { Executor } from '../database.ts'
import { advanceAll } from './advance.ts'
import { loadSteady } from './load.ts'

/** Everything of one device that a usual report of its running agent bears on. */
export interface SteadyDevice {
  readonly device: Device
  readonly state: DeviceState
  /** The running agent. */
  readonly session: Session
  /** Of the session, from the one that holds `contiguousTo` on. */
  readonly runs: readonly EvidenceRun[]
  readonly recentHashes: Uint8Array
  /** ms since 1970; null before the first receipt. */
  readonly lastReceiptAt: number | null
  /** The newest epoch that another agent of the device was heard of in; null where there was none. */
  readonly lastEpochOfOthers: number | null
  /** Newest reference values of its own; null where it has none. */
  readonly ownReference: string | null
}

interface Newest {
  readonly record: EvidenceRecord
  readonly recentHashes: Uint8Array
}

/** What a device has come to by reports that told nothing new. */
export interface Advance {
  readonly deviceId: number
  readonly state: DeviceState
  readonly session: Session
  /** Stored before, and longer now. */
  readonly longer: readonly EvidenceRun[]
  /** Of the same session and with the same posture as the one before; undefined where that is still the newest. */
  readonly newest: Newest | undefined
}

export type SteadyRepository = ReturnType<typeof steadyRepository>

/** Many devices at once, for ingest: a query for each device costs more than all that it answers. */
export function steadyRepository(db: Executor) {
  return {
    /**
     * Those of the devices that nothing stands against: active, affirming, without a finding. The caller has locked
     * them.
     */
    load: (ueids: readonly Ueid[]): Promise<ReadonlyMap<Ueid, SteadyDevice>> => loadSteady(db, ueids),

    /** Newest reference values of the product as a whole. */
    async referenceOfProduct(productId: string): Promise<string | null> {
      const row = await db
        .selectFrom('reference_values')
        .select(({ fn }) => fn.max('id').as('id'))
        .where('product_id', '=', productId)
        .where('device_id', 'is', null)
        .executeTakeFirst()
      return row?.id ?? null
    },

    /**
     * `mark`: names this advance, as no other one. It stays with the devices until anything else changes them, by other
     * means or in another process, which triggers of the database see to.
     */
    advance: (advances: readonly Advance[], mark: number): Promise<void> => advanceAll(db, advances, mark),

    /** The marks of those of the devices that have one. */
    async marksOf(deviceIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
      const rows = await db
        .selectFrom('device_states')
        .select(['device_id', 'steady_mark'])
        .where('device_id', 'in', deviceIds)
        .where('steady_mark', 'is not', null)
        .$narrowType<{ steady_mark: number }>()
        .execute()
      return new Map(rows.map(({ device_id, steady_mark }) => [device_id, steady_mark]))
    },
  }
}
