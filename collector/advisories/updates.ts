import type { AdvisorySeverity } from '../../shared/maturity/events/kinds.ts'
import { orderingOf, type VersionScheme } from '../../shared/versions/compare.ts'
import { SEVERITY_ORDER, type RatedExposure } from './rating.ts'

/** An update of one source in one release of a distribution, and what it settles: the newest fix settles all before it. */
export interface Update {
  readonly ecosystem: string
  readonly source: string
  readonly version: string
  /** Those that are installed and come with it. */
  readonly packages: readonly string[]
  readonly advisories: readonly string[]
  readonly exploited: number
  readonly severity: AdvisorySeverity | null
  /** The likeliest of the attacks that it ends, in millionths. */
  readonly probability: number | null
  /** Ports on which its packages can be reached from elsewhere. */
  readonly ports: readonly string[]
  /** Since when the oldest of them is published, ms since 1970. */
  readonly oldest: number | null
  readonly devices: number
}

interface Gathering {
  readonly ecosystem: string
  readonly source: string
  readonly scheme: VersionScheme
  version: string
  readonly packages: Set<string>
  readonly exposures: Map<string, RatedExposure>
  readonly ports: Set<string>
  readonly groups: Map<number, number>
}

/** Gathers what each update would settle, over groups of devices. */
export class Updates {
  readonly #all = new Map<string, Gathering>()

  /** `group`: a number of its own, so that devices are counted once. */
  add(exposure: RatedExposure, group: number, devices: number): void {
    const { status, fixedIn, excludedUntil, ecosystem, source, scheme, listener } = exposure
    if (status !== 'affected' || fixedIn === null || excludedUntil !== null) return
    const key = `${ecosystem}\n${source}`
    const known = this.#all.get(key)
    const update: Gathering = known ?? {
      ecosystem,
      source,
      scheme,
      version: fixedIn,
      packages: new Set(),
      exposures: new Map(),
      ports: new Set(),
      groups: new Map(),
    }
    this.#all.set(key, update)
    if (isNewer(scheme, fixedIn, update.version)) update.version = fixedIn
    update.packages.add(exposure.package)
    update.exposures.set(exposure.advisory, exposure)
    if (listener?.reach === 'network') for (const port of listener.ports) update.ports.add(port)
    update.groups.set(group, devices)
  }

  /** Those that end attacks that are going on, then those that end the worst, and the most, on the most devices. */
  mostUrgent(most: number): readonly Update[] {
    return [...this.#all.values()].map(toUpdate).sort(byWorth).slice(0, most)
  }
}

function isNewer(scheme: VersionScheme, version: string, than: string): boolean {
  const { parse, compare } = orderingOf(scheme)
  const [a, b] = [parse(version), parse(than)]
  return a !== undefined && (b === undefined || compare(a, b) > 0)
}

function toUpdate({ ecosystem, source, version, packages, exposures, ports, groups }: Gathering): Update {
  const all = [...exposures.values()]
  const rank = Math.min(...all.map(({ severity }) => SEVERITY_ORDER.indexOf(severity)))
  const probabilities = all.flatMap(({ probability }) => probability ?? [])
  const published = all.flatMap((one) => one.published ?? [])
  return {
    ecosystem,
    source,
    version,
    packages: [...packages].sort(),
    advisories: [...exposures.keys()].sort(),
    exploited: all.filter(({ exploited }) => exploited).length,
    severity: SEVERITY_ORDER[rank] ?? null,
    probability: probabilities.length === 0 ? null : Math.max(...probabilities),
    ports: [...ports].sort(),
    oldest: published.length === 0 ? null : Math.min(...published),
    devices: [...groups.values()].reduce((sum, count) => sum + count, 0),
  }
}

/** What it is worth: advisories times devices, within the worst of what it ends. */
const byWorth = (a: Update, b: Update): number =>
  Number(b.exploited > 0) - Number(a.exploited > 0) ||
  SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity) ||
  Number(b.ports.length > 0) - Number(a.ports.length > 0) ||
  b.advisories.length * b.devices - a.advisories.length * a.devices ||
  (a.oldest ?? 0) - (b.oldest ?? 0) ||
  (a.source < b.source ? -1 : 1)
