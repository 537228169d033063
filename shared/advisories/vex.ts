import * as v from 'valibot'
import { parsePackageUrl } from './package-url.ts'
import { checkedAs, identifier, instant, malformed, optionalList, shortText, summaryOf } from './reading.ts'
import { severityOfWord } from './cvss.ts'
import { MAX_STATEMENTS, type AdvisoryRecord, type PackageStatement, type Statement } from './record.ts'
import { parseVersionRange } from './version-range.ts'

/** OpenVEX 0.2.0, and the vulnerabilities of CycloneDX 1.4 to 1.6 (VEX). */

const OPENVEX_STATUS: Readonly<Record<string, Statement>> = {
  not_affected: 'not-affected',
  affected: 'affected',
  fixed: 'fixed',
  under_investigation: 'under-investigation',
}

const part = v.looseObject({
  '@id': v.optional(shortText(2048)),
  identifiers: v.optional(v.looseObject({ purl: v.optional(shortText(2048)) })),
})
const openVex = v.looseObject({
  '@context': v.pipe(v.string(), v.startsWith('https://openvex.dev/ns', 'the context of OpenVEX')),
  '@id': identifier,
  author: shortText(1024),
  timestamp: instant,
  last_updated: v.optional(instant),
  statements: v.pipe(
    v.array(
      v.looseObject({
        vulnerability: v.union([
          v.pipe(
            identifier,
            v.transform((name) => ({ name, aliases: [] as string[] })),
          ),
          v.looseObject({ name: identifier, aliases: optionalList(identifier, 256) }),
        ]),
        timestamp: v.optional(instant),
        products: optionalList(v.looseObject({ ...part.entries, subcomponents: optionalList(part, 10_000) }), 10_000),
        status: v.picklist(['not_affected', 'affected', 'fixed', 'under_investigation']),
        justification: v.optional(shortText(256)),
        impact_statement: v.optional(shortText(100_000)),
        action_statement: v.optional(shortText(100_000)),
      }),
    ),
    v.minLength(1),
    v.maxLength(MAX_STATEMENTS),
  ),
})

const nameOf = ({ '@id': id, identifiers }: v.InferOutput<typeof part>): string => identifiers?.purl ?? id ?? ''

/** One record for each vulnerability. Error: advisory.malformed. */
export function parseOpenVex(value: unknown): readonly AdvisoryRecord[] {
  const document = checkedAs(openVex, value)
  const records = new Map<string, { aliases: Set<string>; statements: PackageStatement[]; at: number }>()
  for (const [index, each] of document.statements.entries()) {
    const place = `statements.${index}`
    const why = each.justification?.replaceAll('_', ' ')
    // The rule of OpenVEX: who says that something is not affected says why.
    if (each.status === 'not_affected' && why === undefined && each.impact_statement === undefined) {
      throw malformed(place, 'not_affected without justification or impact_statement')
    }
    const justification = summaryOf([why, each.impact_statement ?? each.action_statement].filter(Boolean).join(': '))
    const { name, aliases } = each.vulnerability
    const record = records.get(name) ?? { aliases: new Set(), statements: [], at: document.timestamp }
    for (const alias of aliases) record.aliases.add(alias)
    record.at = Math.max(record.at, each.timestamp ?? 0)
    for (const [at, product] of each.products.entries()) {
      const parts = product.subcomponents.length > 0 ? product.subcomponents : [product]
      for (const component of parts) {
        record.statements.push({
          ...ofPurl(nameOf(component), `${place}.products.${at}`),
          product: component === product ? null : nameOf(product),
          statement: OPENVEX_STATUS[each.status] ?? 'under-investigation',
          justification: justification === '' ? null : justification,
        })
      }
    }
    records.set(name, record)
  }
  return [...records].map(([name, { aliases, statements, at }]) => ({
    id: records.size === 1 ? document['@id'] : `${document['@id']}/${name}`,
    format: 'openvex',
    aliases: [name, ...aliases],
    summary: summaryOf(`${name}, by ${document.author}`),
    severity: null,
    cvss: null,
    published: document.timestamp,
    modified: Math.max(at, document.last_updated ?? 0),
    withdrawn: null,
    statements,
  }))
}

type OfPackage = Omit<PackageStatement, 'product' | 'statement' | 'justification'>

function ofPurl(text: string, place: string): OfPackage {
  const named = parsePackageUrl(text)
  if (named === undefined) throw malformed(place, `no package URL: ${text.slice(0, 80)}`)
  const { version, ...rest } = named
  return { ...rest, ranges: [], versions: version === null ? [] : [version] }
}

