import { toHex } from '../../shared/bytes/bytes.ts'
import { cvesOf } from '../../shared/advisories/aliases.ts'
import type { AdvisorySeverity } from '../../shared/maturity/events/kinds.ts'
import type { StoredAdvisory } from '../model/advisory.ts'
import type { Store } from '../store/index.ts'
import type { TrackedAdvisory } from '../store/tracked-advisories.ts'
import { NOWHERE, Rulings, type Whereabouts } from './rulings.ts'

/** Devices of a product that report the same. */
interface ReportingGroup {
  readonly vendor: string
  readonly postureDigest: Uint8Array | null
  /** The release that they run, whose components no package manager knows. */
  readonly releaseId?: string | null
  /** Keys of those whose labels they have. */
  readonly environments?: ReadonlySet<string>
}

export type PatchState = 'fixed' | 'open' | 'unaffected'

/** An advisory that concerns a product, and what each group of its devices is to it. */
export interface FleetAdvisory extends TrackedAdvisory {
  readonly stateOf: (group: ReportingGroup) => PatchState
  /** The packages by which a group is open; empty where nobody knows what it has. */
  readonly packagesOf: (group: ReportingGroup) => readonly string[]
}

/** What nobody has rated is taken for this: neither forgotten nor in everybody's way. */
export const UNRATED: AdvisorySeverity = 'medium'

/**
 * Writes down what concerns the devices of a product now, and gives all that ever did. An advisory that was fixed
 * everywhere before anybody looked took no time here, and is not among them.
 */
export async function trackAdvisories(
  store: Store,
  productId: string,
  groups: readonly ReportingGroup[],
  now: number,
): Promise<readonly FleetAdvisory[]> {
  const inventories = await inventoriesOf(store, groups)
  const ids = [...new Set(groups.flatMap((group) => inventories(group).all))]
  const rulings = new Rulings(await store.productStatements.inForce(now, productId), now)
  const whereabouts = await whereaboutsOf(store, rulings)
  const open = await store.exposures.openOf(ids)
  const kept = new Map((await store.trackedAdvisories.ofProduct(productId)).map((one) => [one.advisory, one]))
  const names = [...new Set([...open.keys(), ...kept.keys()])]
  const described = new Map((await store.advisories.byIds(names)).map((one) => [one.id, one]))
  const exploited = await exploitedOf(store, [...described.values()])
  const all: FleetAdvisory[] = []
  for (const name of names) {
    const affected = open.get(name) ?? new Map<number, readonly string[]>()
    const packagesOf = (group: ReportingGroup) => inventories(group).all.flatMap((id) => affected.get(id) ?? [])
    // Of whoever does not tell its packages only what is said of all of them settles it.
    const isSettledFor = (group: ReportingGroup): boolean => {
      const names = inventories(group).packages === undefined ? [] : packagesOf(group)
      return rulings.settles(productId, name, names, whereabouts(group))
    }
    const mayHave = (group: ReportingGroup): boolean =>
      inventories(group).packages === undefined || packagesOf(group).length > 0
    const concerned = groups.filter(mayHave)
    const isSettled = concerned.length > 0 && concerned.every(isSettledFor)
    if (isSettled && !kept.has(name)) continue
    const entries = await store.advisories.statementsOf(name)
    const known = described.get(name)
    const before = kept.get(name)
    const fix = entries.some(({ statement }) => statement.ranges.some(({ fixed }) => fixed !== null))
    const since = {
      publishedAt: before?.publishedAt ?? known?.published ?? known?.knownAt ?? now,
      knownAt: before?.knownAt ?? known?.knownAt ?? now,
      exposedAt: before?.exposedAt ?? now,
    }
    const isExploited = exploited.has(name)
    const tracked: TrackedAdvisory = {
      advisory: name,
      severity: isExploited ? 'critical' : (known?.severity ?? before?.severity ?? UNRATED),
      exploited: isExploited,
      ...since,
      fixKnownAt: before?.fixKnownAt ?? (fix ? Math.min(known?.modified ?? now, now) : null),
      patchedAt: affected.size > 0 ? null : (before?.patchedAt ?? now),
      isSettled,
    }
    if (before === undefined || changed(before, tracked)) await store.trackedAdvisories.save(productId, tracked)
    // Withdrawn: nobody has to patch what is no vulnerability.
    if (known !== undefined && known.withdrawn !== null) continue
    // What was said for all of them is as if nobody had published it.
    if (groups.length > 0 && groups.every(isSettledFor)) continue
    const packages = [...new Set(entries.map(({ statement }) => statement.package))]
    const having = new Set(await store.exposures.inventoriesWith(packages))
    all.push({
      ...tracked,
      stateOf: (group) => {
        const state = stateOf(group, inventories, affected, having)
        return state === 'open' && isSettledFor(group) ? 'unaffected' : state
      },
      packagesOf,
    })
  }
  return all
}

