import { equal, toHex } from '../../shared/bytes/bytes.ts'
import { equalConstantTime, sha256 } from '../../shared/crypto/node.ts'
import { KeepsealError, OutcomeError } from '../../shared/errors.ts'
import { openDownMessage, type ContentRequest, type Receipt } from '../../shared/evidence/down.ts'
import { isResultMessage } from '../../shared/evidence/result-message.ts'
import { version } from '../../shared/version.ts'
import type { Identity } from '../state/identity.ts'
import { MAX_RESULT_BYTES, type Progress } from '../state/progress.ts'
import type { OutboxEntry } from '../outbox/entry.ts'
import { counted, UsageMeter } from '../self/usage.ts'
import { BEFORE_ALL, type AgentOptions, type AgentStatus, type DownKind } from './agent-options.ts'
import { afterListRequest, afterReceipt, afterRequest, afterRestore, type Told } from './acknowledgements.ts'
import { carryList, type CarriedList } from './carry-list.ts'
import { Courier, type Publisher } from './courier.ts'
import { KeptFirmwareLog } from './firmware-log.ts'
import { KnownEpoch } from './known-epoch.ts'
import { KnownResult } from './known-result.ts'
import { makeEvidence } from './make-evidence.ts'
import { answered, askedBefore, dueIn, offered, type Asked } from './asked.ts'
import { ownState } from './own-state.ts'
import { measurePosture } from './posture.ts'
import { AttestationSession } from './session.ts'

const MAX_TOLD = 256

/**
 * One run of the agent: measures, makes evidence, keeps it until the collector has decided about it. Knows nothing of
 * timers and of how connections come about.
 */
export class Agent {
  readonly #options: AgentOptions
  readonly #session: AttestationSession
  readonly #epoch: KnownEpoch
  readonly #result: KnownResult
  readonly #courier: Courier
  readonly #usage: UsageMeter
  #asked: Asked
  #told: readonly Told[] = []
  /** Of the newest evidence, receipted or not. */
  #newestContents: readonly Uint8Array[] = []
  readonly #firmwareLog: KeptFirmwareLog
  #measuring: Promise<OutboxEntry | undefined> | undefined
  /** The kind of the problem that was logged last: a disk may be full for a week, with another path each time. */
  #logged: string | undefined
  #status = BEFORE_ALL

