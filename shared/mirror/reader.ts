import { equal, toHex } from '../bytes/bytes.ts'
import { DecisionLog, type LogCrypto } from '../decisions/log.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'
import { decodeEvidence, type DeviceKey } from '../evidence/evidence.ts'
import { checkEvidence, importKeys, keysFor, type EnrolledKeys, type MirrorCrypto } from './check-evidence.ts'
import { encodeEnrolment, type MirroredEnrolment } from './enrolment.ts'
import { openMirrorPage, encodeDeclaration, type MirroredEvidence, type MirrorPage } from './page.ts'
import { NO_ANCHORS, rewrittenParts, samePosition, START, type Anchors, type Position } from './position.ts'
import { DeviceRuns } from './runs.ts'

/** What is wrong with what a collector has handed over and signed. Names of shared/codes/errors.ts. */
export interface MirrorProblem {
  readonly code: 'mirror.evidence-invalid' | 'mirror.verdict-unsupported' | 'mirror.run-invalid' | 'mirror.log-invalid'
  /** From 1. */
  readonly page: number
  readonly detail: string
}

/** A device as far as it was mirrored. */
export interface MirroredDevice {
  readonly ueid: string
  readonly vendor: string
  readonly model: string
  readonly keys: EnrolledKeys[]
  readonly runs: DeviceRuns
  kept: number
  quotesGood: number
  quotesFailed: number
}

/** Further ones are counted. */
const MAX_PROBLEMS = 200

/**
 * Reads the pages of a mirror from the first on. What a page says is held against its signature, the page before and
 * what devices and people have signed. Memory grows with devices and runs, not with messages.
 */
export class MirrorReader {
  readonly #crypto: MirrorCrypto & LogCrypto
  /** In force from the newest page on: none of before counts again. */
  #collector: readonly DeviceKey[]
  readonly #log: DecisionLog
  readonly devices = new Map<string, MirroredDevice>()
  readonly declared = new Map<string, { vendor: string; model: string; units: number | null }>()
  readonly problems: MirrorProblem[] = []
  /** Of all, also those that the list has no room for. */
  problemCount = 0
  pages = 0
  /** SHA-256 of the newest page. */
  head: Uint8Array | null = null
  /** What the pages so far end with. */
  until: Position = START
  #anchors: Anchors = NO_ANCHORS
  collectorId: Uint8Array | null = null
  operator = ''
  /** Seconds since 1970, of the newest page. */
  at: number | null = null
  #isLogBroken = false

  /** `collector`: its keys in the order in which they followed one another; one of them, where it has had no other. */
  constructor(collector: readonly DeviceKey[], crypto: MirrorCrypto & LogCrypto) {
    this.#crypto = crypto
    this.#collector = collector
    this.#log = new DecisionLog(crypto)
  }

