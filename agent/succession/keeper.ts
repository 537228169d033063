import { KeepsealError } from '../../shared/errors.ts'
import type { Log } from '../log.ts'
import { retryMs } from '../renew/schedule.ts'
import { forgetFallback, saveTrust } from '../state/change-identity.ts'
import type { Identity } from '../state/identity.ts'
import { FALLBACK_SECONDS, type Fallback } from '../state/trust.ts'
import { follow } from './follow.ts'

export interface SuccessionKeeperOptions {
  readonly identity: Identity
  readonly stateDirectory: string
  /** Asks the collector for its chain; null where it has none. Throws KeepsealError `collector.*`. */
  readonly ask: (identity: Identity) => Promise<Uint8Array | null>
  /** Told of what is trusted from now on, which is on disk already. `moved`: the broker is reached in another way. */
  readonly followed: (identity: Identity, moved: boolean) => void
  readonly log: Log
  /** Milliseconds since 1970, by the best that is known. */
  readonly now: () => number
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic: () => number
}

/** Follows the collector to its next keys, authorities and addresses, whoever brings the chain that says so. */
export class SuccessionKeeper {
  readonly #options: SuccessionKeeperOptions
  #identity: Identity
  #queue: Promise<unknown> = Promise.resolve()
  /** Why a chain could not be followed, and why the collector could not be asked. */
  #told: { readonly following?: string; readonly asking?: string } = {}
  #asked = 0
  #mayAskAt = Number.NEGATIVE_INFINITY

  constructor(options: SuccessionKeeperOptions) {
    this.#options = options
    this.#identity = options.identity
  }

  get identity(): Identity {
    return this.#identity
  }

  /** What stands against following; undefined where nothing does. */
  get problem(): string | undefined {
    return this.#told.following ?? this.#told.asking
  }

  /** The former way to the broker, while it may still be tried. */
  get fallback(): Fallback | null {
    const { fallback } = this.#identity.trust
    return fallback !== null && this.#options.now() / 1000 < fallback.since + FALLBACK_SECONDS ? fallback : null
  }

  /** Another part has changed the identity on disk. */
  use(identity: Identity): void {
    this.#identity = identity
  }

  /** Takes a chain that somebody has delivered. Never rejects; true where this device trusts something newer now. */
  offer(chain: Uint8Array): Promise<boolean> {
    return this.#inTurn(async () => {
      const { stateDirectory, now, log, followed } = this.#options
      const before = this.#identity
      const next = follow(before, chain, Math.floor(now() / 1000))
      if (next === undefined) return false
      this.#identity = await saveTrust(stateDirectory, before.ueid, next)
      this.#told = {}
      this.#settled()
      log.info(`the collector has changed its keys or addresses: statement ${next.trust.number} is followed`)
      followed(this.#identity, next.moved)
      return true
    })
  }

  /** Asks the collector itself. Never rejects. */
  async ask(): Promise<boolean> {
    try {
      const chain = await this.#options.ask(this.#identity)
      this.#forget('asking')
      return chain !== null && (await this.offer(chain))
    } catch (error) {
      return this.#tell('asking', error)
    }
  }

  /**
   * Something speaks for a change that this device has not heard of: the broker cannot be reached, or what it hands on
   * is signed by another key. Asks, at most once a minute at first and once in six hours in the end. Never rejects.
   */
  async doubt(): Promise<boolean> {
    const { monotonic } = this.#options
    if (monotonic() < this.#mayAskAt) return false
    this.#asked++
    this.#mayAskAt = monotonic() + retryMs(this.#asked)
    return this.ask()
  }

  /** The broker was reached in the way that is in force. Never rejects. */
  async reached(): Promise<void> {
    this.#settled()
    this.#forget('asking')
    if (this.#identity.trust.fallback === null) return
    await this.#inTurn(async () => {
      const { stateDirectory, log } = this.#options
      this.#identity = await forgetFallback(stateDirectory, this.#identity.ueid)
      log.info('the broker was reached in its new way: the former one is forgotten')
      return true
    })
  }

  /** What was wrong has ended: the next doubt is a new one. */
  #settled(): void {
    this.#asked = 0
    this.#mayAskAt = Number.NEGATIVE_INFINITY
  }

  #inTurn(action: () => Promise<boolean>): Promise<boolean> {
    const done = this.#queue.then(action).catch((error: unknown) => this.#tell('following', error))
    this.#queue = done
    return done
  }

  #forget(what: 'following' | 'asking'): void {
    const { [what]: _, ...others } = this.#told
    this.#told = others
  }

  /** Each reason once. */
  #tell(what: 'following' | 'asking', error: unknown): false {
    const reason = error instanceof KeepsealError ? `${error.message}. ${error.remedy}` : String(error)
    if (reason !== this.#told[what]) this.#options.log.warn(`the collector's succession: ${reason}`)
    this.#told = { ...this.#told, [what]: reason }
    return false
  }
}
