import * as v from 'valibot'
import { equal, toHex } from '../bytes/bytes.ts'
import type { VerificationKey } from '../crypto/crypto.ts'
import { errors } from '../codes/errors.ts'
import { KeepsealError } from '../errors.ts'
import { credentialVerificationKey, type CredentialCrypto } from '../webauthn/assertion.ts'
import { assertSignedBy, parseDecision, type DecisionContent, type UnverifiedEntry } from './entry.ts'
import { refuse, type DecisionKind, type GuardResult } from './kind.ts'
import { decisionKinds } from './kinds.ts'
import { firstPerson, type Person } from './person.ts'
import { emptyRegister, type Register } from './register.ts'

export type LogCrypto = CredentialCrypto

/** An entry that its author has signed, that follows the one before it, and whose guards held. */
export interface VerifiedEntry extends DecisionContent {
  readonly author: Person
  readonly hash: Uint8Array
  readonly bytes: Uint8Array
}

/** What somebody intends to decide. */
export interface UnsignedDecision extends Pick<DecisionContent, 'at' | 'kind' | 'subject' | 'detail'> {
  readonly keyId: Uint8Array
}

/** Seconds that the clocks of two authors may differ. */
const CLOCK_TOLERANCE = 300

const FIRST = 'log.begin'

/**
 * A decision log, read from its start: append-only, each entry names the one before it and is signed by its author. The
 * same code decides in the collector whether an entry may be appended, and checks an exported log without network.
 */
export class DecisionLog {
  readonly register: Register = emptyRegister()
  readonly #crypto: LogCrypto
  readonly #kinds: ReadonlyMap<string, DecisionKind<unknown>>
  readonly #keys = new Map<string, VerificationKey>()
  /** Of passkeys: the counter of the newest entry of each. */
  readonly #signCounts = new Map<string, number>()
  #log: Uint8Array | undefined
  readonly #hasGaps: boolean

  /** `hasGaps`: an excerpt, which leaves out entries about other things. What is next to each other has to fit. */
  constructor(crypto: LogCrypto, { hasGaps = false }: { readonly hasGaps?: boolean } = {}) {
    this.#crypto = crypto
    this.#hasGaps = hasGaps
    this.#kinds = decisionKinds(crypto.hash)
  }

  /** Identity of the log; undefined before its first entry. */
  get id(): Uint8Array | undefined {
    return this.#log
  }

  /** What the next entry has to say about its place. */
  next(): Pick<DecisionContent, 'index' | 'previous'> {
    const { head } = this.register
    return head === null ? { index: 0, previous: null } : { index: head.index + 1, previous: head.hash }
  }

  /**
   * Appends an entry if all of it holds. Throws KeepsealError with a code of shared/codes/guards.ts, and then the log is
   * as before.
   */
  append(bytes: Uint8Array): VerifiedEntry {
    const entry = parseDecision(bytes, this.#crypto.hash)
    this.#assertPlace(entry)
    const { kind, detail } = this.#read(entry.kind, entry.detail)
    if (entry.index === 0) return this.#begin(entry, kind, detail)
    const author = this.#authorOf(entry)
    const signCount = this.#assertSigned(entry, author)
    if (author.revokedAt !== null) refuse('log.revoked-author', `${author.name}, entry ${entry.index}`)
    if (!kind.roles.includes(author.role)) refuse('decision.role', `${author.name} is ${author.role}`)
    this.#apply(entry, author, kind, detail)
    this.#counted(author, signCount)
    return { ...entry, author }
  }

  /**
   * What would become of a decision that nobody has signed yet: each of its guards with its outcome. Changes nothing.
   * Throws as `append` does for what is not as documented, or about something that the log does not know.
   */
  rehearse({ kind: name, subject, detail: given, at, keyId }: UnsignedDecision): readonly GuardResult[] {
    const { kind, detail } = this.#read(name, given)
    const { index } = this.next()
    const author = this.#authorOf({ keyId, index })
    const { name: who, role, revokedAt } = author
    const may = kind.roles.includes(role)
    const results: GuardResult[] = [
      { code: 'log.revoked-author', wants: 'you may still sign', wrong: revokedAt === null ? null : who },
      { code: 'decision.role', wants: `you are ${kind.roles.join(' or ')}`, wrong: may ? null : `${who} is ${role}` },
    ]
    const decision = { author, index, at: Math.max(at, this.register.head?.at ?? 0), subject, detail }
    if (kind.check !== undefined) return [...results, ...kind.check(this.register, decision)]
    return refuse('decision.wrong-state', `${name} has no guards that can be shown`)
  }

  #read(name: string, given: unknown): { readonly kind: DecisionKind<unknown>; readonly detail: unknown } {
    const kind = this.#kinds.get(name) ?? refuse('log.malformed', `the kind ${JSON.stringify(name)}`)
    const detail = v.safeParse(kind.schema, given)
    if (detail.success) return { kind, detail: detail.output }
    const [issue] = detail.issues
    return refuse('log.malformed', `${name} ${v.getDotPath(issue) ?? ''}: ${issue.message}`)
  }

