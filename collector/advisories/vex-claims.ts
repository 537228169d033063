import type { ExposureStatus } from '../model/advisory.ts'
import { labelsText, type Environment, type ProductStatement } from '../model/product-statement.ts'
import type { Product } from '../model/product.ts'
import type { ProductVulnerability } from './view.ts'

/** OpenVEX 0.2.0, "Status Labels"; the worst first. */
const STATUSES = ['affected', 'under_investigation', 'not_affected'] as const
type VexStatus = (typeof STATUSES)[number]

const STATUS: Readonly<Record<ExposureStatus, VexStatus>> = {
  affected: 'affected',
  // Its devices run the vulnerable code, whatever lies on their disks.
  'fixed-not-running': 'affected',
  // Nobody can tell: whoever reads it is not to believe that all is well.
  unknown: 'under_investigation',
  'under-investigation': 'under_investigation',
  'not-affected': 'not_affected',
}

/** What is claimed of one advisory for some devices. */
export interface Claim {
  /** The product, or the part of it that devices in the scope are. */
  readonly product: string
  readonly advisory: string
  readonly status: VexStatus
  readonly text: Readonly<Record<string, string>>
  /** None: whichever they are. */
  readonly packages: ReadonlySet<string>
}

/** Null: all devices of the product. */
type Scope = Pick<ProductStatement, 'release' | 'configuration' | 'environment'> | null

interface Gathering extends Claim {
  readonly scope: Scope
  readonly packages: Set<string>
}

export const encode = (text: string): string => encodeURIComponent(text)

/** `said`: what is in force for the product. */
export function claimsOf(
  product: Product,
  items: readonly ProductVulnerability[],
  said: readonly ProductStatement[],
): readonly Claim[] {
  const whole = `pkg:generic/${encode(product.vendor)}/${encode(product.model)}`
  const claims = new Map<string, Gathering>()
  const claim = (scope: Scope, item: ProductVulnerability): void => {
    const { advisory } = item
    const { status, ...text } = saying(item)
    const id = scopedId(whole, scope)
    const key = JSON.stringify([id, scope?.environment?.labels, advisory, status, text])
    const known = claims.get(key)
    if (known === undefined) {
      claims.set(key, { product: id, scope, advisory, status, text, packages: new Set(item.packages) })
    } else for (const name of item.packages) known.packages.add(name)
  }
  for (const item of items) {
    claim(item.ruling, item)
    // What was said for some of the devices says nothing of the others, nor of those that nobody has seen.
    if (scopedId(whole, item.ruling) !== whole) {
      claim(null, { ...item, status: item.unruled, ruling: null, excludedUntil: null })
    }
  }
  const all: Gathering[] = [...claims.values()]
  for (const one of said) if (one.verdict === 'affected') all.push(...takenBack(whole, one, items, all))
  return withoutContradictions(all)
}

/**
 * What it means that devices are affected, whether or not one of them is there today: for those themselves, and for all
 * claims that may be about one of them. What is claimed already is left out.
 */
function takenBack(
  whole: string,
  said: ProductStatement,
  items: readonly ProductVulnerability[],
  claims: readonly Gathering[],
): readonly Gathering[] {
  const { advisory, reason, expiresAt } = said
  const isAbout = (name: string): boolean => said.package === null || said.package === name
  const about = items.filter((item) => item.advisory === advisory && item.packages.some(isAbout))
  const names = said.package === null ? about.flatMap(({ packages }) => packages) : [said.package]
  const text = {
    action_statement: about.length === 0 ? 'no fix was looked for yet' : fixOf(about, isAbout),
    status_notes: `${reason}; stated until ${new Date(expiresAt).toISOString()}`,
  }
  const own = { product: scopedId(whole, said), scope: said, advisory, packages: new Set(names) }
  const isLowered = (one: Gathering): boolean =>
    one.advisory === advisory && one.status !== 'affected' && canOverlap(one.scope, said)
  const affected = [own, ...claims.filter(isLowered)]
  const found = new Map<string, Gathering>()
  for (const { product, scope, packages } of affected) {
    const before = claims.filter((one) => one.product === product && one.advisory === advisory)
    const isKnown = (name: string): boolean =>
      before.some(({ status, packages: known }) => status === 'affected' && known.has(name))
    const left = [...packages].filter((name) => isAbout(name) && !isKnown(name))
    if (left.length === 0 && packages.size > 0) continue
    const more = [...(found.get(product)?.packages ?? []), ...left]
    found.set(product, { product, scope, advisory, status: 'affected', text, packages: new Set(more) })
  }
  return [...found.values()]
}

