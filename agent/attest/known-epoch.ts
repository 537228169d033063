import { equal } from '../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../shared/errors.ts'
import type { DeviceKey } from '../../shared/evidence/evidence.ts'
import { openEpoch, type EpochMessage } from '../../shared/evidence/epoch.ts'
import { openRestorePoint, type RestorePointMessage } from '../../shared/evidence/restore-point.ts'

/** What earlier runs knew, as it was signed. */
export interface StoredEpoch {
  readonly restorePoint: Uint8Array | null
  readonly epoch: Uint8Array | null
}

/**
 * The newest epoch that this device has seen of its collector. It goes forward by number alone, whatever the clocks
 * say, unless a restore point begins the numbering anew. Restore points go forward, too.
 */
export class KnownEpoch {
  readonly #collector: { readonly id: Uint8Array; readonly key: DeviceKey }
  #restorePoint: RestorePointMessage | null = null
  #current: EpochMessage | null = null

  constructor(collector: { readonly id: Uint8Array; readonly key: DeviceKey }, stored: StoredEpoch) {
    this.#collector = collector
    if (stored.restorePoint !== null) this.offerRestorePoint(stored.restorePoint)
    if (stored.epoch !== null) this.offer(stored.epoch)
  }

  /** null also after a restore point, until the first epoch after it. */
  get current(): EpochMessage | null {
    return this.#current
  }

  /** Seconds since 1970 by the collector's clock: when it was last put back from a backup; 0 if never. */
  get restoredAt(): number {
    return this.#restorePoint?.restoredAt ?? 0
  }

  /** True when the message is a newer epoch of this collector. Anything else, forged or old, changes nothing. */
  offer(message: Uint8Array): boolean {
    const epoch = this.#own(() => openEpoch(message, this.#collector.key))
    if (epoch === undefined || epoch.number <= (this.#current?.number ?? -1)) return false
    if (epoch.number < (this.#restorePoint?.firstEpoch ?? 0)) return false
    this.#current = epoch
    return true
  }

  /** True when the message is a newer restore point of this collector. Epochs of before are then no longer known. */
  offerRestorePoint(message: Uint8Array): boolean {
    const point = this.#own(() => openRestorePoint(message, this.#collector.key))
    if (point === undefined || point.number <= (this.#restorePoint?.number ?? 0)) return false
    this.#restorePoint = point
    const { current } = this
    const isAfter = current !== null && current.number >= point.firstEpoch && current.issuedAt >= point.restoredAt
    if (!isAfter) this.#current = null
    return true
  }

  /** Undefined for what this collector did not sign. */
  #own<T extends { readonly collectorId: Uint8Array }>(open: () => T): T | undefined {
    try {
      const message = open()
      return equal(message.collectorId, this.#collector.id) ? message : undefined
    } catch (error) {
      if (error instanceof OutcomeError) return undefined
      throw error
    }
  }
}
