import * as v from 'valibot'
import type { AdvisorySeverity } from '../maturity/events/kinds.ts'
import { productTree, readProducts, type CsafProduct } from './csaf-products.ts'
import { isManagerScheme } from './ecosystem.ts'
import { severityOfScore, severityOfWord } from './cvss.ts'
import { checkedAs, identifier, instant, malformed, optionalList, shortText, summaryOf } from './reading.ts'
import { MAX_STATEMENTS, type AdvisoryRecord, type PackageStatement, type Statement } from './record.ts'

/** Common Security Advisory Framework 2.0: advisories, and VEX of its profile 5. */

const ids = optionalList(shortText(2048), MAX_STATEMENTS)
const status = v.looseObject({
  fixed: ids,
  first_fixed: ids,
  known_affected: ids,
  first_affected: ids,
  last_affected: ids,
  known_not_affected: ids,
  under_investigation: ids,
})
const score = v.looseObject({
  cvss_v3: v.optional(v.looseObject({ baseScore: v.number(), vectorString: v.optional(shortText(512)) })),
  cvss_v2: v.optional(v.looseObject({ baseScore: v.number() })),
})
const remark = v.looseObject({
  category: v.optional(v.string()),
  details: v.optional(shortText(100_000)),
  product_ids: ids,
})
const vulnerability = v.looseObject({
  cve: v.optional(identifier),
  ids: optionalList(v.looseObject({ text: shortText(256) }), 64),
  title: v.optional(shortText(10_000)),
  product_status: v.optional(status),
  flags: optionalList(v.looseObject({ label: shortText(128), product_ids: ids }), MAX_STATEMENTS),
  remediations: optionalList(remark, MAX_STATEMENTS),
  threats: optionalList(remark, MAX_STATEMENTS),
  scores: optionalList(score, MAX_STATEMENTS),
})
const schema = v.looseObject({
  document: v.looseObject({
    category: shortText(256),
    csaf_version: v.literal('2.0'),
    title: shortText(10_000),
    aggregate_severity: v.optional(v.looseObject({ text: shortText(256) })),
    tracking: v.looseObject({
      id: identifier,
      status: v.picklist(['draft', 'final', 'interim']),
      initial_release_date: instant,
      current_release_date: instant,
    }),
  }),
  product_tree: v.optional(productTree),
  vulnerabilities: optionalList(vulnerability, 20_000),
})

type Vulnerability = v.InferOutput<typeof vulnerability>

/** One record for each vulnerability of the document. Errors: advisory.malformed, advisory.too-large. */
export function parseCsaf(value: unknown): readonly AdvisoryRecord[] {
  const { document, product_tree: tree, vulnerabilities } = checkedAs(schema, value)
  const products = readProducts(tree)
  const { tracking } = document
  const isSingle = vulnerabilities.length === 1
  return vulnerabilities.map((each, index) => {
    const names = [each.cve, ...each.ids.map(({ text }) => text)].filter((name) => name !== undefined)
    const id = isSingle ? tracking.id : `${tracking.id}/${names[0] ?? index + 1}`
    const rating = ratingOf(each)
    const word = severityOfWord(document.aggregate_severity?.text ?? '')
    return {
      id,
      format: 'csaf',
      aliases: [...new Set(isSingle ? names : [...names, tracking.id])].filter(
        (name) => name !== id && !name.includes('://'),
      ),
      summary: summaryOf(each.title, document.title),
      severity: word ?? rating.severity,
      cvss: rating.cvss,
      published: tracking.initial_release_date,
      modified: tracking.current_release_date,
      withdrawn: document.category === 'csaf_withdrawn' ? tracking.current_release_date : null,
      statements: statementsOf(each, products, `vulnerabilities.${index}`),
    }
  })
}

function ratingOf({ scores }: Vulnerability): { severity: AdvisorySeverity | null; cvss: string | null } {
  let highest: { score: number; vector: string | null } | undefined
  for (const { cvss_v3: third, cvss_v2: second } of scores) {
    const base = third?.baseScore ?? second?.baseScore
    if (base !== undefined && base > (highest?.score ?? -1)) {
      highest = { score: base, vector: third?.vectorString ?? null }
    }
  }
  return highest === undefined
    ? { severity: null, cvss: null }
    : { severity: severityOfScore(highest.score), cvss: highest.vector }
}

function statementsOf(
  { product_status: said, flags, threats, remediations }: Vulnerability,
  products: ReadonlyMap<string, CsafProduct>,
  place: string,
): readonly PackageStatement[] {
  if (said === undefined) return []
  const why = new Map<string, string>()
  const note = (list: readonly string[], text: string): void => {
    for (const id of list) if (!why.has(id)) why.set(id, summaryOf(text))
  }
  for (const { label, product_ids: of } of flags) note(of, label.replaceAll('_', ' '))
  for (const { category, details, product_ids: of } of threats) if (category === 'impact') note(of, details ?? '')
  for (const { details, product_ids: of } of remediations) note(of, details ?? '')
  const of = (list: readonly string[], statement: Statement, kind: string): readonly PackageStatement[] =>
    list.map((id) => {
      const product = products.get(id)
      if (product === undefined)
        throw malformed(`${place}.product_status.${kind}`, `no product ${id} in the product tree`)
      return toStatement(product, statement, why.get(id) ?? null)
    })
  return [
    ...of([...new Set([...said.first_fixed, ...said.fixed])], 'fixed', 'fixed'),
    ...of(
      [...new Set([...said.known_affected, ...said.first_affected, ...said.last_affected])],
      'affected',
      'known_affected',
    ),
    ...of(said.known_not_affected, 'not-affected', 'known_not_affected'),
    ...of(said.under_investigation, 'under-investigation', 'under_investigation'),
  ]
}

function toStatement(
  { version, ...product }: CsafProduct,
  statement: Statement,
  justification: string | null,
): PackageStatement {
  // A distribution that says in which version a package is fixed says so of all that are older.
  if (statement === 'fixed' && version !== null && isManagerScheme(product.scheme)) {
    const ranges = [{ introduced: null, fixed: version, lastAffected: null }]
    return { ...product, statement: 'affected', ranges, versions: [], justification }
  }
  return { ...product, statement, justification }
}