  get decisions() {
    return { head: this.#log.register.head, operator: this.#log.register.operator }
  }

  /** What has to stand at `until` in the collector's record, now and for ever. */
  get anchors(): Anchors {
    return this.#anchors
  }

  /**
   * Takes the next page. Throws KeepsealError `mirror.page-invalid`, `mirror.chain-broken` or `mirror.past-rewritten`,
   * and then the page is not part of this mirror; what else is wrong becomes a problem of it.
   */
  add(bytes: Uint8Array): MirrorPage {
    const page = openMirrorPage(bytes, this.#collector)
    this.assertFollows(page)
    this.#collector = this.#collector.slice(this.#collector.indexOf(page.signer))
    this.pages += 1
    this.head = this.#crypto.hash('sha256', bytes)
    this.until = page.until
    this.collectorId = page.collectorId
    this.operator = page.operator
    this.at = page.at
    for (const enrolment of page.enrolments) this.#enrol(enrolment)
    for (const { vendor, model, declared: units } of page.declarations) {
      this.declared.set(JSON.stringify([vendor, model]), { vendor, model, units })
    }
    for (const entry of page.decisions) this.#decide(entry)
    for (const run of page.runs) {
      const ueid = toHex(run.ueid)
      const wrong = this.devices.get(ueid)?.runs.add(run)
      if (wrong !== null) this.#problem('mirror.run-invalid', `device ${ueid}: ${wrong ?? 'not enrolled'}`)
    }
    for (const item of page.evidence) this.#attest(item, page.collectorId)
    this.#advance(page)
    this.#assertOperator(page)
    return page
  }

  /** The part of `add` that tells whether a page belongs here; changes nothing. */
  assertFollows(page: MirrorPage): void {
    const place = `page ${this.pages + 1}`
    const follows = page.previous === null ? this.head === null : this.head !== null && equal(page.previous, this.head)
    if (!follows) throw new KeepsealError('mirror.chain-broken', `${place} does not name the page before it`)
    if (!samePosition(page.after, this.until)) throw new KeepsealError('mirror.chain-broken', `${place} leaves a gap`)
    if (this.collectorId !== null && !equal(this.collectorId, page.collectorId)) {
      throw new KeepsealError('mirror.chain-broken', `${place} is of another collector`)
    }
    const rewritten = rewrittenParts(page.after, page.end, this.#anchors, page.anchors)
    if (rewritten.length > 0) throw new KeepsealError('mirror.past-rewritten', `${place}: ${rewritten.join(', ')}`)
    const { after, until, end } = page
    const counts: Position = {
      enrolments: page.enrolments.length,
      declarations: page.declarations.length,
      decisions: page.decisions.length,
      evidence: page.evidence.length,
    }
    for (const [name, count] of Object.entries(counts) as [keyof Position, number][]) {
      const isGrown = name === 'decisions' ? until[name] === after[name] + count : until[name] >= after[name] + count
      const isStill = count > 0 || until[name] === after[name]
      if (!isGrown || !isStill || until[name] > Math.max(end[name], after[name])) {
        throw new KeepsealError('mirror.chain-broken', `${place}: ${name} do not lead where the page ends`)
      }
    }
  }

  #problem(code: MirrorProblem['code'], detail: string): void {
    this.problemCount += 1
    if (this.problems.length < MAX_PROBLEMS) this.problems.push({ code, page: this.pages, detail })
  }

  #enrol(enrolment: MirroredEnrolment): void {
    const ueid = toHex(enrolment.ueid)
    const { vendor, model } = enrolment
    const fresh = { ueid, vendor, model, keys: [], runs: new DeviceRuns(), kept: 0, quotesGood: 0, quotesFailed: 0 }
    const device = this.devices.get(ueid) ?? fresh
    this.devices.set(ueid, device)
    try {
      device.keys.push(importKeys(enrolment, this.#crypto))
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error
      this.#problem('mirror.evidence-invalid', `device ${ueid} was enrolled with a key that is none: ${error.message}`)
    }
  }

  #decide(entry: Uint8Array): void {
    if (this.#isLogBroken) return
    try {
      this.#log.append(entry)
    } catch (error) {
      if (!(error instanceof KeepsealError)) throw error
      this.#isLogBroken = true
      this.#problem('mirror.log-invalid', `entry ${this.#log.next().index}: ${error.message} (${error.code})`)
    }
  }

  #attest({ bytes, verdict }: MirroredEvidence, collectorId: Uint8Array): void {
    const hash = this.#crypto.hash('sha256', bytes)
    try {
      const evidence = decodeEvidence(bytes)
      const device = this.devices.get(evidence.ueid)
      const keys = device === undefined ? undefined : keysFor(device.keys, evidence.message.keyId)
      if (device === undefined || keys === undefined) {
        const why = device === undefined ? 'was never enrolled' : 'never had the key that signed'
        this.#problem('mirror.evidence-invalid', `${toHex(hash)}: device ${evidence.ueid} ${why}`)
        return
      }
      const { quote, code } = checkEvidence(evidence, keys, collectorId, this.#crypto.hash)
      device.kept += 1
      if (quote === 'good') device.quotesGood += 1
      if (quote === 'failed') device.quotesFailed += 1
      if (quote === 'failed' && (verdict === 'affirming' || verdict === 'warning')) {
        const said = `device ${evidence.ueid}, message ${evidence.claims.sequence}: ${code ?? ''}, and was ${verdict}`
        this.#problem('mirror.verdict-unsupported', said)
      }
      const { session, sequence, previous } = evidence.claims
      const wrong = device.runs.place(session, sequence, hash, previous)
      if (wrong !== null) this.#problem('mirror.run-invalid', `device ${evidence.ueid}: ${wrong}`)
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error
      this.#problem('mirror.evidence-invalid', `${toHex(hash)}: ${error.message} (${error.code})`)
    }
  }

  #advance({ enrolments, declarations, decisions, evidence }: MirrorPage): void {
    const digest = (bytes: Uint8Array | undefined, before: Uint8Array | null): Uint8Array | null =>
      bytes === undefined ? before : this.#crypto.hash('sha256', bytes)
    const [enrolment, declaration] = [enrolments.at(-1), declarations.at(-1)]
    const before = this.#anchors
    this.#anchors = {
      enrolments: digest(enrolment && encodeEnrolment(enrolment), before.enrolments),
      declarations: digest(declaration && encodeDeclaration(declaration), before.declarations),
      decisions: digest(decisions.at(-1), before.decisions),
      evidence: digest(evidence.at(-1)?.bytes, before.evidence),
    }
  }

  /** Who operates the collector is what the log says, once all of it is here. */
  #assertOperator({ until, end, operator }: MirrorPage): void {
    if (until.decisions === 0 || until.decisions < end.decisions || this.#isLogBroken) return
    const said = this.#log.register.operator
    if (said !== operator)
      this.#problem('mirror.log-invalid', `the page names ${operator} as operator, the log ${said}`)
  }
}
