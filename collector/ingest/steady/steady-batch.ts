import type { ReleaseTime } from '../known-releases.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import { hash, sha256 } from '../../../shared/crypto/node.ts'
import type { UnverifiedEvidence } from '../../../shared/evidence/evidence.ts'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import { appraise, type Appraisal } from '../../appraisal/appraise.ts'
import type { KnownDevice, KnownReleases } from '../../appraisal/context.ts'
import { withReceipt, type Device, type DeviceState } from '../../model/device.ts'
import type { Epoch, EvidenceRecord, EvidenceRun } from '../../model/evidence.ts'
import { longerBy, runOf } from '../../store/evidence-runs.ts'
import type { Store } from '../../store/index.ts'
import type { IssuedReceipt } from '../../store/receipts.ts'
import type { SteadyDevice } from '../../store/steady/steady.ts'
import { conclude } from '../../tracking/conclude.ts'
import { recordOf, sessionWith } from '../counted.ts'
import { waitsForReceipt, type EvidenceDependencies, type Handled, type ReceivedMessage } from '../evidence-handler.ts'
import { hashesWith, tellsTheSame } from '../history.ts'
import type { KnownReceipts } from '../receipts.ts'
import { Advancing } from './advancing.ts'
import { decoded, isSameBut, isUsual, mayBeOfCopy, tellsNothing } from './usual.ts'

/**
 * The reports of a batch that tell nothing new, which is nearly all of a healthy fleet: also those that queued up while
 * there was no way to the collector. They go through the very same appraisal as any other; only reading and writing is
 * done for all of them at once. Whatever is not a report of the running agent of a healthy device, or changes anything
 * about it, is left to ../evidence-handler.ts.
 */
export class SteadyBatch {
  readonly #store: Store
  readonly #deps: EvidenceDependencies
  readonly #devices: Map<Ueid, Advancing>
  readonly #epochs = new Map<string, Epoch | undefined>()
  readonly #references = new Map<string, string | null>()
  readonly #versions = new Map<string, number>()
  readonly #releases = new Map<string, KnownReleases | undefined>()
  /** Messages that are kept themselves. */
  readonly #samples: EvidenceRecord[] = []
  /** By which values messages were appraised. */
  readonly #used = new Map<string, readonly [Device, EvidenceRecord]>()

  private constructor(store: Store, deps: EvidenceDependencies, devices: ReadonlyMap<Ueid, SteadyDevice>) {
    this.#store = store
    this.#deps = deps
    this.#devices = new Map([...devices].map(([ueid, device]) => [ueid, new Advancing(device)]))
  }

  /** `store`: of the transaction that has locked these devices. */
  static async load(store: Store, deps: EvidenceDependencies, ueids: readonly Ueid[]): Promise<SteadyBatch> {
    const remembered = await deps.remembered.of(store, ueids)
    const others = ueids.filter((ueid) => !remembered.has(ueid))
    const loaded = others.length === 0 ? [] : await store.steady.load(others)
    return new SteadyBatch(store, deps, new Map([...remembered, ...loaded]))
  }

  /** To be called only after all of it is known to be stored for good. */
  remember(): void {
    for (const { mark, steady } of this.#devices.values()) {
      if (mark !== null) this.#deps.remembered.keep(steady, mark)
    }
  }

  /** The device was changed by other means: it is none of these any more. To be called after `flush`. */
  forget(ueid: Ueid): void {
    this.#devices.delete(ueid)
  }

  /** What becomes of a message, or undefined where it has to be looked at by itself. */
  async handle(message: ReceivedMessage, ueid: Ueid): Promise<Handled | undefined> {
    const device = this.#devices.get(ueid)
    if (device === undefined) return undefined
    const unverified = decoded(message.bytes)
    if (unverified === undefined || !isUsual(unverified, device)) return undefined
    const known = await this.#knownOf(device, unverified, message)
    if (known === undefined) return undefined
    const { receivedAt } = message
    const appraisal = appraise({
      topicUeid: ueid,
      unverified,
      hashOfMessage: sha256(message.bytes),
      known,
      policy: this.#deps.policy,
      receivedAt,
      hash,
    })
    if (appraisal.kind !== 'appraised' || !tellsNothing(appraisal) || mayBeOfCopy(appraisal, device)) return undefined
    const times = { receivedAt, epochIssuedAt: known.epoch?.issuedAt ?? null }
    const { state, opened, seen, left } = conclude(device.state, [], appraisal, times)
    if (opened.length + seen.length + left.length > 0 || !isSameBut(device.state, state)) return undefined
    return this.#accept(device, state, appraisal, receivedAt)
  }

  #accept(moved: Advancing, state: DeviceState, appraisal: Appraisal, receivedAt: number): Handled | undefined {
    const { device, runs } = moved
    const session = sessionWith(device, moved.session, appraisal, receivedAt)
    if (session === undefined) return undefined
    const record = recordOf(device, appraisal, receivedAt)
    const adjoining = runs.find(({ lastSeq }) => lastSeq === record.seq - 1)
    const run = adjoining !== undefined && tellsTheSame(adjoining, record) ? adjoining : undefined
    const next = run === undefined ? runOf(record) : longerBy(run, record)
    if ((record.seq - next.firstSeq) % this.#deps.history.keepOneIn === 0) this.#samples.push(record)
    this.#used.set(nameOfValues(device, record), [device, record])
    if (appraisal.newest) {
      const follows = run !== undefined && moved.state.freshSequence === record.seq - 1
      moved.newest = record
      moved.recentHashes = hashesWith(follows ? moved.recentHashes : undefined, record)
    }
    moved.isTaken = true
    moved.isMoved = true
    moved.state = state
    moved.session = session
    moved.runs = run === undefined ? [...runs, next] : runs.map((each) => (each === run ? next : each))
    moved.longer.add(next.firstSeq)
    return {
      device,
      hash: record.hash,
      result: 'accepted',
      code: appraisal.code,
      detail: '',
      session,
      sequence: record.seq,
      request: null,
      urgent: waitsForReceipt(appraisal),
      appraisal,
      known: null,
    }
  }

