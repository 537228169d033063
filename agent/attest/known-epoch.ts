import { equal } from '../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../shared/errors.ts'
import type { DeviceKey } from '../../shared/evidence/evidence.ts'
import { openEpoch, type EpochMessage } from '../../shared/evidence/epoch.ts'

/**
 * A collector that was restored from a backup counts on from there, and its numbers come a second time: what it then
 * issues is newer by its time. A collector whose clock was set back goes on counting. An old message is neither.
 */
const isNewer = (epoch: EpochMessage, known: EpochMessage): boolean =>
  epoch.number > known.number || epoch.issuedAt > known.issuedAt

/** The newest epoch that this device has seen of its collector. It only ever goes forward. */
export class KnownEpoch {
  readonly #collector: { readonly id: Uint8Array; readonly key: DeviceKey }
  #current: EpochMessage | null = null

  /** `stored`: the newest one of earlier runs, as it was signed. */
  constructor(collector: { readonly id: Uint8Array; readonly key: DeviceKey }, stored: Uint8Array | null) {
    this.#collector = collector
    if (stored !== null) this.offer(stored)
  }

  get current(): EpochMessage | null {
    return this.#current
  }

  /** True when the message is a newer epoch of this collector. Anything else, forged or old, changes nothing. */
  offer(message: Uint8Array): boolean {
    try {
      const epoch = openEpoch(message, this.#collector.key)
      if (!equal(epoch.collectorId, this.#collector.id)) return false
      if (this.#current !== null && !isNewer(epoch, this.#current)) return false
      this.#current = epoch
      return true
    } catch (error) {
      if (error instanceof OutcomeError) return false
      throw error
    }
  }
}