function stateOf(
  group: ReportingGroup,
  inventories: InventoriesOf,
  affected: ReadonlyMap<number, unknown>,
  having: ReadonlySet<number>,
): PatchState {
  const { packages, all } = inventories(group)
  // Whoever does not tell what it has installed may have it.
  if (packages === undefined || all.some((id) => affected.has(id))) return 'open'
  return all.some((id) => having.has(id)) ? 'fixed' : 'unaffected'
}

/** Of what a group reports, and of its release: `packages` alone is what it reports. */
type InventoriesOf = (group: ReportingGroup) => {
  readonly packages: number | undefined
  readonly all: readonly number[]
}

const keyOf = (vendor: string, digest: Uint8Array): string => `${vendor}\n${digest.join(',')}`

async function inventoriesOf(store: Store, groups: readonly ReportingGroup[]): Promise<InventoriesOf> {
  const found = new Map<string, number | undefined>()
  for (const { vendor, postureDigest } of groups) {
    if (postureDigest === null || found.has(keyOf(vendor, postureDigest))) continue
    const id = await store.exposures.inventoryOfPosture(vendor, postureDigest)
    found.set(keyOf(vendor, postureDigest), id ?? undefined)
  }
  const releaseIds = groups.flatMap(({ releaseId }) => releaseId ?? [])
  const releases = await store.releaseSboms.inventories([...new Set(releaseIds)])
  return ({ vendor, postureDigest, releaseId }) => {
    const packages = postureDigest === null ? undefined : found.get(keyOf(vendor, postureDigest))
    const release = releases.get(releaseId ?? '')
    return { packages, all: [packages, release].filter((id) => id !== undefined) }
  }
}

async function whereaboutsOf(store: Store, rulings: Rulings): Promise<(group: ReportingGroup) => Whereabouts> {
  const met = await store.productConfigurations.metBy([...rulings.configurations])
  return ({ postureDigest, releaseId, environments = NOWHERE.environments }) => ({
    releaseId: releaseId ?? null,
    configurations: (postureDigest === null ? undefined : met.get(toHex(postureDigest))) ?? NOWHERE.configurations,
    environments,
  })
}

/** Of these advisories those about vulnerabilities that are known to be used in attacks. */
export async function exploitedOf(store: Store, advisories: readonly StoredAdvisory[]): Promise<ReadonlySet<string>> {
  const cves = new Map(advisories.map((one) => [one.id, cvesOf(one)]))
  const facts = await store.advisories.facts([...new Set([...cves.values()].flat())])
  const isExploited = (cve: string): boolean => facts.get(cve)?.addedAt !== undefined
  return new Set([...cves].filter(([, names]) => names.some(isExploited)).map(([id]) => id))
}

const changed = (before: TrackedAdvisory, now: TrackedAdvisory): boolean =>
  before.severity !== now.severity ||
  before.exploited !== now.exploited ||
  before.fixKnownAt !== now.fixKnownAt ||
  before.patchedAt !== now.patchedAt ||
  before.isSettled !== now.isSettled