  async #knownOf(
    { device, state, session, runs, ownReference }: Advancing,
    evidence: UnverifiedEvidence,
    { receivedAt, proofs }: ReceivedMessage,
  ): Promise<KnownDevice | undefined> {
    const { sequence } = evidence.claims
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
      reference: isReleased ? null : (ownReference ?? (await this.#referenceOf(device.productId))),
      releases,
      releasesThen,
    })
    // What was approved after the epoch had begun is compared with what held before.
    if (shared === undefined || (shared.approved !== undefined && epoch.issuedAt < shared.approved.approvedAt)) {
      return undefined
    }
    const { deviceKey, attestationKey } = this.#deps.keys.keysOf(device, proofs)
    const links = {
      session,
      samePlace: undefined,
      hashBefore: runs.find(({ lastSeq }) => lastSeq === sequence - 1)?.headHash,
      previousOfNext: runs.find(({ firstSeq }) => firstSeq === sequence + 1)?.firstPrevious,
      freshSessions: [],
      namedReceipt: undefined,
    }
    return {
      device,
      deviceKey,
      attestationKey,
      state,
      links,
      epoch,
      posture: shared.posture,
      pcrs: shared.pcrs,
      approved: shared.approved,
      approvedThen: shared.approvedThen,
      releases: shared.releases,
      releasesThen: shared.releasesThen,
      section: shared.section,
      bootLog: shared.bootLog,
      contents: shared.contents,
      imaPolicy: shared.imaPolicy,
      standingFindings: shared.standingFindings,
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
    const { productId } = device
    // Each message has another time of arrival, and all of them the same releases.
    const version = this.#versions.get(productId) ?? (await this.#store.releases.versionOf(productId))
    this.#versions.set(productId, version)
    if (version === 0) return undefined
    const name = 'now' in at ? `${productId} ${at.now}` : `${productId} then ${at.past}`
    if (this.#releases.has(name)) return this.#releases.get(name)
    const releases = await this.#deps.releases.of(this.#store, device, at, version)
    this.#releases.set(name, releases)
    return releases
  }

  /** What the device was sent before; undefined where that has to be read from the store. */
  receiptsOf(ueid: Ueid): KnownReceipts | undefined {
    const device = this.#devices.get(ueid)
    if (device?.isTaken !== true) return undefined
    return { lastIssuedAt: device.lastReceiptAt, lastNumber: device.state.lastReceiptNumber }
  }

  /** The device is sent this receipt, which the caller stores. */
  sentReceipt(ueid: Ueid, { number: lastReceiptNumber, issuedAt: lastReceiptAt }: IssuedReceipt): void {
    const device = this.#devices.get(ueid)
    if (device === undefined) return
    device.state = withReceipt(device.state, lastReceiptNumber)
    device.lastReceiptAt = lastReceiptAt
    device.isMoved = true
  }

  /** Writes what has come together, so that whoever reads the store sees it. */
  async flush(): Promise<void> {
    const moved = [...this.#devices.values()].filter(({ isMoved }) => isMoved)
    if (moved.length === 0) return
    const begun = moved.flatMap(({ runs }) => runs.filter(({ id }) => id === 0))
    const stored = new Map((await this.#store.evidenceRuns.insert(begun)).map((run) => [nameOfRun(run), run]))
    const mark = newMark(this.#deps.random)
    await this.#store.steady.advance(
      moved.map(({ device: { id: deviceId }, state, session, runs, longer, newest, recentHashes }) => ({
        deviceId,
        state,
        session,
        longer: runs.filter(({ id, firstSeq }) => id !== 0 && longer.has(firstSeq)),
        newest: newest && { record: newest, recentHashes },
      })),
      mark,
    )
    await this.#store.evidence.insertAll(this.#samples.splice(0))
    for (const [device, { pcrDigest, receivedAt }] of this.#used.values()) {
      if (pcrDigest !== null) await this.#store.pcrSets.use(device.vendor, pcrDigest, receivedAt)
    }
    this.#used.clear()
    for (const device of moved) {
      device.runs = device.runs.map((run) => (run.id === 0 ? (stored.get(nameOfRun(run)) ?? run) : run))
      device.newest = undefined
      device.isMoved = false
      device.longer.clear()
      device.mark = mark
    }
  }
}

/** 48 bits: two processes never choose the same, and a number holds it exactly. */
function newMark(random: RandomFunction): number {
  const bytes = random(6)
  return bytes.reduce((mark, byte) => mark * 256 + byte, 0)
}

const nameOfRun = ({ deviceId, firstSeq }: EvidenceRun): string => `${deviceId} ${firstSeq}`

const nameOfValues = ({ vendor }: Device, { pcrDigest }: EvidenceRecord): string =>
  `${pcrDigest === null ? '' : toHex(pcrDigest)} ${vendor}`
