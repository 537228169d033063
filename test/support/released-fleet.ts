import { judgeAgain } from '../../collector/ingest/judge-again.ts'
import type { Release } from '../../collector/model/release.ts'
import { captureRelease } from '../../collector/releases/capture.ts'
import type { ReleaseFile } from '../../collector/releases/document.ts'
import { goldenDevice } from '../../collector/releases/golden.ts'
import {
  activateRelease,
  approveRelease,
  countersignRelease,
  existingRelease,
  writeDraft,
  type Decision,
} from '../../collector/releases/manage.ts'
import { random } from '../../shared/crypto/node.ts'
import { PERIOD_MS, type IngestingCollector } from './ingesting-collector.ts'
import type { SoftwareDevice } from './software-device.ts'

export const AUTHOR = { tokenId: 'api_author', name: 'Ada' }
export const APPROVER = { tokenId: 'api_approver', name: 'Ben' }
export const CERTIFIER = { tokenId: 'api_certifier', name: 'Cleo' }
export const WINDOW_MS = 10 * PERIOD_MS

/** What people do with the releases of a fleet, and what devices do under them. */
export class ReleasedFleet {
  readonly collector: IngestingCollector

  constructor(collector: IngestingCollector) {
    this.collector = collector
  }

  get store() {
    return this.collector.store
  }

  by(person = AUTHOR): Decision {
    return { by: person, now: this.collector.now }
  }

  /** What a release of exactly this device's state says. */
  async fileOf(name: string, ...devices: readonly SoftwareDevice[]): Promise<ReleaseFile> {
    const product = await this.product()
    for (const device of devices) {
      await this.collector.report(device)
      await this.collector.content(device)
    }
    const golden = []
    for (const { ueid } of devices) golden.push(await goldenDevice(this.store, product, ueid))
    return captureRelease(product, name, golden).file
  }

  async product() {
    const product = await this.store.products.byId(this.collector.productId)
    if (product === undefined) throw new Error('no product')
    return product
  }

  async draft(file: ReleaseFile): Promise<Release> {
    return writeDraft(this.store, await this.product(), file, this.by(), random)
  }

  async approved(file: ReleaseFile): Promise<Release> {
    const { id, digest } = await this.draft(file)
    return approveRelease(this.store, id, digest, this.by(APPROVER))
  }

  countersign({ id, digest }: Release): Promise<Release> {
    return countersignRelease(this.store, id, digest, this.by(CERTIFIER))
  }

  /** In force from now on; the one before it stays accepted for the window. */
  async release(file: ReleaseFile, { isMinimum = false, windowMs = WINDOW_MS } = {}): Promise<Release> {
    const { id } = await this.approved(file)
    const acceptedUntil = this.collector.now + windowMs
    const request = { acceptedUntil, isMinimum, isCertified: false }
    const active = await activateRelease(this.store, id, request, this.by(APPROVER))
    await this.judge()
    return active
  }

  /** What the collector does by itself as time goes by. */
  judge(): Promise<number> {
    const { store, deps, productId, now } = this.collector
    return judgeAgain(store, productId, deps, now)
  }

  reload({ id }: Release): Promise<Release> {
    return existingRelease(this.store, id)
  }

  /** Reports in a new epoch, with whatever content is not known yet. */
  async report(...devices: readonly SoftwareDevice[]): Promise<void> {
    await this.collector.epoch(...devices)
    for (const device of devices) {
      await this.collector.report(device)
      await this.collector.content(device)
    }
  }
}
