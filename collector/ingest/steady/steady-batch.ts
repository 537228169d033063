import type { ReleaseTime } from '../known-releases.ts'
import { concat, equal, toHex } from '../../../shared/bytes/bytes.ts'
import { hash, sha256 } from '../../../shared/crypto/node.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { decodeEvidence, type UnverifiedEvidence } from '../../../shared/evidence/evidence.ts'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import { appraise, type Appraisal } from '../../appraisal/appraise.ts'
import type { KnownDevice, KnownReleases } from '../../appraisal/context.ts'
import type { Device, DeviceState } from '../../model/device.ts'
import type { Epoch, EvidenceRecord } from '../../model/evidence.ts'
import type { Store } from '../../store/index.ts'
import type { SteadyDevice } from '../../store/steady/steady.ts'
import { conclude } from '../../tracking/conclude.ts'
import type { EvidenceDependencies, Handled, ReceivedMessage } from '../evidence-handler.ts'
import { PREFIX, REMEMBERED } from '../history.ts'
import type { KnownReceipts } from '../receipts.ts'
import { hold } from '../sequence.ts'

interface Held extends SteadyDevice {
  /** Its newest message of this batch, where one of them was taken here. */
  readonly newest?: EvidenceRecord
}

/**
 * The reports of a batch that tell nothing new, which is nearly all of a healthy fleet. They go through the very same
 * appraisal as any other; only reading and writing is done for all of them at once. Whatever is not exactly the next
 * report of a healthy device, or does not end as the last one did, is left to ../evidence-handler.ts.
 */
export class SteadyBatch {
  readonly #store: Store
  readonly #deps: EvidenceDependencies
  readonly #devices: Map<Ueid, Held>
  readonly #epochs = new Map<string, Epoch | undefined>()
  readonly #references = new Map<string, string | null>()
  readonly #releases = new Map<string, KnownReleases | undefined>()

  private constructor(store: Store, deps: EvidenceDependencies, devices: ReadonlyMap<Ueid, SteadyDevice>) {
    this.#store = store
    this.#deps = deps
    this.#devices = new Map(devices)
  }

  /** `store`: of the transaction that has locked these devices. */
  static async load(store: Store, deps: EvidenceDependencies, ueids: readonly Ueid[]): Promise<SteadyBatch> {
    return new SteadyBatch(store, deps, ueids.length === 0 ? new Map() : await store.steady.load(ueids))
  }

  /** The device was changed by other means: it is none of these any more. To be called after `flush`. */
  forget(ueid: Ueid): void {
    this.#devices.delete(ueid)
  }

  /** What becomes of a message, or undefined where it has to be looked at by itself. */
  async handle(message: ReceivedMessage, ueid: Ueid): Promise<Handled | undefined> {
    const held = this.#devices.get(ueid)
    if (held === undefined) return undefined
    const unverified = decoded(message.bytes)
    if (unverified === undefined || !isNext(unverified, held)) return undefined
    const known = await this.#knownOf(held, unverified, message)
    if (known === undefined) return undefined
    const { receivedAt } = message
    const decision = appraise({
      topicUeid: ueid,
      unverified,
      hashOfMessage: sha256(message.bytes),
      known,
      policy: this.#deps.policy,
      receivedAt,
      hash,
    })
    if (decision.kind !== 'appraised' || !tellsNothing(decision)) return undefined
    const times = { receivedAt, epochIssuedAt: known.epoch?.issuedAt ?? null }
    const { state, opened, seen, left } = conclude(held.state, [], decision, times)
    if (opened.length + seen.length + left.length > 0 || !isSameBut(held.state, state)) return undefined
    return this.#accept(held, state, decision, receivedAt)
  }

