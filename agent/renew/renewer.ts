import { KeepsealError } from '../../shared/errors.ts'
import type { Log } from '../log.ts'
import type { Identity } from '../state/identity.ts'
import { BY_FORMER_CHANCE, isDue, issuerOf, LOOK_MS, retryMs } from './schedule.ts'

export interface RenewerOptions {
  readonly identity: Identity
  /** An earlier run has asked the collector for a certificate and not got it: the one in force may not hold any more. */
  readonly begun: boolean
  readonly renew: (identity: Identity) => Promise<Identity>
  readonly renewed: (identity: Identity) => void
  readonly log: Log
  /** Milliseconds since 1970, by the best that is known. */
  readonly now: () => number
  /** From 0 to below 1. */
  readonly random: () => number
}

const SPREAD_MS = 60_000

/** Renews this device's certificate when it is time, again and again until it is stopped. */
export class Renewer {
  readonly #options: RenewerOptions
  #identity: Identity
  /** Of its certificate. */
  #issuer: ReturnType<typeof issuerOf>
  #begun: boolean
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #told: string | undefined
  #stopped = false

  constructor(options: RenewerOptions) {
    this.#options = options
    this.#identity = options.identity
    this.#issuer = issuerOf(options.identity.tls)
    this.#begun = options.begun
  }

  /** Spread over a minute, so that a fleet that came back together does not ask together. */
  start(): void {
    this.#schedule(this.#options.random() * SPREAD_MS)
  }

  /** Another part has changed the identity on disk: with other authorities, its certificate may be good for nothing. */
  use(identity: Identity): void {
    this.#take(identity)
    if (this.#issuer === 'none') this.#schedule(this.#options.random() * SPREAD_MS)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** What stands against the renewal; undefined where nothing does. */
  get problem(): string | undefined {
    return this.#told
  }

  /** Renews where it is time. Never rejects. */
  async look(): Promise<void> {
    const { renew, renewed, log, now, random } = this.#options
    const isByFormer = this.#issuer === 'none' || (this.#issuer === 'former' && random() < BY_FORMER_CHANCE)
    const isTime = isByFormer || isDue(this.#identity.tls.certificate, now())
    if (!this.#begun && !isTime) return this.#schedule(LOOK_MS)
    this.#begun = true
    try {
      this.#take(await renew(this.#identity))
      this.#begun = false
      this.#failures = 0
      this.#told = undefined
      log.info('the certificate of this device was renewed')
      renewed(this.#identity)
      this.#schedule(LOOK_MS)
    } catch (error) {
      this.#failures++
      this.#tell(error)
      this.#schedule(retryMs(this.#failures) * (1 + random() / 2))
    }
  }

  #take(identity: Identity): void {
    this.#identity = identity
    this.#issuer = issuerOf(identity.tls)
  }

  /** Each reason once: the collector may be away for a week. */
  #tell(error: unknown): void {
    const reason = error instanceof KeepsealError ? `${error.message}. ${error.remedy}` : String(error)
    if (reason === this.#told) return
    this.#told = reason
    this.#options.log.warn(`the certificate of this device is not renewed: ${reason}`)
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer)
    if (!this.#stopped) this.#timer = setTimeout(() => void this.look(), ms)
  }
}
