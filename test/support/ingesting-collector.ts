import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Handled, ReceivedMessage } from '../../collector/ingest/evidence-handler.ts'
import { BootCache, KeyCache } from '../../collector/ingest/known-devices.ts'
import { ImaPolicyCache } from '../../collector/ingest/known-lists.ts'
import { RememberedDevices } from '../../collector/ingest/steady/remembered-devices.ts'
import { SharedKnowledgeCache } from '../../collector/ingest/steady/shared-knowledge.ts'
import { ReleaseCache } from '../../collector/ingest/known-releases.ts'
import { processBatch, type BatchResult, type IngestDependencies } from '../../collector/ingest/process-batch.ts'
import type { DownPublication } from '../../collector/ingest/receipts.ts'
import type { Device, DeviceState } from '../../collector/model/device.ts'
import type { Epoch } from '../../collector/model/evidence.ts'
import { DecisionBook } from '../../collector/decisions/decision-book.ts'
import { makeId } from '../../collector/store/ids.ts'
import type { Store } from '../../collector/store/index.ts'
import { approveDevice, type Approval } from '../../collector/tracking/approval.ts'
import { loadOrCreateKeys, type CollectorKeys } from '../../collector/trust/keys.ts'
import { random } from '../../shared/crypto/node.ts'
import type { ContentRequest, Receipt } from '../../shared/evidence/down.ts'
import { productName } from '../../shared/decisions/products.ts'
import { downTopic, upstreamTopic } from '../../shared/evidence/topics.ts'
import { approveProfile, certified, DecidingPeople, issueCertificate } from './decision-log.ts'
import type { QuoteLies } from './quoting-tpm.ts'
import { SoftwareDevice, type SoftwareDeviceOptions } from './software-device.ts'

export const START = Date.UTC(2026, 5, 1, 12)
export const PERIOD_MS = 300_000

/** The keys of one collector, made once for a test file. */
export function useCollectorKeys(): () => CollectorKeys {
  let keys: CollectorKeys | undefined
  let directory = ''
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'keepseal-keys-'))
    keys = await loadOrCreateKeys({ dataDirectory: directory, now: START, random })
  })
  afterAll(() => rmSync(directory, { recursive: true }))
  return () => {
    if (keys === undefined) throw new Error('only within a test')
    return keys
  }
}

/** The ingest of a collector on a real store, driven message by message, with a clock that only tests move. */
export class IngestingCollector {
  readonly store: Store
  readonly deps: IngestDependencies
  now = START
  #people: DecidingPeople | undefined
  productId = ''

  constructor(store: Store, keys: CollectorKeys, over: Partial<IngestDependencies> = {}) {
    this.store = store
    this.deps = {
      keys: new KeyCache(100),
      boot: new BootCache(),
      policies: new ImaPolicyCache(),
      history: { keepOneIn: 1 },
      releases: new ReleaseCache(),
      shared: new SharedKnowledgeCache(),
      remembered: new RememberedDevices(),
      policy: {
        freshnessWindowMs: 2 * PERIOD_MS,
        maxExtensionMs: 3_600_000,
        downtime: [],
        collectorId: keys.collectorId,
      },
      random,
      decisions: new DecisionBook(store),
      collectorKeys: keys,
      sectionLimits: { contentBytes: 1024 * 1024, pendingBytes: 256 * 1024 },
      messageBytes: 65_536,
      receiptIntervalMs: 2 * PERIOD_MS,
      ...over,
    }
  }

  /** A product with a certificate, the first epoch, and one enrolled device. */
  static async withDevice(store: Store, keys: CollectorKeys, options: SoftwareDeviceOptions = {}) {
    const collector = new IngestingCollector(store, keys)
    await collector.product()
    await collector.epoch()
    return { collector, device: await collector.device(options) }
  }

  async product(named?: string): Promise<void> {
    this.productId = makeId('prd', this.now, random)
    const policies = { identityPolicy: 'software', approvalPolicy: 'manual' } as const
    const model = named ?? `GW-${this.productId}`
    await this.store.products.create({ id: this.productId, vendor: 'Acme', model, ...policies, createdAt: this.now })
  }

