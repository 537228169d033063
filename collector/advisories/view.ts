import { cvesOf } from '../../shared/advisories/aliases.ts'
import type { AdvisorySeverity } from '../../shared/maturity/events/kinds.ts'
import type { AdvisoryExclusion, Exposure, ExposureStatus, StoredAdvisory } from '../model/advisory.ts'
import type { Device } from '../model/device.ts'
import type { Release } from '../model/release.ts'
import type { VulnerabilityFact } from '../store/advisories.ts'
import type { Store } from '../store/index.ts'
import type { TrackedAdvisory } from '../store/tracked-advisories.ts'

/** An exposure with what says how urgent it is. */
export interface RatedExposure extends Exposure {
  readonly summary: string
  readonly severity: AdvisorySeverity | null
  readonly published: number | null
  readonly cves: readonly string[]
  readonly exploited: boolean
  readonly probability: number | null
  readonly excludedUntil: number | null
}

export interface DeviceExposures {
  readonly state: 'known' | 'no-packages' | 'no-advisories' | 'pending'
  readonly ecosystem: string | null
  readonly packages: number
  readonly isWhole: boolean
  readonly incomparable: number
  readonly items: readonly RatedExposure[]
}

/** What advisories mean for one device, by its newest report. */
export async function exposuresOf(store: Store, device: Device, now: number): Promise<DeviceExposures> {
  const state = await store.devices.stateOf(device.id)
  const digest = state.postureDigest
  const nothing = { ecosystem: null, packages: 0, isWhole: false, incomparable: 0, items: [] }
  const id = digest === null ? null : await store.exposures.inventoryOfPosture(device.vendor, digest)
  if (id === undefined) return { state: 'pending', ...nothing }
  const found = id === null ? undefined : await store.exposures.inventory(id)
  if (id === null || found === undefined) return { state: 'no-packages', ...nothing }
  const { inventory, incomparable } = found
  const exclusions = await store.trackedAdvisories.exclusions(device.productId)
  const items = await rated(store, await store.exposures.of(id), exclusions, now)
  const { ecosystem } = inventory
  return {
    state: ecosystem === null ? 'no-advisories' : 'known',
    ecosystem: ecosystem === null ? null : `${ecosystem.name} ${ecosystem.release}`.trim(),
    packages: inventory.packages.length,
    isWhole: inventory.isWhole,
    incomparable,
    items: items.toSorted(byUrgency),
  }
}

async function rated(
  store: Store,
  exposures: readonly Exposure[],
  exclusions: readonly AdvisoryExclusion[],
  now: number,
): Promise<readonly RatedExposure[]> {
  const described = await describe(store, [...new Set(exposures.map(({ advisory }) => advisory))])
  return exposures.map((exposure) => {
    const exclusion = exclusions.find(
      (one) =>
        one.advisory === exposure.advisory &&
        one.expiresAt > now &&
        (one.package === null || one.package === exposure.package),
    )
    return { ...exposure, ...described(exposure.advisory), excludedUntil: exclusion?.expiresAt ?? null }
  })
}

async function describe(store: Store, names: readonly string[]) {
  const advisories = new Map<string, StoredAdvisory>()
  for (const one of await store.advisories.byIds(names)) {
    // Of several feeds the one that rates it.
    if (advisories.get(one.id)?.severity === undefined || one.severity !== null) advisories.set(one.id, one)
  }
  const cves = new Map([...advisories].map(([name, one]) => [name, cvesOf(one)]))
  const facts = await store.advisories.facts([...new Set([...cves.values()].flat())])
  return (name: string) => {
    const advisory = advisories.get(name)
    const own = (cves.get(name) ?? []).flatMap((cve): VulnerabilityFact[] => {
      const fact = facts.get(cve)
      return fact === undefined ? [] : [fact]
    })
    const probabilities = own.flatMap(({ probability }) => (probability === undefined ? [] : [probability]))
    return {
      summary: advisory?.summary ?? '',
      severity: advisory?.severity ?? null,
      published: advisory?.published ?? advisory?.knownAt ?? null,
      cves: (cves.get(name) ?? []).slice(0, 20),
      exploited: own.some(({ addedAt }) => addedAt !== undefined),
      probability: probabilities.length === 0 ? null : Math.max(...probabilities),
    }
  }
}

const STATUS_ORDER: readonly ExposureStatus[] = [
  'affected',
  'fixed-not-running',
  'unknown',
  'under-investigation',
  'not-affected',
]
const SEVERITY_ORDER: readonly (AdvisorySeverity | null)[] = ['critical', 'high', null, 'medium', 'low']

