import { coverageOf, type Coverage, type CoverageReason } from '../../shared/decisions/coverage.ts'
import type { Register } from '../../shared/decisions/register.ts'
import type { Product } from '../model/product.ts'
import type { Release } from '../model/release.ts'
import type { Store } from '../store/index.ts'
import type { CoverageGroup } from '../store/reporting.ts'
import { running } from './coverage.ts'

/** How many active units are covered, and of the others how many for which reason. */
export interface CoverageCount {
  readonly covered: number
  readonly notCovered: number
  readonly reasons: Readonly<Partial<Record<CoverageReason, number>>>
}

/** Units that are alike, with what is said of each of them. */
export interface CoveredGroup extends CoverageGroup {
  readonly coverage: Coverage
}

/** Whether units are covered, one answer for all that are alike. `at`: seconds since 1970. */
export function coverGroups(
  register: Pick<Register, 'certificates' | 'releases'>,
  { vendor, model }: Pick<Product, 'vendor' | 'model'>,
  groups: readonly CoverageGroup[],
  releases: readonly Release[],
  at: number,
): readonly CoveredGroup[] {
  return groups.map((group) => {
    const release = releases.find(({ id }) => id === group.releaseId)
    const { hardwareRevision, isFailing } = group
    const unit = {
      vendor,
      model,
      hardwareRevision,
      release: release === undefined ? null : running(release),
      isFailing,
    }
    return { ...group, coverage: coverageOf(register, unit, at) }
  })
}

export function countCovered(groups: readonly CoveredGroup[]): CoverageCount {
  const reasons: Partial<Record<CoverageReason, number>> = {}
  let [covered, notCovered] = [0, 0]
  for (const { count, coverage } of groups) {
    if (coverage.reason === null) covered += count
    else {
      notCovered += count
      reasons[coverage.reason] = (reasons[coverage.reason] ?? 0) + count
    }
  }
  return { covered, notCovered, reasons }
}

export const sumOfCounts = (counts: readonly CoverageCount[]): CoverageCount =>
  counts.reduce(
    (sum, { covered, notCovered, reasons }) => {
      const all: Partial<Record<CoverageReason, number>> = { ...sum.reasons }
      for (const [reason, units] of Object.entries(reasons) as [CoverageReason, number][]) {
        all[reason] = (all[reason] ?? 0) + units
      }
      return { covered: sum.covered + covered, notCovered: sum.notCovered + notCovered, reasons: all }
    },
    { covered: 0, notCovered: 0, reasons: {} },
  )

/** A fleet is looked at again after this time, however many ask; decisions count at once. */
const KEPT_MS = 15_000
/** Up to so many units it costs nothing worth keeping. */
const SMALL_FLEET = 10_000

interface Kept {
  readonly at: number
  readonly groups: Promise<readonly CoverageGroup[]>
}

/**
 * The coverage of whole fleets. What a fleet is made of is counted by the database, in one statement a product, and kept
 * for a moment where the fleet is large; whether it is covered is asked of the decision log each time.
 */
export class FleetCoverage {
  readonly #kept = new Map<string, Kept>()

  /** `now`: ms since 1970. */
  async of(
    store: Pick<Store, 'reporting' | 'releases'>,
    register: Register,
    product: Product,
    now: number,
  ): Promise<readonly CoveredGroup[]> {
    const groups = await this.#groups(store, product.id, now)
    const releases = await store.releases.ofProduct(product.id)
    return coverGroups(register, product, groups, releases, Math.floor(now / 1000))
  }

  #groups({ reporting }: Pick<Store, 'reporting'>, productId: string, now: number): Kept['groups'] {
    const kept = this.#kept.get(productId)
    if (kept !== undefined && Math.abs(now - kept.at) < KEPT_MS) return kept.groups
    const groups = reporting.coverageGroups(productId)
    this.#kept.set(productId, { at: now, groups })
    const forget = (): void => {
      if (this.#kept.get(productId)?.groups === groups) this.#kept.delete(productId)
    }
    groups.then((all) => {
      if (all.reduce((sum, { count }) => sum + count, 0) < SMALL_FLEET) forget()
    }, forget)
    return groups
  }
}
