import type { Device } from '../model/device.ts'
import type { Release } from '../model/release.ts'
import type { Store } from '../store/index.ts'
import type { TrackedAdvisory } from '../store/tracked-advisories.ts'
import type { Exposure, ExposureStatus, Listener } from '../model/advisory.ts'
import type { Labels } from '../model/labels.ts'
import { environmentKey, NOTHING_KNOWN, type ProductStatement } from '../model/product-statement.ts'
import { exposedGroups } from './exposed-groups.ts'
import { limitationsOf } from './limited.ts'
import { byUrgency, Rating, type RatedExposure, type Urgent } from './rating.ts'
import { Rulings, type Whereabouts } from './rulings.ts'
import { Updates, type Update } from './updates.ts'

export interface DeviceExposures {
  readonly state: 'known' | 'no-packages' | 'no-advisories' | 'pending'
  readonly ecosystem: string | null
  readonly packages: number
  readonly isWhole: boolean
  readonly incomparable: number
  readonly items: readonly RatedExposure[]
}

/** What advisories mean for one device: by its newest report, and by the release that it runs. */
export async function exposuresOf(store: Store, device: Device, now: number): Promise<DeviceExposures> {
  const state = await store.devices.stateOf(device.id)
  const { postureDigest: digest, release } = state
  const id = digest === null ? null : await store.exposures.inventoryOfPosture(device.vendor, digest)
  const listening = digest === null ? null : await store.exposures.listeningOf(device.vendor, digest)
  const found = id === null || id === undefined ? undefined : await store.exposures.inventory(id)
  const releases = await store.releaseSboms.inventories(release.current === null ? [] : [release.current])
  const rulings = new Rulings(await store.productStatements.inForce(now, device.productId), now)
  const rating = new Rating(store, rulings)
  const where = await whereabouts(store, rulings, device, digest, release.current)
  const exposures: Exposure[] = []
  for (const inventory of [found?.id, ...releases.values()]) {
    if (inventory !== undefined) exposures.push(...(await store.exposures.of(inventory)))
  }
  const items = (await rating.rate(exposures, { product: device.productId, where, listening })).toSorted(byUrgency)
  if (id === undefined || found === undefined) {
    const nothing = { ecosystem: null, packages: 0, isWhole: false, incomparable: 0 }
    return { state: id === undefined ? 'pending' : 'no-packages', ...nothing, items }
  }
  const { inventory, incomparable } = found
  const { ecosystem } = inventory
  return {
    state: ecosystem === null ? 'no-advisories' : 'known',
    ecosystem: ecosystem === null ? null : `${ecosystem.name} ${ecosystem.release}`.trim(),
    packages: inventory.packages.length,
    isWhole: inventory.isWhole,
    incomparable,
    items,
  }
}

async function whereabouts(
  store: Store,
  rulings: Rulings,
  { id, productId }: Device,
  posture: Uint8Array | null,
  releaseId: string | null,
): Promise<Whereabouts> {
  const environments = rulings.environments(productId)
  const labels = environments.length === 0 ? {} : ((await store.deviceLabels.of([id])).get(id) ?? {})
  const has = (wanted: Labels): boolean => Object.entries(wanted).every(([key, value]) => labels[key] === value)
  return {
    releaseId,
    configurations: posture === null ? NOTHING_KNOWN : await store.productConfigurations.metByPosture(posture),
    environments: new Set(environments.filter(has).map(environmentKey)),
  }
}

export interface ProductVulnerability extends Urgent {
  readonly summary: string
  readonly packages: readonly string[]
  readonly fixedIn: string | null
  readonly devices: number
  /** Of these, those that a limitation of the profile leaves without the fix. */
  readonly limited: number
  /** What was said for these devices, and counts; what it would be without. */
  readonly ruling: ProductStatement | null
  readonly unruled: ExposureStatus
  readonly disputedBy: readonly string[]
}

