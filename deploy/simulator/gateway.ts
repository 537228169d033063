import { afterReceipt, afterRequest, type Told } from '../../agent/attest/acknowledgements.ts'
import { makeEvidence } from '../../agent/attest/make-evidence.ts'
import { AttestationSession } from '../../agent/attest/session.ts'
import { equal, toHex } from '../../shared/bytes/bytes.ts'
import type { MacKey } from '../../shared/cose/mac0.ts'
import type { Signer } from '../../shared/cose/sign1.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { equalConstantTime, sha256 } from '../../shared/crypto/node.ts'
import { OutcomeError } from '../../shared/errors.ts'
import type { Challenge } from '../../shared/evidence/challenge.ts'
import { openDownMessage, type ContentRequest, type Receipt } from '../../shared/evidence/down.ts'
import type { EpochMessage } from '../../shared/evidence/epoch.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import { signSectionPart } from '../../shared/evidence/section-part.ts'
import type { StateScalar } from '../../shared/evidence/state.ts'
import { upstreamTopic } from '../../shared/evidence/topics.ts'
import { version } from '../../shared/version.ts'
import type { SimulatedBoot } from './boot/boot.ts'
import { SimulatedOutbox, type WaitingReport } from './outbox.ts'
import type { Content } from './posture/content.ts'
import { postureOf, type Readings, type SimulatedPosture } from './posture/posture.ts'
import { MemoryProgress, type ProgressStore } from './progress.ts'
import type { SimulatedTpm } from './tpm.ts'

/** Who a simulated gateway is to one collector, however it was enrolled there. */
export interface GatewayIdentity {
  readonly index: number
  readonly ueid: Ueid
  readonly model: string
  readonly signer: Signer
  readonly receiptKey: MacKey
  readonly collectorId: Uint8Array
}

export interface UpstreamMessage {
  readonly topic: string
  readonly bytes: Uint8Array
}

/** What became of reports by one message of the collector. */
export interface Answered {
  readonly receipted: readonly WaitingReport[]
  readonly refused: readonly { readonly report: WaitingReport; readonly code: string }[]
  /** It asks for what travels within evidence only. */
  readonly measure: boolean
  /** What it asks for besides. */
  readonly messages: readonly UpstreamMessage[]
}

const NO_ANSWER: Answered = { receipted: [], refused: [], measure: false, messages: [] }
const MAX_TOLD = 256

/**
 * A gateway whose messages the agent's own code makes and signs, with keys in software. Its clock, its posture and its
 * connection are the simulation's.
 */
export class SimulatedGateway {
  readonly identity: GatewayIdentity
  readonly tpm: SimulatedTpm | null
  readonly outbox = new SimulatedOutbox()
  posture: SimulatedPosture
  readonly #random: RandomFunction
  readonly #progress: ProgressStore
  #session: AttestationSession
  #bootId: Uint8Array
  #epoch: EpochMessage | null = null
  #challenge: Challenge | null = null
  #told: readonly Told[] = []
  /** By name: what was ever named and may be asked for. */
  #contents = new Map<string, Content>()
  #contentsSent = new Set<string>()

  constructor(
    identity: GatewayIdentity,
    tpm: SimulatedTpm | null,
    posture: SimulatedPosture,
    random: RandomFunction,
    progress: ProgressStore = new MemoryProgress(),
  ) {
    this.identity = identity
    this.tpm = tpm
    this.posture = posture
    this.#random = random
    this.#progress = progress
    this.#bootId = random(16)
    this.#session = this.#newSession()
  }

  get ueid(): Ueid {
    return this.identity.ueid
  }

  get session(): Uint8Array {
    return this.#session.id
  }

  get hasEpoch(): boolean {
    return this.#epoch !== null
  }

  /** An epoch whose signature was checked. True when it is newer than any before. */
  learn(epoch: EpochMessage): boolean {
    const known = this.#epoch
    if (known !== null && epoch.number <= known.number && epoch.issuedAt <= known.issuedAt) return false
    this.#epoch = epoch
    return true
  }

