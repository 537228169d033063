import type { Product } from '../model/product.ts'
import type { ExposureStatus } from '../model/advisory.ts'
import type { Store } from '../store/index.ts'
import { vulnerabilitiesOf, type ProductVulnerability } from './view.ts'

const STATUS: Readonly<Record<ExposureStatus, string>> = {
  affected: 'affected',
  // Its devices run the vulnerable code, whatever lies on their disks.
  'fixed-not-running': 'affected',
  // Nobody can tell: whoever reads it is not to believe that all is well.
  unknown: 'under_investigation',
  'under-investigation': 'under_investigation',
  'not-affected': 'not_affected',
}

const encode = (text: string): string => encodeURIComponent(text)

/** OpenVEX 0.2.0: what the vendor can tell his customers of what his devices report. */
export async function openVexOf(
  store: Store,
  product: Product,
  { now, publicUrl }: { readonly now: number; readonly publicUrl: string },
) {
  const { items } = await vulnerabilitiesOf(store, product.id, now)
  const timestamp = new Date(now).toISOString()
  const id = `pkg:generic/${encode(product.vendor)}/${encode(product.model)}`
  return {
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': `${publicUrl}/api/v1/products/${product.id}/vex/${now}`,
    author: product.vendor,
    timestamp,
    version: 1,
    statements: items.map((item) => ({
      vulnerability: { name: item.advisory },
      timestamp,
      products: [{ '@id': id, subcomponents: item.packages.map((name) => ({ '@id': `pkg:generic/${encode(name)}` })) }],
      ...saying(item),
    })),
  }
}

function saying({ status, fixedIn, packages, excludedUntil }: ProductVulnerability) {
  if (excludedUntil !== null) {
    const until = new Date(excludedUntil).toISOString()
    return { status: 'under_investigation', status_notes: `accepted by the vendor until ${until}` }
  }
  switch (STATUS[status]) {
    case 'affected': {
      const fix = fixedIn === null ? 'no fixed version is known yet' : `update ${packages.join(', ')} to ${fixedIn}`
      const restart = status === 'fixed-not-running' ? 'restart: the fixed version is installed' : fix
      return { status: 'affected', action_statement: restart }
    }
    case 'not_affected':
      return { status: 'not_affected', impact_statement: 'stated by the distribution or the vendor, or not running' }
    default:
      return { status: 'under_investigation' }
  }
}