/** Whether a device may be in both. A posture may meet any two configurations. */
function canOverlap(a: Scope, b: Scope): boolean {
  if (a === null || b === null) return true
  if (a.release !== null && b.release !== null && a.release.id !== b.release.id) return false
  return a.environment === null || b.environment === null || areCompatible(a.environment, b.environment)
}

/** A device has one value of a label. */
const areCompatible = ({ labels: a }: Environment, { labels: b }: Environment): boolean =>
  Object.entries(a).every(([key, value]) => !Object.hasOwn(b, key) || b[key] === value)

/** A package of a product has one status for one advisory: the worst. */
function withoutContradictions(claims: readonly Claim[]): readonly Claim[] {
  const worst = new Map<string, number>()
  const keyOf = ({ product, advisory }: Claim, name: string): string => JSON.stringify([product, advisory, name])
  for (const one of claims) {
    for (const name of one.packages) {
      const key = keyOf(one, name)
      worst.set(key, Math.min(worst.get(key) ?? STATUSES.length, STATUSES.indexOf(one.status)))
    }
  }
  return claims.flatMap((one) => {
    if (one.packages.size === 0) return [one]
    const isWorst = (name: string): boolean => worst.get(keyOf(one, name)) === STATUSES.indexOf(one.status)
    const packages = new Set([...one.packages].filter(isWorst))
    return packages.size === 0 ? [] : [{ ...one, packages }]
  })
}

/** A package URL with the version of the release, and with what else devices have to be as qualifiers. */
function scopedId(whole: string, scope: Scope): string {
  if (scope === null) return whole
  const { release, configuration, environment } = scope
  const qualifiers = [
    ...(configuration === null ? [] : [`configuration=${encode(configuration.name)}`]),
    ...(environment === null ? [] : [`environment=${encode(environment.name || labelsText(environment.labels))}`]),
  ]
  const version = release === null ? '' : `@${encode(release.name)}`
  return `${whole}${version}${qualifiers.length === 0 ? '' : `?${qualifiers.join('&')}`}`
}

const NO_FIX = 'no fixed version is known yet'

function fixOf(items: readonly ProductVulnerability[], isAbout: (name: string) => boolean): string {
  const fixes = items.flatMap(({ packages, fixedIn }) =>
    fixedIn === null ? [] : [`update ${packages.filter(isAbout).join(', ')} to ${fixedIn}`],
  )
  return fixes.length === 0 ? NO_FIX : [...new Set(fixes)].sort().join('; ')
}

function saying(item: ProductVulnerability): { readonly status: VexStatus } & Readonly<Record<string, string>> {
  const { status, ruling } = item
  // Whoever accepts it is affected all the same.
  const until = ruling?.verdict === 'excluded' ? new Date(ruling.expiresAt).toISOString() : undefined
  const accepted = until === undefined ? {} : { status_notes: `accepted by the vendor until ${until}` }
  switch (STATUS[status]) {
    case 'affected': {
      const restart = 'restart: the fixed version is installed'
      const action = status === 'fixed-not-running' ? restart : fixOf([item], () => true)
      return { status: 'affected', action_statement: action, ...accepted }
    }
    case 'not_affected':
      return ruling === null
        ? { status: 'not_affected', impact_statement: 'stated by the distribution or the vendor, or not running' }
        : {
            status: 'not_affected',
            ...(ruling.justification !== null && { justification: ruling.justification }),
            impact_statement: ruling.reason,
            status_notes: `stated until ${new Date(ruling.expiresAt).toISOString()}`,
          }
    case 'under_investigation':
      return { status: 'under_investigation', ...accepted }
  }
}