  /** The machine changes while it runs. */
  drift(change: (readings: Readings) => Readings): void {
    this.posture = postureOf(change(this.posture.readings))
  }

  reboot(posture: SimulatedPosture, boot: SimulatedBoot): void {
    this.posture = posture
    this.tpm?.reboot(boot)
    this.#bootId = this.#random(16)
    this.restart()
  }

  /** A new run of the agent. */
  restart(): void {
    this.#session = this.#newSession()
  }

  #newSession(): AttestationSession {
    return new AttestationSession(this.#random(16), this.#progress.current.lastReceipt?.hash ?? null)
  }

  /** The machine with its keys and what it remembers, started elsewhere. */
  clone(random: RandomFunction): SimulatedGateway {
    const progress = new MemoryProgress(this.#progress.current)
    const copy = new SimulatedGateway(this.identity, this.tpm?.copy() ?? null, this.posture, random, progress)
    copy.#epoch = this.#epoch
    copy.#contents = new Map(this.#contents)
    return copy
  }

  /** Measures and puts the evidence into the outbox. False without an epoch to answer. `now`: the wall clock, ms. */
  async report(now: number): Promise<boolean> {
    const { identity, tpm, posture } = this
    if (this.#epoch === null) return false
    const contents = tpm === null ? posture.contents : [...posture.contents, tpm.boot.log]
    for (const content of contents) this.#contents.set(content.name, content)
    const challenge = this.#challenge
    const made = await makeEvidence({
      ueid: identity.ueid,
      collectorId: identity.collectorId,
      signer: identity.signer,
      session: this.#session,
      nonce: this.#epoch.nonce,
      challenge: challenge?.nonce,
      posture: {
        sections: posture.sections,
        posture: posture.map,
        postureDigest: posture.digest,
        state: this.#sensorState(now),
        measurements: new Map(),
        bootId: this.#bootId,
        uptimeSeconds: Math.floor(now / 1000) % 10_000_000,
      },
      state: this.#ownState(),
      hardwareModel: identity.model,
      software: { name: 'keepseal-simulator', version },
      issuedAt: Math.floor(now / 1000),
      quote: tpm === null ? null : (extraData) => Promise.resolve(tpm.quote(extraData, now)),
      firmwareLogDigest: tpm?.boot.log.digest ?? null,
      acknowledged: this.#progress.current.acknowledged,
    })
    const { bytes, hash, sequence, postureDigest, pcrDigest } = made
    const session = this.#session.id
    this.outbox.put({ session, sequence, createdAt: Math.floor(now / 1000), size: bytes.length, hash, bytes })
    this.#session.advance(hash)
    if (challenge !== null) await this.#progress.update({ answeredChallenge: challenge.number })
    if (this.#challenge === challenge) this.#challenge = null
    const digests = contents.map(({ digest }) => digest)
    const told: Told = { session, sequence, postureDigest, pcrDigest, contents: digests, list: null }
    this.#told = [...this.#told, told].slice(-MAX_TOLD)
    return true
  }

  #sensorState(now: number): ReadonlyMap<string, StateScalar> {
    return new Map<string, StateScalar>([
      ['update-channel.last-check-age', Math.floor(now / 1000) % 86_400],
      ['update-channel.last-check-source', 'stamp'],
      ['sockets.own-addresses', `tcp/10.${this.identity.index % 250}.0.2:22`],
    ])
  }

  #ownState(): ReadonlyMap<string, StateScalar> {
    return new Map<string, StateScalar>([
      ['outbox.waiting', this.outbox.waiting.length],
      ['outbox.dropped', this.outbox.dropped],
      ['outbox.refused', this.outbox.refused],
      ['agent.rss-kib', 48_000],
    ])
  }

  connected(): void {
    this.outbox.connected()
    this.#contentsSent = new Set()
  }

  /** The other side did not take all of what was sent last: contents are sent once more with the next report. */
  notTaken(): void {
    this.#contentsSent = new Set()
  }

  /** The messages in which a report travels: contents that are not known to be there, then the evidence. */
  async messagesOf(report: WaitingReport): Promise<readonly UpstreamMessage[]> {
    const told = this.#told.find(
      ({ session, sequence }) => sequence === report.sequence && equal(session, report.session),
    )
    const unknown = (told?.contents ?? []).filter((digest) => !this.#isAcknowledged(digest)).map(toHex)
    const messages = await this.#contentMessages(unknown.filter((name) => !this.#contentsSent.has(name)))
    return [...messages, { topic: upstreamTopic(this.ueid, 'evidence'), bytes: report.bytes }]
  }

  #isAcknowledged(digest: Uint8Array): boolean {
    return this.#progress.current.acknowledged.contents.some((known) => equal(known, digest))
  }

