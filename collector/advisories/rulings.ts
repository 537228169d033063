import type { Labels } from '../model/labels.ts'
import {
  environmentKey,
  isInForce,
  labelsText,
  NOTHING_KNOWN,
  type Meeting,
  type ProductStatement,
} from '../model/product-statement.ts'

/** What decides, beside the advisory, whether a statement is about a device. */
export interface Whereabouts {
  /** Null: nobody knows what it runs. */
  readonly releaseId: string | null
  readonly configurations: Meeting
  /** Keys of those whose labels it has. */
  readonly environments: ReadonlySet<string>
}

export const NOWHERE: Whereabouts = { releaseId: null, configurations: NOTHING_KNOWN, environments: new Set() }

export interface Ruling {
  /** Null: what advisories say counts. */
  readonly by: ProductStatement | null
  /** Also about these devices, and of another verdict. */
  readonly others: readonly ProductStatement[]
}

const NOTHING: Ruling = { by: null, others: [] }

/**
 * What people have said of advisories for products, as far as it counts now. Whoever says that devices are affected is
 * believed before those who say otherwise, also where nobody knows whether it is about them; then comes that they are not affected, then that it does not matter; among
 * equals what lasts longest.
 */
export class Rulings {
  readonly all: readonly ProductStatement[]
  readonly #byAdvisory = new Map<string, ProductStatement[]>()

  constructor(statements: readonly ProductStatement[], now: number) {
    this.all = statements.filter((each) => isInForce(each, now))
    for (const each of this.all) {
      const key = keyOf(each.productId, each.advisory)
      const known = this.#byAdvisory.get(key)
      if (known === undefined) this.#byAdvisory.set(key, [each])
      else known.push(each)
    }
  }

  /** `name`: of the package; null: nobody knows which. */
  of(productId: string, advisory: string, name: string | null, where: Whereabouts): Ruling {
    const said = this.#byAdvisory.get(keyOf(productId, advisory))
    if (said === undefined) return NOTHING
    const about = said.filter((each) => isAbout(each, name, where))
    const isAffected = about.some(({ verdict }) => verdict === 'affected')
    const [best] = about.toSorted(
      (a, b) => RANK[a.verdict] - RANK[b.verdict] || b.expiresAt - a.expiresAt || (a.id < b.id ? -1 : 1),
    )
    const by = best === undefined || isAffected ? null : best
    const verdict = isAffected ? 'affected' : best?.verdict
    return { by, others: about.filter((each) => each.verdict !== verdict) }
  }

  /** Whether nothing of it is left to count: of these packages, none of which the devices are affected by unsettled. */
  settles(productId: string, advisory: string, packages: readonly string[], where: Whereabouts): boolean {
    const names = packages.length === 0 ? [null] : packages
    return names.every((name) => this.of(productId, advisory, name, where).by !== null)
  }

  /** Each once. */
  environments(productId: string): readonly Labels[] {
    const found = new Map<string, Labels>()
    for (const { productId: of, environment } of this.all) {
      if (of === productId && environment !== null) found.set(environmentKey(environment.labels), environment.labels)
    }
    return [...found.values()]
  }

  get configurations(): ReadonlySet<string> {
    return new Set(this.all.flatMap(({ configuration }) => configuration?.id ?? []))
  }
}

const RANK = { affected: 0, 'not-affected': 1, excluded: 2 } as const

const keyOf = (productId: string, advisory: string): string => `${productId}\n${advisory}`

/** What takes something back counts where it may be about a device, what takes something away where it is. */
function isAbout(said: ProductStatement, name: string | null, where: Whereabouts): boolean {
  const { releaseId, configurations } = where
  const mayCount = said.verdict === 'affected'
  const isOf = (wanted: string, one: string | null): boolean => (one === null ? mayCount : one === wanted)
  if (said.package !== null && !isOf(said.package, name)) return false
  if (said.release !== null && !isOf(said.release.id, releaseId)) return false
  if (said.configuration !== null) {
    const { id } = said.configuration
    if (mayCount ? configurations.notMet.has(id) : !configurations.met.has(id)) return false
  }
  return said.environment === null || where.environments.has(environmentKey(said.environment.labels))
}

/** For people: `configuration no-telnet, environment lab`; empty for the whole product. */
export function scopeText({ release, configuration, environment }: ProductStatement): string {
  return [
    release === null ? '' : `release ${release.name}`,
    configuration === null ? '' : `configuration ${configuration.name}`,
    environment === null ? '' : `environment ${environment.name || labelsText(environment.labels)}`,
  ]
    .filter(Boolean)
    .join(', ')
}
