import { cvesOf } from '../../shared/advisories/aliases.ts'
import type { AdvisorySeverity } from '../../shared/maturity/events/kinds.ts'
import type { AdvisoryExclusion, StoredAdvisory } from '../model/advisory.ts'
import type { Store } from '../store/index.ts'
import type { TrackedAdvisory } from '../store/tracked-advisories.ts'

/** Devices of a product that report the same. */
interface ReportingGroup {
  readonly vendor: string
  readonly postureDigest: Uint8Array | null
  /** The release that they run, whose components no package manager knows. */
  readonly releaseId?: string | null
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
  const excluded = exclusionsAt(await store.trackedAdvisories.exclusions(productId), now)
  const open = new Map([...(await store.exposures.openOf(ids))].filter(([advisory]) => !excluded.has(advisory)))
  const kept = new Map((await store.trackedAdvisories.ofProduct(productId)).map((one) => [one.advisory, one]))
  const names = [...new Set([...open.keys(), ...kept.keys()])].filter((name) => !excluded.has(name))
  const described = new Map((await store.advisories.byIds(names)).map((one) => [one.id, one]))
  const exploited = await exploitedOf(store, [...described.values()])
  const all: FleetAdvisory[] = []
  for (const name of names) {
    const affected = open.get(name) ?? new Map<number, readonly string[]>()
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
    }
    if (before === undefined || changed(before, tracked)) await store.trackedAdvisories.save(productId, tracked)
    // Withdrawn: nobody has to patch what is no vulnerability.
    if (known !== undefined && known.withdrawn !== null) continue
    const packages = [...new Set(entries.map(({ statement }) => statement.package))]
    const having = new Set(await store.exposures.inventoriesWith(packages))
    all.push({
      ...tracked,
      stateOf: (group) => stateOf(group, inventories, affected, having),
      packagesOf: (group) => inventories(group).all.flatMap((id) => affected.get(id) ?? []),
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

/** Advisories that were excluded as a whole. One package of several leaves the rest. */
export const exclusionsAt = (exclusions: readonly AdvisoryExclusion[], now: number): ReadonlySet<string> =>
  new Set(
    exclusions
      .filter(({ expiresAt, package: name }) => expiresAt > now && name === null)
      .map(({ advisory }) => advisory),
  )

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
  before.patchedAt !== now.patchedAt