interface Urgent {
  readonly advisory: string
  readonly status: ExposureStatus
  readonly severity: AdvisorySeverity | null
  readonly exploited: boolean
  readonly probability: number | null
  readonly published: number | null
  readonly excludedUntil: number | null
}

/** Used in attacks, then by severity, then by how likely attacks are, then the oldest; what was excluded comes last. */
function byUrgency(a: Urgent, b: Urgent): number {
  return (
    Number(a.excludedUntil !== null) - Number(b.excludedUntil !== null) ||
    STATUS_ORDER.indexOf(a.status) - STATUS_ORDER.indexOf(b.status) ||
    Number(b.exploited) - Number(a.exploited) ||
    SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity) ||
    (b.probability ?? 0) - (a.probability ?? 0) ||
    (a.published ?? 0) - (b.published ?? 0) ||
    (a.advisory < b.advisory ? -1 : 1)
  )
}

export interface ProductVulnerability extends Urgent {
  readonly summary: string
  readonly packages: readonly string[]
  readonly fixedIn: string | null
  readonly devices: number
}

/** An update with how many advisories it would settle. */
interface Update {
  readonly package: string
  readonly version: string
  readonly advisories: number
}

export interface ProductVulnerabilities {
  readonly devices: number
  readonly unknownDevices: number
  readonly items: readonly ProductVulnerability[]
  readonly updates: readonly Update[]
  readonly patching: readonly { readonly tracked: TrackedAdvisory; readonly release: Release | null }[]
}

const MAX_UPDATES = 20

/** What concerns the devices of a product, over all of their different lists of packages. */
export async function vulnerabilitiesOf(store: Store, productId: string, now: number): Promise<ProductVulnerabilities> {
  const groups = (await store.exposedDevices.groups()).filter(({ product }) => product === productId)
  const exclusions = await store.trackedAdvisories.exclusions(productId)
  const merged = new Map<string, { one: RatedExposure; packages: Set<string>; inventories: Set<number> }>()
  const updates = new Map<string, { update: Omit<Update, 'advisories'>; names: Set<string> }>()
  for (const { inventory } of groups) {
    for (const one of await rated(store, await store.exposures.of(inventory), exclusions, now)) {
      const key = `${one.advisory}\n${one.status}`
      const found = merged.get(key) ?? { one, packages: new Set(), inventories: new Set() }
      found.packages.add(one.package)
      found.inventories.add(inventory)
      merged.set(key, found)
      if (one.status !== 'affected' || one.fixedIn === null || one.excludedUntil !== null) continue
      const update = { package: one.package, version: one.fixedIn }
      const about = updates.get(`${update.package}\n${update.version}`) ?? { update, names: new Set() }
      about.names.add(one.advisory)
      updates.set(`${update.package}\n${update.version}`, about)
    }
  }
  const counts = new Map(groups.map(({ inventory, count }) => [inventory, count]))
  const items = [...merged.values()].map(({ one, packages, inventories }) => ({
    advisory: one.advisory,
    summary: one.summary,
    severity: one.severity,
    exploited: one.exploited,
    probability: one.probability,
    published: one.published,
    status: one.status,
    fixedIn: one.fixedIn,
    excludedUntil: one.excludedUntil,
    packages: [...packages].sort(),
    devices: [...inventories].reduce((sum, id) => sum + (counts.get(id) ?? 0), 0),
  }))
  const devices = groups.reduce((sum, { count }) => sum + count, 0)
  const all = await store.exposedDevices.count(productId)
  const releases = await store.releases.ofProduct(productId)
  return {
    devices: all,
    unknownDevices: Math.max(0, all - devices),
    items: items.toSorted(byUrgency),
    updates: [...updates.values()]
      .map(({ update, names }) => ({ ...update, advisories: names.size }))
      .toSorted((a, b) => b.advisories - a.advisories || (a.package < b.package ? -1 : 1))
      .slice(0, MAX_UPDATES),
    patching: (await store.trackedAdvisories.ofProduct(productId)).map((tracked) => ({
      tracked,
      release: releaseAfter(releases, tracked),
    })),
  }
}

/** The first release that was made after the fix was known: the one that could have it. */
function releaseAfter(releases: readonly Release[], { fixKnownAt }: TrackedAdvisory): Release | null {
  if (fixKnownAt === null) return null
  const later = releases.filter(({ createdAt, state }) => createdAt >= fixKnownAt && state !== 'revoked')
  return later.toSorted((a, b) => a.createdAt - b.createdAt)[0] ?? null
}
