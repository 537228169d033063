import type { TlsIdentity } from '../state/identity.ts'

/** How a broker is reached: where it is, and with which certificates. */
export interface Way {
  readonly url: string
  readonly tls: TlsIdentity
}

/** Attempts for the way in force before the former one is tried once. */
const ATTEMPTS = 3

/**
 * Which way the next attempt takes. The one in force has precedence: the former one is tried after three failures, once,
 * and then again after three more. So a new address that is wrong, or not there yet, silences nobody.
 */
export class Ways {
  #current: Way
  readonly #former: () => Way | null
  #failures = 0

  /** `former`: while it may be used. */
  constructor(current: Way, former: () => Way | null = () => null) {
    this.#current = current
    this.#former = former
  }

  /** `isFormer`: the way that was left. */
  next(): Way & { readonly isFormer: boolean } {
    const former = this.#failures >= ATTEMPTS ? this.#former() : null
    return former === null ? { ...this.#current, isFormer: false } : { ...former, isFormer: true }
  }

  /** Whether it is the way in force still: that may have changed while a connection was made. */
  isInForce({ url, tls }: Way): boolean {
    return url === this.#current.url && tls === this.#current.tls
  }

  failed(isFormer: boolean): void {
    this.#failures = isFormer ? 0 : this.#failures + 1
  }

  succeeded(): void {
    this.#failures = 0
  }

  use(current: Way): void {
    this.#current = current
    this.#failures = 0
  }
}
