import * as v from 'valibot'
import { KeepsealError } from '../errors.ts'
import { isManagerScheme, rulesOf } from './ecosystem.ts'
import { parsePackageUrl, type NamedPackage } from './package-url.ts'
import { checkedAs, malformed, optionalList, shortText } from './reading.ts'
import { parseVersionRange } from './version-range.ts'
import type { PackageStatement } from './record.ts'

/** CSAF 2.0, section 3.2.2: the products that a document speaks of. */

const MAX_PRODUCTS = 200_000
const MAX_DEPTH = 30

const helper = v.looseObject({ purl: v.optional(shortText(2048)), cpe: v.optional(shortText(2048)) })
const product = v.looseObject({
  name: v.pipe(shortText(2048), v.minLength(1)),
  product_id: v.pipe(shortText(2048), v.minLength(1)),
  product_identification_helper: v.optional(helper),
})
const relationship = v.looseObject({
  category: v.string(),
  full_product_name: product,
  product_reference: shortText(2048),
  relates_to_product_reference: shortText(2048),
})
export const productTree = v.looseObject({
  // Checked branch by branch: they nest.
  branches: v.optional(v.unknown()),
  full_product_names: optionalList(product, MAX_PRODUCTS),
  relationships: optionalList(relationship, MAX_PRODUCTS),
})
const branch = v.looseObject({
  category: shortText(64),
  name: v.pipe(shortText(2048), v.minLength(1)),
  product: v.optional(product),
  branches: v.optional(v.unknown()),
})

type Product = v.InferOutput<typeof product>

/** Of which packages, in which versions, a product of the document is. */
export type CsafProduct = Omit<PackageStatement, 'statement' | 'justification'> & {
  /** A single version of a package, which advisories of distributions name as the one that is fixed. */
  readonly version: string | null
}

interface Place {
  readonly vendor: string
  readonly name: string
  readonly version: string | null
  readonly range: string | null
}

/** Products by their id. Errors: advisory.malformed, advisory.too-large. */
export function readProducts(tree: v.InferOutput<typeof productTree> | undefined): ReadonlyMap<string, CsafProduct> {
  const found = new Map<string, CsafProduct>()
  const platforms = new Map<string, Product>()
  const add = (each: Product, place: Place): void => {
    if (found.size >= MAX_PRODUCTS) throw new KeepsealError('advisory.too-large', `more than ${MAX_PRODUCTS} products`)
    found.set(each.product_id, fromProduct(each, place))
    platforms.set(each.product_id, each)
  }
  walk(tree?.branches, { vendor: '', name: '', version: null, range: null }, add, 'product_tree.branches', 0)
  for (const each of tree?.full_product_names ?? []) {
    add(each, { vendor: '', name: each.name, version: null, range: null })
  }
  for (const [index, { full_product_name: whole, ...of }] of (tree?.relationships ?? []).entries()) {
    const component = found.get(of.product_reference)
    const platform = platforms.get(of.relates_to_product_reference)
    if (component === undefined || platform === undefined) {
      throw malformed(`product_tree.relationships.${index}`, 'names a product that the document does not have')
    }
    found.set(whole.product_id, { ...component, ...onPlatform(component, platform) })
  }
  return found
}

function walk(
  branches: unknown,
  place: Place,
  add: (each: Product, place: Place) => void,
  path: string,
  depth: number,
): void {
  if (branches === undefined) return
  if (depth > MAX_DEPTH) throw new KeepsealError('advisory.too-large', `branches nest deeper than ${MAX_DEPTH}`)
  if (!Array.isArray(branches)) throw malformed(path, 'is no list')
  for (const [index, each] of (branches as unknown[]).entries()) {
    const at = `${path}.${index}`
    const { category, name, product: own, branches: inner } = checkedAs(branch, each, at)
    const here: Place = {
      vendor: category === 'vendor' ? name : place.vendor,
      name: category === 'product_name' ? name : place.name,
      version: category === 'product_version' ? name : place.version,
      range: category === 'product_version_range' ? name : place.range,
    }
    if (own !== undefined) add(own, here)
    walk(inner, here, add, `${at}.branches`, depth + 1)
  }
}

function fromProduct({ name, product_identification_helper: help }: Product, place: Place): CsafProduct {
  const named =
    (help?.purl === undefined ? undefined : parsePackageUrl(help.purl)) ?? fromFileName(place.version ?? name)
  if (named !== undefined) {
    const { version, ...rest } = named
    if (version === null) return { ...rest, product: null, version, ...versionsIn(place.range) }
    return { ...rest, product: null, version, ranges: [], versions: [version] }
  }
  // A product of its maker: it is known by his name and its own.
  const own = {
    ecosystem: place.vendor,
    release: '',
    package: place.name === '' ? name : place.name,
    side: 'binary',
    architecture: null,
    product: null,
    scheme: 'pep440',
  } as const
  const vers = place.range === null ? undefined : parseVersionRange(place.range)
  if (vers !== undefined) return { ...own, version: null, ranges: vers.ranges, versions: vers.versions }
  const version = place.version ?? place.range
  return { ...own, version, ranges: [], versions: version === null ? [] : [version] }
}

/** A package URL without a version leaves it to the branch. A range that is not understood is not all versions. */
function versionsIn(range: string | null): Pick<CsafProduct, 'ranges' | 'versions'> {
  if (range === null) return { ranges: [], versions: [] }
  const { ranges, versions } = parseVersionRange(range) ?? { ranges: [], versions: [range] }
  return { ranges, versions }
}

/** name-[epoch:]version-release.architecture, as rpm files are called. */
function fromFileName(text: string): NamedPackage | undefined {
  const match =
    /^([A-Za-z0-9._+-]+)-((?:\d+:)?[^-:\s]+-[^-\s]+)\.(src|noarch|x86_64|i[3-6]86|aarch64|armv7hl|ppc64(?:le)?|s390x?)$/.exec(
      text,
    )
  if (match === null) return undefined
  const [, name = '', version = '', architecture = ''] = match
  return {
    ecosystem: 'Red Hat',
    release: '',
    package: name,
    side: architecture === 'src' ? 'source' : 'binary',
    architecture: architecture === 'src' || architecture === 'noarch' ? null : architecture,
    scheme: 'rpm',
    version,
  }
}

/** cpe:/o:redhat:enterprise_linux:8::baseos, cpe:/o:redhat:rhel_eus:8.4, cpe:2.3:o:suse:…. */
function onPlatform(
  component: CsafProduct,
  { name, product_identification_helper: help }: Product,
): Partial<CsafProduct> {
  const parts = (help?.cpe ?? '').replace(/^cpe:(?:\/|2\.3:)/, '').split(':')
  const [, vendor = '', platform = '', version = ''] = parts
  if (vendor === 'redhat') {
    // A branch with support of its own has versions of its own: what is fixed there says nothing about the others.
    const isMain = platform === 'enterprise_linux'
    const scheme = rulesOf('Red Hat').scheme
    return { ecosystem: 'Red Hat', release: isMain ? (version.split('.')[0] ?? '') : `${platform}:${version}`, scheme }
  }
  return !isManagerScheme(component.scheme) ? { product: name } : { release: version || component.release }
}
