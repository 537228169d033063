import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { ecdsaKey, ed25519Key, hash, random as systemRandom } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { Certificate } from '../../shared/decisions/certificate.ts'
import { certificatesCovering } from '../../shared/decisions/covering.ts'
import type { GuardResult } from '../../shared/decisions/kind.ts'
import { DecisionLog, type UnsignedDecision, type VerifiedEntry } from '../../shared/decisions/log.ts'
import { excerptOf } from '../../shared/certificate/file.ts'
import type { LogHead, Register } from '../../shared/decisions/register.ts'
import { defaultCatalogue } from '../../shared/maturity/catalogue/catalogue.ts'
import type { Catalogue } from '../../shared/maturity/catalogue/schema.ts'
import type { Store } from '../store/index.ts'
import { applyEffects } from './effects.ts'
import { assertFacts, checkFacts } from './live-facts.ts'
import { assertLive } from './live-guards.ts'

const crypto = { hash, ed25519Key, ecdsaKey }
const PAGE = 500
/**
 * A clock that is further off than this signs nothing: entries of the future would keep everybody from deciding, and those
 * of the past would say that something was decided before it was.
 */
const MAX_OFF_SECONDS = 300

/** What may be done with it. */
export type Decisions = Pick<
  DecisionBook,
  'register' | 'certificatesCovering' | 'excerpt' | 'next' | 'append' | 'rehearse' | 'entriesAbout' | 'entriesOf'
>

/** Of the decision log, what is about one certificate. */
export interface Excerpt {
  readonly logId: Uint8Array
  readonly head: LogHead
  readonly register: Register
  readonly entries: readonly Uint8Array[]
}

/**
 * The decision log of this collector, as far as it has been read and checked. Several collectors may append to one
 * database: each reads what the others have added before it answers.
 */
export class DecisionBook {
  readonly #store: Store
  readonly #catalogue: Catalogue
  readonly #random: RandomFunction
  #log = new DecisionLog(crypto)

  constructor(store: Store, catalogue: Catalogue = defaultCatalogue, random = systemRandom) {
    this.#store = store
    this.#catalogue = catalogue
    this.#random = random
  }

  /**
   * Everything that was decided. Throws when an entry in the database does not hold: somebody changed it there. Within a
   * transaction hand in its store: the outer one waits until that has ended.
   */
  async register(store = this.#store): Promise<Register> {
    await this.#readInto(this.#log, store)
    return this.#log.register
  }

  /** Certificates in force for a product. `now`: ms since 1970. */
  async certificatesCovering(productId: string, now: number, store = this.#store): Promise<readonly Certificate[]> {
    const { certificates } = await this.register(store)
    const product = certificates.size === 0 ? undefined : await store.products.byId(productId)
    return product === undefined ? [] : certificatesCovering({ certificates }, product, Math.floor(now / 1000))
  }

  /** What the log says about one certificate, with the log's identity and head. Error: request.not-found. */
  async excerpt(id: string): Promise<Excerpt> {
    const log = new DecisionLog(crypto)
    const entries: VerifiedEntry[] = []
    await this.#readInto(log, this.#store, (entry) => entries.push(entry))
    const { head, certificates } = log.register
    if (head === null || log.id === undefined || !certificates.has(id)) {
      throw new KeepsealError('request.not-found', `certificate ${id}`)
    }
    return { logId: log.id, head, register: log.register, entries: excerptOf(log, entries, id) }
  }

  /** Where the next entry belongs, and to which log; null before the first. */
  async next(): Promise<{ readonly log: Uint8Array | null } & ReturnType<DecisionLog['next']>> {
    await this.#readInto(this.#log)
    return { log: this.#log.id ?? null, ...this.#log.next() }
  }

  /**
   * Appends what somebody has signed. `now`: seconds since 1970. Throws KeepsealError with a guard's code, or
   * `log.moved-on` when another decision took its place; then nothing was changed.
   */
  async append(entry: Uint8Array, now: number): Promise<VerifiedEntry> {
    await this.#readInto(this.#log)
    // On a copy: what the database refuses must not stay in memory.
    const tried = await this.#read()
    const verified = tried.append(entry)
    if (Math.abs(verified.at - now) > MAX_OFF_SECONDS) {
      throw new KeepsealError('log.time-reversed', `the entry is from the ${verified.at > now ? 'future' : 'past'}`)
    }
    const before = this.#log.register
    await this.#store.transaction(async (store) => {
      await assertLive(verified, { register: tried.register, store, catalogue: this.#catalogue })
      await assertFacts({ ...verified, store, register: before })
      await appendTo(store, verified.index, entry, now)
      await applyEffects(store, verified, { register: tried.register, now, random: this.#random })
    })
    this.#log = tried
    return verified
  }

  /** The guards of a decision that nobody has signed yet, each with its outcome. Changes nothing. */
  async rehearse(decision: UnsignedDecision): Promise<readonly GuardResult[]> {
    const register = await this.register()
    const results = this.#log.rehearse(decision)
    return [...results, ...(await checkFacts({ ...decision, store: this.#store, register }))]
  }

  /** Signed entries about a case, in order. */
  async entriesAbout(caseId: string): Promise<readonly { readonly index: number; readonly bytes: Uint8Array }[]> {
    const steps = (await this.register()).cases.get(caseId)?.history ?? []
    const entries = await Promise.all(steps.map(({ index }) => this.#store.decisions.from(index, 1)))
    return steps.flatMap(({ index }, place) => (entries[place] ?? []).map((bytes) => ({ index, bytes })))
  }

  /** What was decided about documents, requests, recommendations, steps of roadmaps and practices, by their ids, in order. */
  async entriesOf(subjects: ReadonlySet<string>): Promise<readonly VerifiedEntry[]> {
    const entries: VerifiedEntry[] = []
    if (subjects.size === 0) return entries
    await this.#readInto(new DecisionLog(crypto), this.#store, (entry) => {
      if (subjects.has(entry.subject)) entries.push(entry)
    })
    return entries
  }

  /** A log of its own, read anew. Decisions are few, and made by people. */
  async #read(): Promise<DecisionLog> {
    const log = new DecisionLog(crypto)
    await this.#readInto(log)
    return log
  }

  /** Whoever reads at the same time has added entries meanwhile: those are not added again. */
  async #readInto(log: DecisionLog, store = this.#store, seen?: (entry: VerifiedEntry) => void): Promise<void> {
    for (;;) {
      const from = log.next().index
      const entries = await store.decisions.from(from, PAGE)
      for (const entry of entries.slice(log.next().index - from)) {
        const verified = log.append(entry)
        seen?.(verified)
      }
      if (entries.length < PAGE) return
    }
  }
}

async function appendTo(store: Store, index: number, entry: Uint8Array, now: number): Promise<void> {
  try {
    await store.decisions.append(index, entry, now * 1000)
  } catch (cause) {
    const isTaken = cause instanceof KeepsealError && cause.code === 'request.conflict'
    throw isTaken ? new KeepsealError('log.moved-on', undefined, { cause }) : cause
  }
}