export interface ProductVulnerabilities {
  readonly devices: number
  readonly unknownDevices: number
  readonly items: readonly ProductVulnerability[]
  readonly updates: readonly Update[]
  readonly patching: readonly { readonly tracked: TrackedAdvisory; readonly release: Release | null }[]
}

const MAX_UPDATES = 50

interface Merging {
  one: RatedExposure
  listener: Listener | null
  readonly packages: Set<string>
  readonly disputedBy: Set<string>
  /** By group of devices: the packages of it that are concerned. */
  readonly groups: Map<number, string[]>
}

/** What concerns the devices of a product, over all of their different lists of packages and releases. */
export async function vulnerabilitiesOf(store: Store, productId: string, now: number): Promise<ProductVulnerabilities> {
  const rulings = new Rulings(await store.productStatements.inForce(now, productId), now)
  const groups = await exposedGroups(store, rulings, productId)
  const rating = new Rating(store, rulings)
  const limitation = await limitationsOf(store, productId)
  const merged = new Map<string, Merging>()
  const updates = new Updates()
  const known = new Map<number, readonly Exposure[]>()
  for (const [index, { inventory, release, count, ...devices }] of groups.entries()) {
    for (const id of [inventory, release]) {
      if (id === null) continue
      const exposures = known.get(id) ?? (await store.exposures.of(id))
      known.set(id, exposures)
      for (const one of await rating.rate(exposures, devices)) {
        merge(merged, one, index)
        updates.add(one, index, count)
      }
    }
  }
  const items = [...merged.values()].map(({ one, listener, packages, disputedBy, groups: of }) => {
    const { advisory, summary, severity, score, exploited, probability, published, status, fixedIn } = one
    const { excludedUntil, ruling, unruled } = one
    const isOpen = status === 'affected' || status === 'fixed-not-running'
    let [devices, limited] = [0, 0]
    for (const [index, names] of of) {
      const { hardware = '', count = 0 } = groups[index] ?? {}
      devices += count
      if (isOpen && limitation(hardware, names) !== undefined) limited += count
    }
    const rated = { advisory, summary, severity, score, exploited, probability, published, status, fixedIn }
    const said = { excludedUntil, ruling, unruled, disputedBy: [...disputedBy].sort() }
    return { ...rated, ...said, listener, packages: [...packages].sort(), devices, limited }
  })
  const told = groups.reduce((sum, { inventory, count }) => sum + (inventory === null ? 0 : count), 0)
  const all = await store.exposedDevices.count(productId)
  const releases = await store.releases.ofProduct(productId)
  return {
    devices: all,
    unknownDevices: Math.max(0, all - told),
    items: items.toSorted(byUrgency),
    updates: updates.mostUrgent(MAX_UPDATES),
    patching: (await store.trackedAdvisories.ofProduct(productId)).map((tracked) => ({
      tracked,
      release: releaseAfter(releases, tracked),
    })),
  }
}

function merge(merged: Map<string, Merging>, one: RatedExposure, group: number): void {
  const key = [one.advisory, one.status, one.ruling?.id ?? '', one.unruled].join('\n')
  const nothing = { packages: new Set<string>(), disputedBy: new Set<string>(), groups: new Map() }
  const found = merged.get(key) ?? { one, listener: one.listener, ...nothing }
  found.packages.add(one.package)
  for (const other of one.disputedBy) found.disputedBy.add(other)
  // Whoever reaches it on some devices reaches it.
  if (found.listener?.reach !== 'network' && one.listener !== null) found.listener = one.listener
  const names = found.groups.get(group)
  if (names === undefined) found.groups.set(group, [one.package])
  else names.push(one.package)
  merged.set(key, found)
}

/** The first release that was made after the fix was known: the one that could have it. */
function releaseAfter(releases: readonly Release[], { fixKnownAt }: TrackedAdvisory): Release | null {
  if (fixKnownAt === null) return null
  const later = releases.filter(({ createdAt, state }) => createdAt >= fixKnownAt && state !== 'revoked')
  return later.toSorted((a, b) => a.createdAt - b.createdAt)[0] ?? null
}