  /** In force for the product, as the decision log says. */
  async certificate(): Promise<string> {
    const id = makeId('crt', this.now, random)
    const product = await this.store.products.byId(this.productId)
    if (product === undefined) throw new Error('no product')
    const now = Math.floor(this.now / 1000)
    if (this.#people === undefined) {
      this.#people = await DecidingPeople.begin(now)
      await approveProfile(this.#people, 1, 3)
    }
    this.#people.now = now
    const written = await this.store.decisions.from(0, 500)
    await issueCertificate(this.#people, id, { products: [certified(productName(product))], line: null })
    // Beside the book: nobody has handed in the document of the profile.
    for (const [index, entry] of this.#people.entries.entries()) {
      if (index >= written.length) await this.store.decisions.append(index, entry, now * 1000)
    }
    return id
  }

  /** Enrols a device, which knows the current epoch. */
  async device(options: SoftwareDeviceOptions = {}, over: Partial<Device> = {}): Promise<SoftwareDevice> {
    const epoch = await this.store.epochs.current()
    const { collectorId } = this.deps.policy
    const device = new SoftwareDevice({ collectorId, ...(epoch && { nonce: epoch.nonce }), ...options })
    await this.store.devices.insert(device.enrolled(this.productId, over))
    return device
  }

  /** A new epoch begins, a period after the last one; the devices learn of it. */
  async epoch(...devices: readonly SoftwareDevice[]): Promise<Epoch> {
    if ((await this.store.epochs.current()) !== undefined) this.now += PERIOD_MS
    const epoch = await this.store.epochs.insert({ nonce: random(32), issuedAt: this.now })
    for (const device of devices) device.nonce = epoch.nonce
    return epoch
  }

  message(device: SoftwareDevice, bytes: Uint8Array, kind: 'evidence' | 'section' = 'evidence'): ReceivedMessage {
    return { topic: upstreamTopic(device.ueid, kind), bytes, receivedAt: this.now }
  }

  receive(...messages: readonly ReceivedMessage[]): Promise<BatchResult> {
    return processBatch(this.store, messages, this.deps, this.now)
  }

  /** Receives one evidence, and gives what became of it. */
  async evidence(device: SoftwareDevice, bytes: Uint8Array): Promise<Handled> {
    const { handled } = await this.receive(this.message(device, bytes))
    const [only] = handled
    if (only === undefined || handled.length !== 1) throw new Error(`${handled.length} decisions`)
    return only
  }

  async report(device: SoftwareDevice, lies: QuoteLies = {}): Promise<Handled> {
    return this.evidence(device, (await device.report(lies)).bytes)
  }

  /** Everything that the device's evidence names. */
  async content(device: SoftwareDevice): Promise<readonly Handled[]> {
    const handled: Handled[] = []
    const ids = [...device.sections.keys()]
    const parts = await Promise.all([device.logParts(), ...ids.map((id) => device.parts(id))])
    for (const part of parts.flat()) {
      handled.push(...(await this.receive(this.message(device, part, 'section'))).handled)
    }
    return handled
  }

  /** It has reported, its content is here, and a person has approved it. */
  async approved(device: SoftwareDevice): Promise<void> {
    await this.report(device)
    await this.content(device)
    await this.approve(device)
  }

  approve(device: SoftwareDevice, scope: 'device' | 'product' = 'device'): Promise<Approval> {
    return approveDevice(this.store, { ueid: device.ueid, scope, actor: 'api_x', now: this.now, random })
  }

  async row(device: SoftwareDevice): Promise<Device> {
    const found = await this.store.devices.byUeid(device.ueid)
    if (found === undefined) throw new Error('not enrolled')
    return found
  }

  async state(device: SoftwareDevice): Promise<DeviceState> {
    return this.store.devices.stateOf((await this.row(device)).id)
  }

  /** `code subject state` of what is not resolved. */
  async findings(device: SoftwareDevice): Promise<readonly string[]> {
    const open = await this.store.findings.openOf((await this.row(device)).id)
    return open.map(({ code, subject, state }) => `${code} ${subject} ${state}`)
  }

  /** As the device reads it. */
  answers(device: SoftwareDevice, { publications }: BatchResult) {
    const secret = this.deps.collectorKeys.receiptKeyOf(device.ueid, device.thumbprint)
    const receipts: Receipt[] = []
    const requests: ContentRequest[] = []
    for (const { bytes } of publications.filter(({ topic }: DownPublication) => topic === downTopic(device.ueid))) {
      const message = device.open(bytes, secret)
      if (message.role === 'receipt') receipts.push(message.receipt)
      else if (message.role === 'request') requests.push(message.request)
    }
    return { receipts, requests }
  }
}