  constructor(options: AgentOptions) {
    const { identity, progress, unsent, random } = options
    this.#options = options
    this.#session = new AttestationSession(random(16), progress.current.lastReceipt?.hash ?? null)
    const { restorePoint, highestEpoch: epoch } = progress.current
    this.#epoch = new KnownEpoch(identity.collector, { restorePoint, epoch })
    this.#result = new KnownResult(identity, progress.current.result, () => this.#epoch.restoredAt)
    this.#asked = askedBefore(progress.current.answeredChallenge)
    this.#usage = new UsageMeter(options.host.cpuMs)
    this.#firmwareLog = new KeptFirmwareLog(unsent.contents, options.firmwareLog, (digest) =>
      this.#isAcknowledged(digest),
    )
    this.#courier = new Courier({
      ueid: identity.ueid,
      signer: identity.signer,
      ...unsent,
      rules: { resendSeconds: options.resendSeconds, backlogPerSecond: options.backlogPerSecond },
      log: options.log,
      monotonic: options.monotonic,
      contentsOf: (entry) => this.#unknownContentsOf(entry),
    })
  }

  get status(): AgentStatus {
    return { ...this.#status, epoch: this.#epoch.current?.number ?? null, result: this.#result.shown }
  }

  /** When the collector issued the newest epoch that it ever signed for us, in milliseconds; null for none. */
  get newestEpochMs(): number | null {
    const issuedAt = this.#epoch.current?.issuedAt
    return issuedAt === undefined ? null : issuedAt * 1000
  }

  /** In how many milliseconds a measurement is due because the collector asks for it; null where it does not. */
  get challengeDueMs(): number | null {
    return dueIn(this.#asked, this.#options.monotonic())
  }

  connected(publisher: Publisher): void {
    this.#status = { ...this.#status, connected: true }
    this.#courier.connected(counted(publisher, this.#usage))
  }

  disconnected(): void {
    this.#status = { ...this.#status, connected: false }
    this.#courier.disconnected()
  }

  /** True when the message was a newer epoch than any before. */
  async epochArrived(message: Uint8Array): Promise<boolean> {
    if (!this.#epoch.offer(message)) return false
    await this.#keep({ highestEpoch: message })
    return true
  }

  /** An epoch came that was signed by a key of which this device has not heard. */
  get doubtsItsKey(): boolean {
    return this.#epoch.isBySomebodyElse
  }

  /** The collector has another key from now on. True where an epoch that came before can be answered now. */
  async follow(identity: Pick<Identity, 'ueid' | 'collector'>): Promise<boolean> {
    this.#result.follow(identity)
    const { epoch, restorePoint } = this.#epoch.follow(identity.collector)
    if (restorePoint !== undefined) await this.#restored(restorePoint)
    if (epoch !== undefined) await this.#keep({ highestEpoch: epoch })
    return epoch !== undefined
  }

  async #keep(progress: Partial<Progress>): Promise<void> {
    await this.#options.progress.update(progress).catch((error: unknown) => this.#tell(error))
  }

  /** True for a newer restore point. Nothing counts as known then, and what has no receipt is sent again. */
  async restorePointArrived(message: Uint8Array): Promise<boolean> {
    if (!this.#epoch.offerRestorePoint(message)) return false
    await this.#restored(message)
    return true
  }

  async #restored(message: Uint8Array): Promise<void> {
    this.#result.forget()
    this.#asked = askedBefore(0)
    await this.#keep(afterRestore(this.#options.progress.current, message, this.#epoch.current !== null))
    this.#courier.sendAgain()
  }

  /**
   * Measures and puts the evidence into the outbox. Undefined where it could not be made: the status says why, and the
   * collector sees silence. Calls while one is under way get that one's result.
   */
  measure(): Promise<OutboxEntry | undefined> {
    this.#measuring ??= this.#measure()
      .catch((error: unknown) => this.#tell(error))
      .finally(() => {
        this.#measuring = undefined
      })
    return this.#measuring
  }

  async #measure(): Promise<OutboxEntry | undefined> {
    const { identity, host, helper, sampler, quote, now, progress, unsent } = this.#options
    const epoch = this.#epoch.current
    if (epoch === null) {
      this.#tell(new Error('no epoch of the collector has arrived yet, so there is nothing to answer'))
      return undefined
    }
    const challenge = this.#asked.waiting // What is measured before a question comes is no answer to it.
    const posture = await measurePosture(host, challenge === null ? helper : helper.anew())
    const contents: Uint8Array[] = []
    for (const { bytes, digest } of posture.sections.values()) {
      contents.push(new Uint8Array(digest))
      if (!this.#isAcknowledged(digest)) await unsent.contents.put(bytes)
    }
    const firmwareLogDigest = quote === null ? null : await this.#firmwareLog.digest(posture.bootId)
    if (firmwareLogDigest !== null) contents.push(firmwareLogDigest)
    let carried: CarriedList | null = null
    const usage = this.#usage.sinceReport()
    const made = await makeEvidence({
      ueid: identity.ueid,
      collectorId: identity.collector.id,
      signer: identity.signer,
      session: this.#session,
      nonce: epoch.nonce,
      challenge: challenge?.nonce,
      posture,
      state: ownState({ ...this.#options, result: this.#result.number, helperAge: helper.ageSeconds }, usage),
      hardwareModel: identity.product.model,
      software: { name: 'keepseal-agent', version },
      issuedAt: now(),
      quote,
      firmwareLogDigest,
      measurementList: async (pcrs) => {
        carried = await carryList({
          pcrs,
          boot: posture.bootId,
          known: progress.current.acknowledged.list,
          read: this.#options.measurementList,
          contents: unsent.contents,
          log: this.#options.log,
        })
        return carried?.suffix ?? null
      },
      acknowledged: progress.current.acknowledged,
    })
    const { sequence, postureDigest, pcrDigest } = made
    const entry = await unsent.outbox.put(made.bytes, { session: this.#session.id, sequence, createdAt: now() })
    if (challenge !== null) {
      this.#asked = answered(this.#asked, challenge, this.#options.monotonic())
      await this.#keep({ answeredChallenge: this.#asked.answered })
    }
    sampler.reported()
    this.#session.advance(made.hash)
    this.#usage.reported(usage)
    const { content = null, told: list = null } = (carried as CarriedList | null) ?? {}
    if (content !== null) contents.push(content)
    const told = { session: this.#session.id, sequence, postureDigest, pcrDigest, contents, list }
    this.#newestContents = contents
    this.#told = [...this.#told, told].slice(-MAX_TOLD)
    this.#status = { ...this.#status, lastMeasurementAt: now(), problem: null }
    this.#logged = undefined
    this.#courier.wake()
    return entry
  }

  #isAcknowledged(digest: Uint8Array): boolean {
    return this.#options.progress.current.acknowledged.contents.some((known) => equal(known, digest))
  }

  #unknownContentsOf({ session, sequence }: OutboxEntry): readonly Uint8Array[] {
    const told = this.#told.find((entry) => entry.sequence === sequence && equal(entry.session, session))
    return (told?.contents ?? []).filter((digest) => !this.#isAcknowledged(digest))
  }

  /**
   * A receipt, a request, a challenge or a result. Anything that is not the collector's is ignored: the broker is trusted with nothing.
   * `mayMeasure`: whether a request may have the machine measured again, or waits for the next interval.
   */
  async downArrived(message: Uint8Array, mayMeasure: boolean): Promise<DownKind> {
    const { identity, log } = this.#options
    try {
      if (isResultMessage(message)) return await this.#concluded(message)
      const opened = openDownMessage(message, identity.ueid, identity.receiptKey, equalConstantTime)
      if (opened.role === 'receipt') await this.#receipted(opened.receipt, message)
      else if (opened.role === 'request') await this.#requested(opened.request, mayMeasure)
      else this.#asked = offered(this.#asked, opened.challenge, this.#epoch.current?.issuedAt ?? 0)
      return opened.role
    } catch (error) {
      if (!(error instanceof OutcomeError)) {
        this.#tell(error)
        return 'ignored'
      }
      log.warn(`a message that is not from the collector, or an old one, was ignored: ${error.code}`)
      return 'ignored'
    }
  }

  async #concluded(message: Uint8Array): Promise<'result'> {
    if (message.length > MAX_RESULT_BYTES) throw new OutcomeError('cbor.too-large')
    if (!this.#result.offer(message)) return 'result'
    const { status, reasons } = this.#result.shown ?? {}
    const why = reasons === undefined || reasons.length === 0 ? '' : `: ${reasons.join(', ')}`
    this.#options.log.info(`the collector concludes ${status} about this device${why}`)
    await this.#options.progress.update({ result: message })
    return 'result'
  }

  async #receipted(receipt: Receipt, message: Uint8Array): Promise<void> {
    const { progress, unsent, log, now } = this.#options
    const { acknowledged, waiting } = afterReceipt(progress.current.acknowledged, this.#told, receipt.sessions)
    const last = progress.current.lastReceipt
    const isNewer = last === null || receipt.number > last.number
    // First what the receipt promises is written down, then what it makes superfluous is removed.
    await progress.update({
      acknowledged,
      ...(isNewer ? { lastReceipt: { number: receipt.number, hash: new Uint8Array(sha256(message)) } } : {}),
    })
    this.#told = waiting
    await unsent.outbox.receipted(receipt.sessions)
    const refused = await unsent.outbox.refused(receipt.refused.map(({ hash }) => hash))
    if (refused > 0) {
      const codes = [...new Set(receipt.refused.map(({ code }) => code))].join(', ')
      log.error(`the collector refused ${refused} reports: ${codes}`)
    }
    this.#status = { ...this.#status, lastReceiptAt: now() }
    // Contents are kept while a report that waits needs them, and those of the newest posture for requests.
    if (unsent.outbox.entries.length === 0) await unsent.contents.prune(this.#newestContents)
    this.#courier.wake()
  }

  async #requested(request: ContentRequest, mayMeasure: boolean): Promise<void> {
    const { progress, log } = this.#options
    log.debug(`the collector asks for ${request.contents.map((digest) => toHex(digest).slice(0, 8)).join(', ')}`)
    const { acknowledged } = progress.current
    const known = afterRequest(acknowledged, request)
    // Where the list cannot be read, asking for it again changes nothing, and must not make the TPM work without end.
    const hasForgottenList = acknowledged.list !== null && known.list === null
    await progress.update({ acknowledged: known })
    this.#told = afterListRequest(this.#told, request)
    await this.#courier.answer(request.contents)
    // All but contents travels within evidence only.
    if (mayMeasure && (request.posture || request.pcrs || hasForgottenList)) await this.measure()
  }

  #tell(error: unknown): undefined {
    const problem = error instanceof Error ? error.message : String(error)
    const kind = error instanceof KeepsealError ? error.code : problem
    this.#status = { ...this.#status, problem }
    if (kind === this.#logged) this.#options.log.debug(problem)
    else this.#options.log.error(problem)
    this.#logged = kind
    return undefined
  }
}
