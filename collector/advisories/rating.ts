import { cvesOf } from '../../shared/advisories/aliases.ts'
import { baseScore, localScore } from '../../shared/advisories/cvss.ts'
import type { AdvisorySeverity } from '../../shared/maturity/events/kinds.ts'
import type { Exposure, ExposureStatus, Listener, Listening, StoredAdvisory } from '../model/advisory.ts'
import type { ProductStatement } from '../model/product-statement.ts'
import type { VulnerabilityFact } from '../store/advisories.ts'
import type { Store } from '../store/index.ts'
import { scopeText, type Rulings, type Whereabouts } from './rulings.ts'

/** An exposure with what says how urgent it is. */
export interface RatedExposure extends Exposure {
  readonly summary: string
  readonly severity: AdvisorySeverity | null
  /** CVSS, of where the package listens: null where there is no vector. */
  readonly score: number | null
  readonly published: number | null
  readonly cves: readonly string[]
  readonly exploited: boolean
  readonly probability: number | null
  /** Where the package itself listens; null: it does not, or nobody can tell. */
  readonly listener: Listener | null
  /** What was said for the devices at hand, and counts. */
  readonly ruling: ProductStatement | null
  /** What it would be without that. */
  readonly unruled: ExposureStatus
  /** Of a ruling that it does not matter. */
  readonly excludedUntil: number | null
}

type Ruled = Pick<RatedExposure, 'ruling' | 'unruled' | 'excludedUntil'>

/** What is left of an exposure by what people have said of it for such devices. What is not affected stays so. */
export function ruled<E extends Exposure>(one: E, rulings: Rulings, product: string, where: Whereabouts): E & Ruled {
  const { by, others } = rulings.of(product, one.advisory, one.package, where)
  const said = { ...one, disputedBy: [...one.disputedBy, ...others.map(dispute)], unruled: one.status }
  if (one.status === 'not-affected' || by === null) return { ...said, ruling: null, excludedUntil: null }
  if (by.verdict === 'excluded') return { ...said, ruling: by, excludedUntil: by.expiresAt }
  const verdict = {
    status: 'not-affected',
    reason: 'own-statement',
    justification: by.justification?.replaceAll('_', ' ') ?? null,
  } as const
  return { ...said, ...verdict, ruling: by, excludedUntil: null }
}

export interface RatedDevices {
  readonly product: string
  readonly where: Whereabouts
  readonly listening: Listening | null
}

function dispute(said: ProductStatement): string {
  const scope = scopeText(said)
  return `own: ${said.verdict}${scope === '' ? '' : ` (${scope})`}`
}

/** Describes advisories once, however many inventories they concern. */
export class Rating {
  readonly #store: Store
  readonly #rulings: Rulings
  readonly #described = new Map<string, Described>()

  constructor(store: Store, rulings: Rulings) {
    this.#store = store
    this.#rulings = rulings
  }

  /** Of devices of this product that are there. */
  async rate(
    exposures: readonly Exposure[],
    { product, where, listening }: RatedDevices,
  ): Promise<readonly RatedExposure[]> {
    await this.#describe([...new Set(exposures.map(({ advisory }) => advisory))])
    return exposures.map((exposure) => ruled(this.#rated(exposure, listening), this.#rulings, product, where))
  }

  #rated(exposure: Exposure, listening: Listening | null): Omit<RatedExposure, keyof Ruled> {
    const { cvss, ...described } = this.#described.get(exposure.advisory) ?? UNDESCRIBED
    const name = exposure.package
    const listener = listening !== null && Object.hasOwn(listening, name) ? (listening[name] ?? null) : null
    const score = cvss === null ? undefined : listener?.reach === 'local' ? localScore(cvss) : baseScore(cvss)
    return { ...exposure, ...described, listener, score: score ?? null }
  }

  async #describe(names: readonly string[]): Promise<void> {
    const unknown = names.filter((name) => !this.#described.has(name))
    const advisories = new Map<string, StoredAdvisory>()
    for (const one of await this.#store.advisories.byIds(unknown)) {
      // Of several feeds the one that rates it.
      if (advisories.get(one.id)?.severity === undefined || one.severity !== null) advisories.set(one.id, one)
    }
    const cves = new Map([...advisories].map(([name, one]) => [name, cvesOf(one)]))
    const facts = await this.#store.advisories.facts([...new Set([...cves.values()].flat())])
    for (const [name, advisory] of advisories) {
      const own = (cves.get(name) ?? []).flatMap((cve) => facts.get(cve) ?? [])
      this.#described.set(name, describedOf(advisory, cves.get(name) ?? [], own))
    }
  }
}

type Described = Pick<RatedExposure, 'summary' | 'severity' | 'published' | 'cves' | 'exploited' | 'probability'> & {
  readonly cvss: string | null
}

const UNDESCRIBED: Described = {
  summary: '',
  severity: null,
  cvss: null,
  published: null,
  cves: [],
  exploited: false,
  probability: null,
}

function describedOf(
  { summary, severity, cvss, published, knownAt }: StoredAdvisory,
  cves: readonly string[],
  facts: readonly VulnerabilityFact[],
): Described {
  const probabilities = facts.flatMap(({ probability }) => (probability === undefined ? [] : [probability]))
  return {
    summary,
    severity,
    cvss,
    published: published ?? knownAt,
    cves: cves.slice(0, 20),
    exploited: facts.some(({ addedAt }) => addedAt !== undefined),
    probability: probabilities.length === 0 ? null : Math.max(...probabilities),
  }
}

const STATUS_ORDER: readonly ExposureStatus[] = [
  'affected',
  'fixed-not-running',
  'unknown',
  'under-investigation',
  'not-affected',
]
export const SEVERITY_ORDER: readonly (AdvisorySeverity | null)[] = ['critical', 'high', null, 'medium', 'low']

export interface Urgent {
  readonly advisory: string
  readonly status: ExposureStatus
  readonly severity: AdvisorySeverity | null
  readonly score: number | null
  readonly exploited: boolean
  readonly probability: number | null
  readonly published: number | null
  readonly listener: Listener | null
  readonly excludedUntil: number | null
}

const isReachable = ({ listener }: Urgent): boolean => listener?.reach === 'network'

/**
 * Used in attacks, then by severity, then what listens to the network, then by how likely attacks are, by score, and the
 * oldest; what was excluded comes last. Where nobody listens nothing is less urgent for it: libraries never do.
 */
export function byUrgency(a: Urgent, b: Urgent): number {
  return (
    Number(a.excludedUntil !== null) - Number(b.excludedUntil !== null) ||
    STATUS_ORDER.indexOf(a.status) - STATUS_ORDER.indexOf(b.status) ||
    Number(b.exploited) - Number(a.exploited) ||
    SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity) ||
    Number(isReachable(b)) - Number(isReachable(a)) ||
    (b.probability ?? 0) - (a.probability ?? 0) ||
    (b.score ?? 0) - (a.score ?? 0) ||
    (a.published ?? 0) - (b.published ?? 0) ||
    (a.advisory < b.advisory ? -1 : 1)
  )
}