/** CycloneDX's "impact analysis state". */
const CYCLONEDX_STATE: Readonly<Record<string, Statement>> = {
  resolved: 'fixed',
  resolved_with_pedigree: 'fixed',
  exploitable: 'affected',
  in_triage: 'under-investigation',
  false_positive: 'not-affected',
  not_affected: 'not-affected',
}
const VERSION_STATUS: Readonly<Record<string, Statement>> = {
  affected: 'affected',
  unaffected: 'not-affected',
  unknown: 'under-investigation',
}

const component = v.looseObject({ 'bom-ref': v.optional(shortText(2048)), purl: v.optional(shortText(2048)) })
const cycloneDx = v.looseObject({
  bomFormat: v.literal('CycloneDX'),
  specVersion: v.pipe(v.string(), v.regex(/^1\.[4-9]$/, 'CycloneDX 1.4 or later')),
  serialNumber: v.optional(identifier),
  components: optionalList(component, 200_000),
  vulnerabilities: optionalList(
    v.looseObject({
      id: identifier,
      references: optionalList(v.looseObject({ id: identifier }), 256),
      description: v.nullish(shortText(100_000)),
      published: v.optional(instant),
      updated: v.optional(instant),
      ratings: optionalList(
        v.looseObject({ severity: v.optional(shortText(32)), vector: v.optional(shortText(512)) }),
        64,
      ),
      analysis: v.optional(
        v.looseObject({
          state: v.optional(v.picklist(Object.keys(CYCLONEDX_STATE))),
          justification: v.optional(shortText(256)),
          detail: v.optional(shortText(100_000)),
        }),
      ),
      affects: optionalList(
        v.looseObject({
          ref: v.pipe(shortText(2048), v.minLength(1)),
          versions: optionalList(
            v.looseObject({
              version: v.optional(shortText(512)),
              range: v.optional(shortText(8192)),
              status: v.optional(v.picklist(Object.keys(VERSION_STATUS)), 'affected'),
            }),
            10_000,
          ),
        }),
        MAX_STATEMENTS,
      ),
    }),
    50_000,
  ),
})

/** Error: advisory.malformed. */
export function parseCycloneDxVex(value: unknown): readonly AdvisoryRecord[] {
  const document = checkedAs(cycloneDx, value)
  const purls = new Map(document.components.map(({ 'bom-ref': ref = '', purl = '' }) => [ref, purl]))
  return document.vulnerabilities.map((each, index) => {
    const state = CYCLONEDX_STATE[each.analysis?.state ?? '']
    const { justification = '', detail = '' } = each.analysis ?? {}
    const why = summaryOf([justification.replaceAll('_', ' '), detail].filter(Boolean).join(': '))
    const statements = each.affects.flatMap(({ ref, versions }, at) => {
      // A BOM-Link ends with the reference; a purl can be the reference itself.
      const fragment = /^urn:cdx:[^#]*#(.+)$/.exec(ref)?.[1]
      const text = purls.get(ref) || (fragment === undefined ? ref : purls.get(fragment) || safelyDecoded(fragment))
      const place = `vulnerabilities.${index}.affects.${at}`
      const of = { ...ofPurl(text, place), product: null, justification: why === '' ? null : why }
      if (versions.length === 0) return [{ ...of, statement: state ?? 'under-investigation' }]
      return versions.map((one) => {
        const vers = one.range === undefined ? undefined : parseVersionRange(one.range)
        if (one.range !== undefined && vers === undefined) throw malformed(place, `no version range: ${one.range}`)
        const statement = VERSION_STATUS[one.status] ?? 'under-investigation'
        const list = one.version === undefined ? (vers?.versions ?? []) : [one.version]
        const isOverall = statement === 'affected' && state !== undefined
        return { ...of, statement: isOverall ? state : statement, ranges: vers?.ranges ?? [], versions: list }
      })
    })
    const rating = each.ratings.map(({ severity = '' }) => severityOfWord(severity)).find((found) => found !== null)
    return {
      id: `${document.serialNumber ?? 'cyclonedx'}/${each.id}`,
      format: 'cyclonedx-vex',
      aliases: [each.id, ...each.references.map(({ id }) => id)],
      summary: summaryOf(each.description),
      severity: rating ?? null,
      cvss: each.ratings.find(({ vector }) => vector !== undefined)?.vector ?? null,
      published: each.published ?? null,
      modified: each.updated ?? each.published ?? null,
      withdrawn: null,
      statements,
    }
  })
}

function safelyDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
