import type { Exposure, ExposureStatus } from '../model/advisory.ts'
import type { ProductStatement } from '../model/product-statement.ts'
import type { Store } from '../store/index.ts'
import { exposedGroups } from './exposed-groups.ts'
import { limitationsOf, type LimitedBy } from './limited.ts'
import { ruled } from './rating.ts'
import { Rulings } from './rulings.ts'

/** What one advisory means for devices of a product that are alike to it. */
export interface Effect extends Pick<
  Exposure,
  'package' | 'installed' | 'fixedIn' | 'status' | 'reason' | 'justification' | 'disputedBy'
> {
  readonly productId: string
  readonly devices: number
  /** Of these, those that a limitation of the profile leaves without the fix, and which one. */
  readonly limited: number
  readonly limitation: string | null
  readonly excludedUntil: number | null
  readonly ruling: ProductStatement | null
  readonly unruled: ExposureStatus
}

/** For the devices of all products. */
export async function effectsOf(store: Store, advisory: string, now: number): Promise<readonly Effect[]> {
  const found = await store.exposures.ofAdvisory(advisory)
  if (found.length === 0) return []
  const rulings = new Rulings(await store.productStatements.inForce(now), now)
  const groups = await exposedGroups(store, rulings)
  const effects = new Map<string, Effect>()
  const limits = new Map<string, LimitedBy>()
  for (const exposure of found) {
    for (const group of groups) {
      const { product, hardware, count } = group
      if (group.inventory !== exposure.inventory && group.release !== exposure.inventory) continue
      const limit = limits.get(product) ?? (await limitationsOf(store, product))
      limits.set(product, limit)
      const one = ruled(exposure, rulings, product, group.where)
      const isOpen = one.status === 'affected' || one.status === 'fixed-not-running'
      const limitation = isOpen ? (limit(hardware, [one.package]) ?? null) : null
      const key = [product, one.package, one.installed, one.status, one.reason, one.ruling?.id, one.unruled].join('\n')
      const before = effects.get(key)
      effects.set(key, {
        productId: product,
        package: one.package,
        installed: one.installed,
        fixedIn: one.fixedIn,
        status: one.status,
        reason: one.reason,
        justification: one.justification,
        disputedBy: [...new Set([...(before?.disputedBy ?? []), ...one.disputedBy])],
        devices: (before?.devices ?? 0) + count,
        limited: (before?.limited ?? 0) + (limitation === null ? 0 : count),
        limitation: limitation ?? before?.limitation ?? null,
        excludedUntil: one.excludedUntil,
        ruling: one.ruling,
        unruled: one.unruled,
      })
    }
  }
  return [...effects.values()]
}
