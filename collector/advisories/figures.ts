import { ADVISORY_SEVERITIES, type AdvisorySeverity } from '../../shared/maturity/events/kinds.ts'
import type { Store } from '../store/index.ts'
import { exposedGroups } from './exposed-groups.ts'
import { Rulings } from './rulings.ts'
import { exploitedOf, UNRATED } from './track.ts'

/** What is told of advisories as metrics. */
export interface AdvisoryFigures {
  /** Devices by the worst advisory that they are affected by; what is used in attacks is critical. */
  readonly exposed: Readonly<Record<AdvisorySeverity, number>>
  /** Devices whose packages nobody knows. */
  readonly unknown: number
  /** How long the oldest advisory that is used in attacks, and that devices are affected by, has been public; 0: none. */
  readonly oldestExploitedMs: number
  /** Since the feed that was looked at longest ago was looked at; null: there is no feed of others. */
  readonly feedAgeMs: number | null
}

const rankOf = (severity: AdvisorySeverity): number => ADVISORY_SEVERITIES.indexOf(severity)

export async function advisoryFigures(store: Store, now: number): Promise<AdvisoryFigures> {
  const rulings = new Rulings(await store.productStatements.inForce(now), now)
  const groups = await exposedGroups(store, rulings)
  const ids = [...new Set(groups.flatMap(({ inventory, release }) => [inventory, release]))].filter((id) => id !== null)
  const open = await store.exposures.openOf(ids)
  const advisories = await store.advisories.byIds([...open.keys()])
  const exploited = await exploitedOf(store, advisories)
  const described = new Map(advisories.map((one) => [one.id, one]))
  const exposed: Record<AdvisorySeverity, number> = { critical: 0, high: 0, medium: 0, low: 0 }
  let [unknown, oldest] = [0, now]
  for (const { product, inventory, release, where, count } of groups) {
    if (inventory === null) unknown += count
    let worst: AdvisorySeverity | undefined
    for (const [advisory, inventories] of open) {
      const packages = [inventory, release].flatMap((id) => (id === null ? [] : (inventories.get(id) ?? [])))
      if (packages.length === 0 || rulings.settles(product, advisory, packages, where)) continue
      const known = described.get(advisory)
      const severity = exploited.has(advisory) ? 'critical' : (known?.severity ?? UNRATED)
      if (worst === undefined || rankOf(severity) < rankOf(worst)) worst = severity
      if (exploited.has(advisory)) oldest = Math.min(oldest, known?.published ?? known?.knownAt ?? now)
    }
    if (worst !== undefined) exposed[worst] += count
  }
  const feeds = (await store.advisorySets.feeds()).filter(({ authority }) => authority !== 'own')
  const checked = feeds.flatMap(({ checkedAt }) => checkedAt ?? [])
  const feedAgeMs = checked.length === 0 ? null : Math.max(0, now - Math.min(...checked))
  return { exposed, unknown, oldestExploitedMs: Math.max(0, now - oldest), feedAgeMs }
}

/** The fleet is counted once in so long, however often somebody asks. */
const KEPT_MS = 300_000

/** `read`, at most once in a while; a failure is told, and tried again the next time. */
export function keptFor<T>(read: (now: number) => Promise<T>, clock: () => number, keptMs = KEPT_MS): () => Promise<T> {
  let kept: { readonly at: number; readonly value: Promise<T> } | undefined
  return () => {
    const now = clock()
    if (kept === undefined || now - kept.at >= keptMs || now < kept.at) {
      const value = read(now)
      kept = { at: now, value }
      value.catch(() => (kept = undefined))
    }
    return kept.value
  }
}
