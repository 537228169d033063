import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import { Recent } from '../../recent.ts'
import type { Store } from '../../store/index.ts'
import { isSteady } from '../../store/steady/load.ts'
import type { SteadyDevice } from '../../store/steady/steady.ts'

interface Remembered {
  readonly device: SteadyDevice
  /** Of the advance that has brought it there. */
  readonly mark: number
}

/** Some 4 KB each. */
const CAPACITY = 20_000

/**
 * Devices as the last advance has left them, so that the next report of each needs no reading of its rows. The mark in
 * the database says whether that is still so; a collector beside this one needs not be told of anything.
 */
export class RememberedDevices {
  readonly #recent: Recent<Remembered>

  constructor(capacity = CAPACITY) {
    this.#recent = new Recent(capacity)
  }

  /** Those that nothing has changed since. `store`: of the transaction that has locked the devices. */
  async of(store: Store, ueids: readonly Ueid[]): Promise<ReadonlyMap<Ueid, SteadyDevice>> {
    const remembered = ueids.flatMap((ueid) => this.#recent.get(ueid) ?? [])
    if (remembered.length === 0) return new Map()
    const marks = await store.steady.marksOf(remembered.map(({ device }) => device.device.id))
    const unchanged = remembered.filter(({ device, mark }) => marks.get(device.device.id) === mark)
    return new Map(unchanged.map(({ device }) => [device.device.ueid, device]))
  }

  /** To be called only after the advance of this mark is known to be stored for good. */
  keep(device: SteadyDevice, mark: number): void {
    if (isSteady(device)) this.#recent.keep(device.device.ueid, { device: withoutOldRuns(device), mark })
  }
}

/** Those that a number still to come can adjoin, as they are loaded. */
function withoutOldRuns(device: SteadyDevice): SteadyDevice {
  const { contiguousTo } = device.session
  const begun = device.runs.filter(({ firstSeq }) => firstSeq <= contiguousTo)
  const first = Math.max(0, ...begun.map(({ firstSeq }) => firstSeq))
  return { ...device, runs: device.runs.filter(({ firstSeq }) => firstSeq >= first) }
}