  /** The first entry is signed by the key that it brings: who trusts the log has to know that one. */
  #begin(entry: UnverifiedEntry, kind: DecisionKind<unknown>, detail: unknown): VerifiedEntry {
    const author = firstPerson(entry.subject, detail, this.#crypto.hash)
    if (toHex(entry.keyId) !== author.keyId) refuse('log.unknown-author', 'the first entry is signed by another key')
    const signCount = this.#assertSigned(entry, author)
    this.#apply(entry, author, kind, detail)
    this.#counted(author, signCount)
    this.#log = Uint8Array.from(entry.log)
    return { ...entry, author }
  }

  #assertPlace(entry: UnverifiedEntry): void {
    const { head } = this.register
    const { index, previous } = this.next()
    const isAfterGap = this.#hasGaps && head !== null && entry.index > index
    const follows =
      isAfterGap ||
      (entry.index === index &&
        (previous === null ? entry.previous === null : entry.previous !== null && equal(entry.previous, previous)))
    if (!follows) refuse('log.broken-link', `entry ${entry.index} where ${index} is next`)
    if (this.#log !== undefined && !equal(entry.log, this.#log)) refuse('log.broken-link', 'an entry of another log')
    if (index === 0 && entry.kind !== FIRST) refuse('log.malformed', `the first entry is no ${FIRST}`)
    if (head !== null && entry.at + CLOCK_TOLERANCE < head.at) refuse('log.time-reversed', `entry ${index}`)
  }

  /** Whose key it is. Nothing says yet that he has signed. */
  #authorOf(entry: Pick<UnverifiedEntry, 'keyId' | 'index'>): Person {
    const keyId = toHex(entry.keyId)
    const author = [...this.register.people.values()].find((person) => person.keyId === keyId)
    return author ?? refuse('log.unknown-author', `entry ${entry.index}, key ${keyId.slice(0, 16)}`)
  }

  /** Gives the counter of a passkey. */
  #assertSigned(entry: UnverifiedEntry, { key, keyId, relyingParty }: Person): number | null {
    const verificationKey = this.#keys.get(keyId) ?? this.#imported(key)
    this.#keys.set(keyId, verificationKey)
    const lastSignCount = this.#signCounts.get(keyId) ?? null
    const author = { key, verificationKey, thumbprint: entry.keyId, relyingParty, lastSignCount }
    return assertSignedBy(entry, author, this.#crypto.hash)
  }

  #imported(key: Person['key']): VerificationKey {
    try {
      return credentialVerificationKey(key, this.#crypto)
    } catch (cause) {
      if (!(cause instanceof KeepsealError)) throw cause
      throw new KeepsealError('log.signature-invalid', 'the key of the person is no public key', { cause })
    }
  }

  /** Only when the entry stands: one that is refused uses nothing up. */
  #counted({ keyId }: Person, signCount: number | null): void {
    if (signCount !== null) this.#signCounts.set(keyId, signCount)
  }

  #apply(entry: UnverifiedEntry, author: Person, kind: DecisionKind<unknown>, detail: unknown): void {
    const { subject, index, hash } = entry
    // Periods count from no earlier than the decision before, whatever the clock of the author says.
    const at = Math.max(entry.at, this.register.head?.at ?? 0)
    kind.apply(this.register, { author, index, at, subject, detail })
    this.register.head = { index, hash, at }
  }
}

/** Reads a whole log. Throws KeepsealError at the first entry that does not hold; its message names the entry. */
export function readLog(entries: Iterable<Uint8Array>, crypto: LogCrypto): DecisionLog {
  const log = new DecisionLog(crypto)
  let index = 0
  for (const bytes of entries) {
    try {
      log.append(bytes)
    } catch (cause) {
      if (!(cause instanceof KeepsealError)) throw cause
      const detail = cause.message.slice(errors[cause.code].title.length)
      throw new KeepsealError(cause.code, `entry ${index}${detail}`, { cause, remedy: cause.remedy })
    }
    index += 1
  }
  return log
}
