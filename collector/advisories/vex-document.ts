import type { ExposureStatus } from '../model/advisory.ts'
import { labelsText, type ProductStatement } from '../model/product-statement.ts'
import type { Product } from '../model/product.ts'
import type { Store } from '../store/index.ts'
import { vulnerabilitiesOf, type ProductVulnerability } from './view.ts'

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

const encode = (text: string): string => encodeURIComponent(text)

/** What is claimed of one advisory for some devices: each of its packages has the worst status that it has for any. */
interface Claim {
  readonly product: string
  readonly advisory: string
  readonly status: VexStatus
  readonly text: Readonly<Record<string, string>>
  readonly packages: Set<string>
}

/** OpenVEX 0.2.0: what the vendor can tell his customers of what his devices report. */
export async function openVexOf(
  store: Store,
  product: Product,
  { now, publicUrl }: { readonly now: number; readonly publicUrl: string },
) {
  const { items } = await vulnerabilitiesOf(store, product.id, now)
  const timestamp = new Date(now).toISOString()
  const statements = claimsOf(product, items).map(({ product: id, advisory, status, text, packages }) => ({
    vulnerability: { name: advisory },
    timestamp,
    products: [
      { '@id': id, subcomponents: [...packages].sort().map((name) => ({ '@id': `pkg:generic/${encode(name)}` })) },
    ],
    status,
    ...text,
  }))
  return {
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': `${publicUrl}/api/v1/products/${product.id}/vex/${now}`,
    author: product.vendor,
    timestamp,
    version: 1,
    statements,
  }
}

function claimsOf(product: Product, items: readonly ProductVulnerability[]): readonly Claim[] {
  const whole = `pkg:generic/${encode(product.vendor)}/${encode(product.model)}`
  const claims = new Map<string, Claim>()
  const claim = (id: string, item: ProductVulnerability): void => {
    const { status, ...text } = saying(item)
    const key = JSON.stringify([id, item.advisory, status, text])
    const known = claims.get(key)
    if (known === undefined) {
      claims.set(key, { product: id, advisory: item.advisory, status, text, packages: new Set(item.packages) })
    } else for (const name of item.packages) known.packages.add(name)
  }
  for (const item of items) {
    const { ruling } = item
    const id = ruling === null ? whole : scopedId(whole, ruling)
    claim(id, item)
    // What was said for some of the devices says nothing of the others, nor of those that nobody has seen.
    if (id !== whole) claim(whole, { ...item, status: item.unruled, ruling: null, excludedUntil: null })
  }
  return withoutContradictions([...claims.values()])
}

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
  return claims
    .map((one) => {
      const isWorst = (name: string): boolean => worst.get(keyOf(one, name)) === STATUSES.indexOf(one.status)
      return { ...one, packages: new Set([...one.packages].filter(isWorst)) }
    })
    .filter(({ packages }) => packages.size > 0)
}

/** A package URL with the version of the release, and with what else devices have to be as qualifiers. */
function scopedId(whole: string, { release, configuration, environment }: ProductStatement): string {
  const qualifiers = [
    ...(configuration === null ? [] : [`configuration=${encode(configuration.name)}`]),
    ...(environment === null ? [] : [`environment=${encode(environment.name || labelsText(environment.labels))}`]),
  ]
  const version = release === null ? '' : `@${encode(release.name)}`
  return `${whole}${version}${qualifiers.length === 0 ? '' : `?${qualifiers.join('&')}`}`
}

function saying(item: ProductVulnerability): { readonly status: VexStatus } & Readonly<Record<string, string>> {
  const { status, fixedIn, packages, ruling } = item
  if (ruling?.verdict === 'excluded') {
    const until = new Date(ruling.expiresAt).toISOString()
    return { status: 'under_investigation', status_notes: `accepted by the vendor until ${until}` }
  }
  switch (STATUS[status]) {
    case 'affected': {
      const fix = fixedIn === null ? 'no fixed version is known yet' : `update ${packages.join(', ')} to ${fixedIn}`
      const restart = status === 'fixed-not-running' ? 'restart: the fixed version is installed' : fix
      return { status: 'affected', action_statement: restart }
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
      return { status: 'under_investigation' }
  }
}