  async #contentMessages(names: readonly string[]): Promise<UpstreamMessage[]> {
    const topic = upstreamTopic(this.ueid, 'section')
    const messages: UpstreamMessage[] = []
    for (const name of names) {
      for (const part of this.#contents.get(name)?.parts ?? []) {
        messages.push({ topic, bytes: await signSectionPart(this.ueid, part, this.identity.signer) })
      }
      this.#contentsSent.add(name)
    }
    return messages
  }

  /** A receipt, a request or a challenge. Anything that is not the collector's has no effect. */
  async answered(bytes: Uint8Array): Promise<Answered> {
    try {
      const message = openDownMessage(bytes, this.ueid, this.identity.receiptKey, equalConstantTime)
      if (message.role === 'receipt') return await this.#receipted(message.receipt, bytes)
      if (message.role === 'request') return await this.#requested(message.request)
      return this.#asked(message.challenge)
    } catch (error) {
      if (error instanceof OutcomeError) return NO_ANSWER
      throw error
    }
  }

  async #receipted(receipt: Receipt, bytes: Uint8Array): Promise<Answered> {
    const { current } = this.#progress
    const { acknowledged, waiting } = afterReceipt(current.acknowledged, this.#told, receipt.sessions)
    this.#told = waiting
    const isNewer = receipt.number > (current.lastReceipt?.number ?? -1)
    const lastReceipt = { number: receipt.number, hash: new Uint8Array(sha256(bytes)) }
    await this.#progress.update({ acknowledged, ...(isNewer ? { lastReceipt } : {}) })
    const receipted = this.outbox.receipted(receipt.sessions)
    const codes = new Map(receipt.refused.map(({ hash, code }) => [toHex(hash), code]))
    const refused = this.outbox
      .refuse(receipt.refused.map(({ hash }) => hash))
      .map((report) => ({ report, code: codes.get(toHex(report.hash)) ?? '' }))
    if (this.outbox.waiting.length === 0) this.#forgetOldContents()
    return { receipted, refused, measure: false, messages: [] }
  }

  #forgetOldContents(): void {
    const current = [...this.posture.contents, ...(this.tpm === null ? [] : [this.tpm.boot.log])]
    this.#contents = new Map(current.map((content) => [content.name, content]))
  }

  #asked(challenge: Challenge): Answered {
    const known = Math.max(this.#progress.current.answeredChallenge, this.#challenge?.number ?? 0)
    if (challenge.number <= known) return NO_ANSWER
    this.#challenge = challenge
    return { ...NO_ANSWER, measure: true }
  }

  async #requested(request: ContentRequest): Promise<Answered> {
    await this.#progress.update({ acknowledged: afterRequest(this.#progress.current.acknowledged, request) })
    const messages = await this.#contentMessages(request.contents.map(toHex))
    return { ...NO_ANSWER, measure: request.posture || request.pcrs, messages }
  }
}
