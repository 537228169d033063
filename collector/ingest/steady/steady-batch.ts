import type { ReleaseTime } from '../known-releases.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { hash, sha256 } from '../../../shared/crypto/node.ts'
import type { UnverifiedEvidence } from '../../../shared/evidence/evidence.ts'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import { appraise, type Appraisal } from '../../appraisal/appraise.ts'
import type { KnownDevice, KnownReleases } from '../../appraisal/context.ts'
import type { Device, DeviceState } from '../../model/device.ts'
import type { Epoch, EvidenceRecord, EvidenceRun } from '../../model/evidence.ts'
import { longerBy, runOf } from '../../store/evidence-runs.ts'
import type { Store } from '../../store/index.ts'
import type { SteadyDevice } from '../../store/steady/steady.ts'
import { conclude } from '../../tracking/conclude.ts'
import { recordOf, sessionWith } from '../counted.ts'
import type { EvidenceDependencies, Handled, ReceivedMessage } from '../evidence-handler.ts'
import { hashesWith, tellsTheSame } from '../history.ts'
import type { KnownReceipts } from '../receipts.ts'
import { decoded, isSameBut, isUsual, mayBeOfCopy, tellsNothing } from './usual.ts'

interface Held extends SteadyDevice {
  /** One of its messages of this batch was taken here. */
  readonly isTaken: boolean
  /** Something of it has to be written. */
  readonly isMoved: boolean
  /** Its newest message, where that is one of these. */
  readonly newest?: EvidenceRecord
  /** First numbers of its runs that are longer now; those without an id are all new. */
  readonly longer: ReadonlySet<number>
}

const held = (device: SteadyDevice): Held => ({ ...device, isTaken: false, isMoved: false, longer: new Set() })

/**
 * The reports of a batch that tell nothing new, which is nearly all of a healthy fleet: also those that queued up while
 * there was no way to the collector. They go through the very same appraisal as any other; only reading and writing is
 * done for all of them at once. Whatever is not a report of the running agent of a healthy device, or changes anything
 * about it, is left to ../evidence-handler.ts.
 */
export class SteadyBatch {
  readonly #store: Store
  readonly #deps: EvidenceDependencies
  readonly #devices: Map<Ueid, Held>
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
    this.#devices = new Map([...devices].map(([ueid, device]) => [ueid, held(device)]))
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

  #accept(before: Held, state: DeviceState, appraisal: Appraisal, receivedAt: number): Handled | undefined {
    const { device, runs } = before
    const session = sessionWith(device, before.session, appraisal, receivedAt)
    if (session === undefined) return undefined
    const record = recordOf(device, appraisal, receivedAt)
    const adjoining = runs.find(({ lastSeq }) => lastSeq === record.seq - 1)
    const run = adjoining !== undefined && tellsTheSame(adjoining, record) ? adjoining : undefined
    const next = run === undefined ? runOf(record) : longerBy(run, record)
    if ((record.seq - next.firstSeq) % this.#deps.history.keepOneIn === 0) this.#samples.push(record)
    this.#used.set(nameOfValues(device, record), [device, record])
    const follows = run !== undefined && before.state.freshSequence === record.seq - 1
    this.#devices.set(device.ueid, {
      ...before,
      isTaken: true,
      isMoved: true,
      state,
      session,
      runs: run === undefined ? [...runs, next] : runs.map((each) => (each === run ? next : each)),
      longer: new Set(before.longer).add(next.firstSeq),
      ...(appraisal.newest && {
        newest: record,
        recentHashes: hashesWith(follows ? before.recentHashes : undefined, record),
      }),
    })
    return {
      device,
      hash: record.hash,
      result: 'accepted',
      code: appraisal.code,
      detail: '',
      session,
      sequence: record.seq,
      request: null,
      urgent: appraisal.freshness !== 'fresh',
      appraisal,
      known: null,
    }
  }

  async #knownOf(
    { device, state, session, runs, ownReference }: Held,
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
    return {
      ...shared,
      device,
      ...this.#deps.keys.keysOf(device, proofs),
      state,
      epoch,
      links: {
        session,
        samePlace: undefined,
        hashBefore: runs.find(({ lastSeq }) => lastSeq === sequence - 1)?.headHash,
        previousOfNext: runs.find(({ firstSeq }) => firstSeq === sequence + 1)?.firstPrevious,
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
    const { productId } = device
    const name = `${productId} ${JSON.stringify(at)}`
    if (this.#releases.has(name)) return this.#releases.get(name)
    // Each message has another time of arrival, and all of them the same releases.
    const version = this.#versions.get(productId) ?? (await this.#store.releases.versionOf(productId))
    this.#versions.set(productId, version)
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

  /** The device is sent a receipt of this number, which the caller stores. */
  sentReceipt(ueid: Ueid, lastReceiptNumber: number): void {
    const device = this.#devices.get(ueid)
    if (device === undefined) return
    this.#devices.set(ueid, { ...device, isMoved: true, state: { ...device.state, lastReceiptNumber } })
  }

  /** Writes what has come together, so that whoever reads the store sees it. */
  async flush(): Promise<void> {
    const moved = [...this.#devices.values()].filter(({ isMoved }) => isMoved)
    if (moved.length === 0) return
    const begun = moved.flatMap(({ runs }) => runs.filter(({ id }) => id === 0))
    const stored = new Map((await this.#store.evidenceRuns.insert(begun)).map((run) => [nameOfRun(run), run]))
    await this.#store.steady.advance(
      moved.map(({ device: { id: deviceId }, state, session, runs, longer, newest, recentHashes }) => ({
        deviceId,
        state,
        session,
        longer: runs.filter(({ id, firstSeq }) => id !== 0 && longer.has(firstSeq)),
        newest: newest && { record: newest, recentHashes },
      })),
    )
    await this.#store.evidence.insertAll(this.#samples.splice(0))
    for (const [device, { pcrDigest, receivedAt }] of this.#used.values()) {
      if (pcrDigest !== null) await this.#store.pcrSets.use(device.vendor, pcrDigest, receivedAt)
    }
    this.#used.clear()
    for (const { newest: _, ...rest } of moved) {
      const runs = rest.runs.map((run) => (run.id === 0 ? (stored.get(nameOfRun(run)) ?? run) : run))
      this.#devices.set(rest.device.ueid, { ...rest, runs, isMoved: false, longer: new Set() })
    }
  }
}

const nameOfRun = ({ deviceId, firstSeq }: EvidenceRun): string => `${deviceId} ${firstSeq}`

const nameOfValues = ({ vendor }: Device, { pcrDigest }: EvidenceRecord): string =>
  `${pcrDigest === null ? '' : toHex(pcrDigest)} ${vendor}`
