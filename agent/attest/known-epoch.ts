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

/** Whose epochs they are. `formerKeys` have signed what is stored, and sign nothing any more. */
export interface EpochIssuer {
  readonly id: Uint8Array
  readonly key: DeviceKey
  readonly formerKeys?: readonly DeviceKey[]
}

/** Far more than either message takes. */
const MAX_KEPT_BYTES = 4096

/**
 * The newest epoch that this device has seen of its collector. It goes forward by number alone, whatever the clocks
 * say, unless a restore point begins the numbering anew. Restore points go forward, too.
 */
export class KnownEpoch {
  #collector: EpochIssuer
  #restorePoint: RestorePointMessage | null = null
  #current: EpochMessage | null = null
  /** The newest of each that another key has signed: it may be the key that the collector is about to name. */
  #bySomebodyElse: { readonly epoch?: Uint8Array; readonly restorePoint?: Uint8Array } = {}

  constructor(collector: EpochIssuer, stored: StoredEpoch) {
    this.#collector = collector
    const { key, formerKeys = [] } = collector
    for (const each of [...formerKeys, key]) {
      if (stored.restorePoint !== null) this.#takeRestorePoint(stored.restorePoint, each)
    }
    for (const each of [...formerKeys, key]) if (stored.epoch !== null) this.#take(stored.epoch, each)
    this.#bySomebodyElse = {}
  }

  /** null also after a restore point, until the first epoch after it. */
  get current(): EpochMessage | null {
    return this.#current
  }

  /** Seconds since 1970 by the collector's clock: when it was last put back from a backup; 0 if never. */
  get restoredAt(): number {
    return this.#restorePoint?.restoredAt ?? 0
  }

  /** An epoch came that a key has signed which this device does not know. */
  get isBySomebodyElse(): boolean {
    return this.#bySomebodyElse.epoch !== undefined
  }

  /** True when the message is a newer epoch of this collector. Anything else, forged or old, changes nothing. */
  offer(message: Uint8Array): boolean {
    return this.#take(message, this.#collector.key)
  }

  /** True when the message is a newer restore point of this collector. Epochs of before are then no longer known. */
  offerRestorePoint(message: Uint8Array): boolean {
    return this.#takeRestorePoint(message, this.#collector.key)
  }

  /**
   * Another key of the collector is in force. What came before that was known, and was signed by it, counts now: gives
   * what of that is newer, to be kept.
   */
  follow(collector: EpochIssuer): { readonly epoch?: Uint8Array; readonly restorePoint?: Uint8Array } {
    this.#collector = collector
    const { epoch, restorePoint } = this.#bySomebodyElse
    this.#bySomebodyElse = {}
    return {
      ...(restorePoint !== undefined && this.offerRestorePoint(restorePoint) ? { restorePoint } : {}),
      ...(epoch !== undefined && this.offer(epoch) ? { epoch } : {}),
    }
  }

  #take(message: Uint8Array, key: DeviceKey): boolean {
    const epoch = this.#own(message, 'epoch', () => openEpoch(message, key))
    if (epoch === undefined || epoch.number <= (this.#current?.number ?? -1)) return false
    if (epoch.number < (this.#restorePoint?.firstEpoch ?? 0)) return false
    this.#current = epoch
    return true
  }

  #takeRestorePoint(message: Uint8Array, key: DeviceKey): boolean {
    const point = this.#own(message, 'restorePoint', () => openRestorePoint(message, key))
    if (point === undefined || point.number <= (this.#restorePoint?.number ?? 0)) return false
    this.#restorePoint = point
    const { current } = this
    const isAfter = current !== null && current.number >= point.firstEpoch && current.issuedAt >= point.restoredAt
    if (!isAfter) this.#current = null
    return true
  }

  /** Undefined for what this collector did not sign. */
  #own<T extends { readonly collectorId: Uint8Array }>(
    message: Uint8Array,
    kind: 'epoch' | 'restorePoint',
    open: () => T,
  ): T | undefined {
    try {
      const opened = open()
      if (!equal(opened.collectorId, this.#collector.id)) return undefined
      const { [kind]: _, ...others } = this.#bySomebodyElse
      this.#bySomebodyElse = others
      return opened
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error
      const isOther = error.code === 'cose.key-id-mismatch' && message.length <= MAX_KEPT_BYTES
      if (isOther) this.#bySomebodyElse = { ...this.#bySomebodyElse, [kind]: message }
      return undefined
    }
  }
}