  async #accept(
    held: Held,
    state: DeviceState,
    appraisal: Appraisal,
    receivedAt: number,
  ): Promise<Handled | undefined> {
    const { device, run } = held
    const { claims, bytes } = appraisal.evidence
    const epoch = appraisal.epochNumber
    const counted = hold(held.session, claims.sequence)
    if (epoch === null || counted === undefined) return undefined
    const session = { ...counted, lastEpoch: Math.max(counted.lastEpoch ?? epoch, epoch) }
    const newest: EvidenceRecord = {
      deviceId: device.id,
      session: claims.session,
      seq: claims.sequence,
      hash: appraisal.hashOfMessage,
      previous: claims.previous,
      epoch,
      receivedAt,
      fresh: true,
      outcome: null,
      verdict: appraisal.verdict,
      postureDigest: claims.postureDigest,
      pcrDigest: appraisal.pcrDigest,
      bytes,
    }
    if ((newest.seq - run.firstSeq) % this.#deps.history.keepOneIn === 0) await this.#store.evidence.insert(newest)
    const next: Held = {
      ...held,
      state,
      session,
      run: {
        ...run,
        lastSeq: newest.seq,
        headHash: newest.hash,
        newestEpoch: Math.max(run.newestEpoch ?? 0, epoch) || null,
        lastReceivedAt: Math.max(run.lastReceivedAt, receivedAt),
      },
      recentHashes: concat(held.recentHashes, newest.hash.subarray(0, PREFIX)).subarray(-REMEMBERED * PREFIX),
      newest,
    }
    this.#devices.set(device.ueid, next)
    return {
      device,
      hash: newest.hash,
      result: 'accepted',
      code: null,
      detail: '',
      session,
      sequence: newest.seq,
      request: null,
      urgent: false,
      appraisal,
      known: null,
    }
  }

  async #knownOf(
    held: Held,
    evidence: UnverifiedEvidence,
    { receivedAt, proofs }: ReceivedMessage,
  ): Promise<KnownDevice | undefined> {
    const { device, state, session, run } = held
    const epoch = await this.#epochOf(evidence.claims.nonce)
    if (epoch === undefined) return undefined
    const releases = await this.#releasesAt(device, { now: receivedAt })
    const releasesThen = await this.#releasesAt(device, { past: epoch.issuedAt })
    const isReleased = releases !== undefined && releasesThen !== undefined
    const shared = this.#deps.shared.find({
      vendor: device.vendor,
      productId: device.productId,
      postureDigest: evidence.claims.postureDigest,
      pcrDigest: state.pcrDigest,
      firmwareLog: evidence.tpm?.logs.firmware ?? null,
      reference: isReleased ? null : (held.ownReference ?? (await this.#referenceOf(device.productId))),
      releases,
      releasesThen,
    })
    // What was approved after the epoch had begun is compared with what held before.
    if (shared === undefined || (shared.approved !== undefined && epoch.issuedAt < shared.approved.approvedAt)) {
      return undefined
    }
    return {
      ...shared,
      device,
      ...this.#deps.keys.keysOf(device, proofs),
      state,
      epoch,
      links: {
        session,
        samePlace: undefined,
        hashBefore: run.headHash,
        previousOfNext: undefined,
        freshSessions: [],
        namedReceipt: undefined,
      },
    }
  }

  async #epochOf(nonce: Uint8Array): Promise<Epoch | undefined> {
    const name = toHex(nonce)
    if (!this.#epochs.has(name)) this.#epochs.set(name, await this.#store.epochs.byNonce(nonce))
    return this.#epochs.get(name)
  }

  async #referenceOf(productId: string): Promise<string | null> {
    const held = this.#references.get(productId)
    if (held !== undefined) return held
    const reference = await this.#store.steady.referenceOfProduct(productId)
    this.#references.set(productId, reference)
    return reference
  }

  async #releasesAt(device: Device, at: ReleaseTime): Promise<KnownReleases | undefined> {
    const name = `${device.productId} ${JSON.stringify(at)}`
    if (!this.#releases.has(name)) this.#releases.set(name, await this.#deps.releases.of(this.#store, device, at))
    return this.#releases.get(name)
  }

  /** What the device was sent before; undefined where that has to be read from the store. */
  receiptsOf(ueid: Ueid): KnownReceipts | undefined {
    const held = this.#devices.get(ueid)
    if (held?.newest === undefined) return undefined
    return { lastIssuedAt: held.lastReceiptAt, lastNumber: held.state.lastReceiptNumber }
  }

  /** The device is sent a receipt of this number, which the caller stores. */
  sentReceipt(ueid: Ueid, lastReceiptNumber: number): void {
    const held = this.#devices.get(ueid)
    if (held !== undefined) this.#devices.set(ueid, { ...held, state: { ...held.state, lastReceiptNumber } })
  }

  /** Writes what has come together, so that whoever reads the store sees it. */
  async flush(): Promise<void> {
    const moved = [...this.#devices.values()].flatMap(({ newest, ...held }) =>
      newest === undefined ? [] : [{ deviceId: held.device.id, newest, ...held }],
    )
    if (moved.length === 0) return
    await this.#store.steady.advance(moved)
    const used = new Map(moved.map(({ device, newest }) => [nameOfValues(device, newest), [device, newest] as const]))
    for (const [device, { pcrDigest, receivedAt }] of used.values()) {
      if (pcrDigest !== null) await this.#store.pcrSets.use(device.vendor, pcrDigest, receivedAt)
    }
    for (const { device, deviceId: _, newest: __, ...rest } of moved) {
      this.#devices.set(device.ueid, { ...rest, device })
    }
  }
}

