import { OutcomeError } from '../../shared/errors.ts'
import { openResultMessage, type DeviceResult, type ResultReader } from '../../shared/evidence/result-message.ts'

/** What the agent shows of the newest result: see `keepseal-agent status`. Times in seconds since 1970. */
export type ShownResult = Pick<
  DeviceResult,
  'status' | 'latch' | 'liveness' | 'bootCoverage' | 'reasons' | 'since' | 'issuedAt'
>

/**
 * The newest result about this device that its collector has signed. It goes forward by number, and for one number by
 * time, so that nobody who delivers messages can show what was concluded before.
 */
export class KnownResult {
  #reader: ResultReader
  /** Seconds since 1970: what was signed before the collector was put back from a backup counts by other numbers. */
  readonly #restoredAt: () => number
  #current: DeviceResult | null = null

  /** `stored`: as it was signed. One that cannot be used any more is forgotten. */
  constructor(reader: ResultReader, stored: Uint8Array | null, restoredAt: () => number) {
    this.#reader = reader
    this.#restoredAt = restoredAt
    if (stored !== null) this.#restore(stored)
  }

  /** It may have been signed before the collector's key changed. */
  #restore(stored: Uint8Array): void {
    const reader = this.#reader
    const { key, formerKeys = [] } = reader.collector
    for (const each of [key, ...formerKeys]) {
      try {
        this.#take(stored, { ...reader, collector: { ...reader.collector, key: each } })
        return
      } catch (error) {
        if (!(error instanceof OutcomeError)) throw error
      }
    }
  }

  /** Another key of the collector is in force. */
  follow(reader: ResultReader): void {
    this.#reader = reader
  }

  /** 0 before the first. */
  get number(): number {
    return this.#current?.number ?? 0
  }

  get shown(): ShownResult | null {
    if (this.#current === null) return null
    const { status, latch, liveness, bootCoverage, reasons, since, issuedAt } = this.#current
    return { status, latch, liveness, bootCoverage, reasons, since, issuedAt }
  }

  /**
   * True for a newer one, false for the one that is known. Throws OutcomeError for any other: `result.not-newer`,
   * `result.foreign`, `cbor.*`, `cose.*`, `claims.malformed`.
   */
  offer(message: Uint8Array): boolean {
    return this.#take(message, this.#reader)
  }

  #take(message: Uint8Array, reader: ResultReader): boolean {
    const result = openResultMessage(message, reader)
    const known = this.#current
    if (result.issuedAt < this.#restoredAt()) throw new OutcomeError('result.not-newer', 'from before a restore')
    if (known !== null) {
      if (result.number === known.number && result.issuedAt === known.issuedAt) return false
      const isOlder = result.number < known.number || result.issuedAt < known.issuedAt
      if (isOlder) throw new OutcomeError('result.not-newer', `${result.number} after ${known.number}`)
    }
    this.#current = result
    return true
  }

  /** After a restore of the collector: its changes are counted from less. */
  forget(): void {
    this.#current = null
  }
}
