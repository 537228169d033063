import { ed25519Key, hash } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { DecisionLog, type VerifiedEntry } from '../../shared/decisions/log.ts'
import type { Register } from '../../shared/decisions/register.ts'
import type { Store } from '../store/index.ts'

const crypto = { hash, ed25519Key }
const PAGE = 500
/**
 * A clock that is further off than this signs nothing: entries of the future would keep everybody from deciding, and those
 * of the past would say that something was decided before it was.
 */
const MAX_OFF_SECONDS = 300

/** What may be done with it. */
export type Decisions = Pick<DecisionBook, 'register' | 'next' | 'append'>

/**
 * The decision log of this collector, as far as it has been read and checked. Several collectors may append to one
 * database: each reads what the others have added before it answers.
 */
export class DecisionBook {
  readonly #store: Store
  #log = new DecisionLog(crypto)
  /** Readers wait for each other: two that follow at the same time would read entries twice. */
  #following: Promise<void> = Promise.resolve()

  constructor(store: Store) {
    this.#store = store
  }

  /** Everything that was decided. Throws when an entry in the database does not hold: somebody changed it there. */
  async register(): Promise<Register> {
    await this.#follow()
    return this.#log.register
  }

  /** Where the next entry belongs, and to which log; null before the first. */
  async next(): Promise<{ readonly log: Uint8Array | null } & ReturnType<DecisionLog['next']>> {
    await this.#follow()
    return { log: this.#log.id ?? null, ...this.#log.next() }
  }

  /**
   * Appends what somebody has signed. `now`: seconds since 1970. Throws KeepsealError with a guard's code, or
   * `log.moved-on` when another decision took its place; then nothing was changed.
   */
  async append(entry: Uint8Array, now: number): Promise<VerifiedEntry> {
    await this.#follow()
    // On a copy: what the database refuses must not stay in memory.
    const tried = await this.#read()
    const verified = tried.append(entry)
    if (Math.abs(verified.at - now) > MAX_OFF_SECONDS) {
      throw new KeepsealError('log.time-reversed', `the entry is from the ${verified.at > now ? 'future' : 'past'}`)
    }
    try {
      await this.#store.decisions.append(verified.index, entry, now * 1000)
    } catch (cause) {
      const isTaken = cause instanceof KeepsealError && cause.code === 'request.conflict'
      throw isTaken ? new KeepsealError('log.moved-on', undefined, { cause }) : cause
    }
    this.#log = tried
    return verified
  }

  /** A log of its own, read anew. Decisions are few, and made by people. */
  async #read(): Promise<DecisionLog> {
    const log = new DecisionLog(crypto)
    await this.#readInto(log)
    return log
  }

  async #follow(): Promise<void> {
    const following = this.#following.catch(() => undefined).then(() => this.#readInto(this.#log))
    this.#following = following
    await following
  }

  async #readInto(log: DecisionLog): Promise<void> {
    for (;;) {
      const entries = await this.#store.decisions.from(log.next().index, PAGE)
      for (const entry of entries) log.append(entry)
      if (entries.length < PAGE) return
    }
  }
}
