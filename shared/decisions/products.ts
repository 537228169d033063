import * as v from 'valibot'
import { wildcardMatcher } from '../text/wildcard.ts'
import { longText, shortText } from './kind.ts'

/** Who a device says that it is, and what it runs. */
export interface ProductIdentity {
  readonly vendor: string
  readonly model: string
}

export interface DeviceIdentity extends ProductIdentity {
  /** null where nobody said it. */
  readonly hardwareRevision: string | null
  /** Name of the release that it runs; null while none explains what it reports. */
  readonly release: string | null
}

/** VENDOR/MODEL: what a certificate calls a product. The first slash ends the vendor. */
export const productName = ({ vendor, model }: ProductIdentity): string => `${vendor}/${model}`

/** The other way. A vendor whose name has a slash is named by no certificate, rather than being mistaken for another. */
export const isNamed = (product: string, { vendor, model }: ProductIdentity): boolean =>
  vendorOf(product) === vendor && product.slice(vendor.length + 1) === model

export const vendorOf = (product: string): string => product.slice(0, product.indexOf('/'))

const pattern = v.pipe(shortText, v.maxLength(128))
const patterns = v.pipe(
  v.array(pattern),
  v.minLength(1),
  v.maxLength(64),
  v.check((all) => new Set(all).size === all.length, 'a pattern is there twice'),
)

const productSchema = v.strictObject({
  product: v.pipe(shortText, v.regex(/^[^/]+\/.+$/, 'VENDOR/MODEL is wanted')),
  /** `*` and `?` as in file names. */
  hardwareRevisions: patterns,
  /** Patterns over the names of releases. */
  firmwareLines: patterns,
  /** The most complete product of its line, which was assessed for all. */
  representative: v.boolean(),
  /** Why it belongs here, and why it represents the others or is represented. */
  rationale: longText,
})

/** One product that a certificate is for, with what identifies it. */
export type CertifiedProduct = v.InferOutput<typeof productSchema>

export const productsSchema = v.pipe(
  v.array(productSchema),
  v.minLength(1),
  v.maxLength(256),
  v.check((products) => new Set(products.map(({ product }) => product)).size === products.length, 'named twice'),
  v.check(
    (products) => products.length === 1 || products.filter(({ representative }) => representative).length === 1,
    'exactly one of several products is the representative',
  ),
)

export const lineSchema = v.strictObject({
  name: shortText,
  /** That the products share one code base, and what was required of their hardware. */
  codeBase: longText,
  hardware: longText,
})
/** What makes several products one line: without it one assessment could not speak for all of them. */
export type ProductLine = v.InferOutput<typeof lineSchema>

export const namesOf = (products: readonly CertifiedProduct[]): readonly string[] =>
  products.map(({ product }) => product)

/** Why a device is not one of the products of a certificate. */
export type MemberFault = 'product-not-listed' | 'hardware-not-listed' | 'release-unknown' | 'release-not-listed'

/** The product that a device is, or why it is none of them. Two products have two names: there is never a second one. */
export function memberOf(
  products: readonly CertifiedProduct[],
  device: DeviceIdentity,
): CertifiedProduct | MemberFault {
  const listed = products.find(({ product }) => isNamed(product, device))
  if (listed === undefined) return 'product-not-listed'
  const { hardwareRevision, release } = device
  const matches = (all: readonly string[], text: string): boolean => all.some((each) => wildcardMatcher(each)(text))
  if (hardwareRevision === null || !matches(listed.hardwareRevisions, hardwareRevision)) return 'hardware-not-listed'
  if (release === null) return 'release-unknown'
  return matches(listed.firmwareLines, release) ? listed : 'release-not-listed'
}

/** What the later products have that the earlier ones do not: products, or patterns that no earlier pattern holds. */
export function widened(before: readonly CertifiedProduct[], after: readonly CertifiedProduct[]): readonly string[] {
  return after.flatMap(({ product, hardwareRevisions, firmwareLines }) => {
    const was = before.find((each) => each.product === product)
    if (was === undefined) return [product]
    const more = (old: readonly string[], now: readonly string[]) => now.filter((each) => !old.some(holds(each)))
    return [...more(was.hardwareRevisions, hardwareRevisions), ...more(was.firmwareLines, firmwareLines)].map(
      (each) => `${product} ${each}`,
    )
  })
}

/** A pattern holds itself, and every text without wildcards that it matches. */
const holds =
  (inner: string) =>
  (outer: string): boolean =>
    outer === inner || (!/[*?]/.test(inner) && wildcardMatcher(outer)(inner))
