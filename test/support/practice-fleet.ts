import { randomBytes } from 'node:crypto'
import { DecisionBook } from '../../collector/decisions/decision-book.ts'
import { initialDeviceState, type Device, type DeviceState } from '../../collector/model/device.ts'
import { initialImaSummary } from '../../collector/model/ima-state.ts'
import type { Product } from '../../collector/model/product.ts'
import { noDeviceRelease, type Release } from '../../collector/model/release.ts'
import type { Store } from '../../collector/store/index.ts'
import { evaluateProduct } from '../../collector/tracking/practices/evaluate.ts'
import { PostureOutcomes } from '../../collector/tracking/practices/posture-outcomes.ts'
import { recordEvent } from '../../collector/tracking/practices/record.ts'
import { agreedFor } from '../../collector/tracking/practices/targets.ts'
import { hash } from '../../shared/crypto/node.ts'
import { postureDigestOf } from '../../shared/evidence/posture-digest.ts'
import type { RecordedEventKind } from '../../shared/maturity/events/kinds.ts'
import { defaultCatalogue } from '../../shared/maturity/catalogue/catalogue.ts'
import type { PracticeId } from '../../shared/maturity/practices.ts'
import { encodeSection } from '../../shared/posture/canonical.ts'
import type { SectionReading } from '../../shared/posture/reading.ts'
import type { SectionContents, SectionId } from '../../shared/posture/sections.ts'
import { bytes, id, NOW, storedDevice, storedProduct } from '../collector/store/samples.ts'
import { certifyByProfile, type Certifying } from './certified-profile.ts'
import { DecidingPeople } from './decision-log.ts'
import { goodPosture } from './postures.ts'

export const DAY = 86_400_000

/** A certified product whose rows a test sets, and whose practices are evaluated once a day of simulated time. */
export class PracticeFleet {
  readonly store: Store
  readonly product: Product
  readonly decisions: DecisionBook
  readonly people: DecidingPeople
  readonly devices: Device[] = []
  readonly postures = new PostureOutcomes()
  now = NOW
  /** Nobody goes silent, until the test says so. */
  silentAfterMs = 1_000_000_000_000

  private constructor(store: Store, product: Product, people: DecidingPeople) {
    this.people = people
    this.store = store
    this.product = product
    this.decisions = new DecisionBook(store)
  }

  /** Certified for patch management at level 3 and access control at level 2. */
  static async certified(store: Store, certifying: Certifying = {}): Promise<PracticeFleet> {
    const product = await storedProduct(store)
    const people = await certifyByProfile(store, `${product.vendor}/${product.model}`, NOW / 1000, certifying)
    return new PracticeFleet(store, product, people)
  }

  /** Of a product that somebody else has certified, or will. */
  static of(store: Store, product: Product): PracticeFleet {
    return new PracticeFleet(store, product, new DecidingPeople())
  }

  async posture(change: Partial<SectionContents> = {}): Promise<Uint8Array> {
    const sections = new Map<string, Uint8Array>()
    for (const [section, content] of Object.entries({ ...goodPosture(), ...change })) {
      const reading = { status: 'measured', content } as SectionReading<SectionId>
      const { bytes: encoded, digest } = encodeSection(section as SectionId, reading, hash)
      await this.store.sections.save(this.product.vendor, digest, encoded)
      sections.set(section, digest)
    }
    const digest = postureDigestOf(sections, hash)
    await this.store.postures.save(this.product.vendor, digest, sections)
    return digest
  }

  async add(count: number, state: Partial<DeviceState>, device: Partial<Device> = {}): Promise<readonly Device[]> {
    const added: Device[] = []
    for (let index = 0; index < count; index++) {
      const label = `unit ${this.devices.length}`
      const made = await storedDevice(this.store, label, this.product.id, {
        enrolment: 'active',
        identity: 'tpm-endorsed',
        enrolledAt: this.now,
        certificateNotAfter: this.now + 3650 * DAY,
        ...device,
      })
      added.push(made)
      this.devices.push(made)
      await this.set(made, state)
    }
    return added
  }

  /** In every way as it should be, but for what `over` says. */
  async set(device: Device, over: Partial<DeviceState>): Promise<void> {
    const ima = { bootSeed: bytes('boot', 16), base: null, verdict: 'accepted', summary: initialImaSummary } as const
    const good = { verdict: 'affirming', bootCoverage: 'measured', lastFreshAt: this.now, ima } as const
    await this.store.devices.saveState(device.id, { ...initialDeviceState, ...good, ...over })
  }

  async release(name: string, order: number, over: Partial<Release> = {}): Promise<Release> {
    const release: Release = {
      id: id('rel', this.now + order),
      productId: this.product.id,
      name,
      digest: bytes(`release ${name}`),
      state: 'active',
      authors: [],
      createdAt: this.now,
      approved: null,
      countersigned: null,
      order,
      activatedAt: this.now,
      supersededAt: null,
      acceptedUntil: null,
      revokedAt: null,
      isMinimum: false,
      ...over,
    }
    await this.store.releases.insert(release, bytes('document'))
    return release
  }

  runs = (release: Release): Pick<DeviceState, 'release'> => ({
    release: { ...noDeviceRelease, current: release.id, since: this.now },
  })

  async record(kind: RecordedEventKind, detail: object = {}): Promise<void> {
    const event = { productId: this.product.id, kind, detail, occurredAt: this.now, reference: '', corrects: null }
    await recordEvent(this.store, event, { id: 'api_x', name: 'Ada' }, { now: this.now, random: randomBytes })
  }

  evaluate(now = this.now): Promise<boolean> {
    return evaluateProduct(this.store, this.product, {
      now,
      slot: Math.floor(now / DAY),
      deadlines: { stale: now - this.silentAfterMs, staleAt: [], silent: now - this.silentAfterMs },
      postures: this.postures,
      random: randomBytes,
      agreed: (store) => agreedFor(this.decisions, this.product, { now, store, catalogue: defaultCatalogue }),
    })
  }

  /** One evaluation a day; what the practice is after each, by its first letters. */
  async days(count: number, practice: PracticeId): Promise<string[]> {
    const statuses: string[] = []
    for (let day = 0; day < count; day++) {
      this.now += DAY
      await this.evaluate()
      statuses.push((await this.store.practices.states(this.product.id)).get(practice)?.status ?? 'none')
    }
    return statuses
  }

  async state(practice: PracticeId) {
    const state = (await this.store.practices.states(this.product.id)).get(practice)
    if (state === undefined) throw new Error(practice)
    return state
  }
}