const nameOfValues = ({ vendor }: Device, { pcrDigest }: EvidenceRecord): string =>
  `${pcrDigest === null ? '' : toHex(pcrDigest)} ${vendor}`

function decoded(bytes: Uint8Array): UnverifiedEvidence | undefined {
  try {
    return decodeEvidence(bytes)
  } catch (error) {
    if (error instanceof OutcomeError) return undefined
    throw error
  }
}

/** Whether it is the very next message of the running agent, and brings nothing that would have to be kept. */
function isNext({ claims, tpm }: UnverifiedEvidence, { state, session, run }: SteadyDevice): boolean {
  return (
    equal(claims.session, session.session) &&
    claims.sequence === run.lastSeq + 1 &&
    claims.previous !== null &&
    claims.posture === null &&
    state.postureDigest !== null &&
    equal(claims.postureDigest, state.postureDigest) &&
    (tpm === null || (tpm.pcrs === null && tpm.logs.ima === null))
  )
}

function tellsNothing({ newest, verdict, failure, deviations, missing, ima, freshness }: Appraisal): boolean {
  const lacks = missing.posture || missing.pcrs || missing.contents.length > 0 || missing.ima !== null
  const isIdle = ima.state === undefined && ima.spentLists.length === 0
  return (
    newest &&
    freshness === 'fresh' &&
    verdict === 'affirming' &&
    failure === null &&
    deviations.length === 0 &&
    !lacks &&
    isIdle
  )
}

const same = (one: Uint8Array | null, other: Uint8Array | null): boolean =>
  one === null || other === null ? one === other : equal(one, other)

/** Whether only that moved which `store.steady.advance` writes. */
function isSameBut(before: DeviceState, after: DeviceState): boolean {
  return (
    before.verdict === after.verdict &&
    before.verdictCode === after.verdictCode &&
    before.latch === after.latch &&
    before.liveness === after.liveness &&
    before.bootCoverage === after.bootCoverage &&
    same(before.freshSession, after.freshSession) &&
    same(before.postureDigest, after.postureDigest) &&
    same(before.pcrDigest, after.pcrDigest) &&
    same(before.bootDigest, after.bootDigest) &&
    same(before.bootSeed, after.bootSeed) &&
    before.bootAwaited === after.bootAwaited &&
    before.ima === after.ima &&
    before.release.current === after.release.current &&
    before.release.since === after.release.since &&
    before.release.highest === after.release.highest &&
    before.release.judgedBy === after.release.judgedBy &&
    before.namedReceipt === after.namedReceipt &&
    before.agentVersion === after.agentVersion
  )
}
