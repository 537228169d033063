import * as v from 'valibot'
import { ADVISORY_SEVERITIES } from '../maturity/events/kinds.ts'
import { VERSION_SCHEMES } from '../versions/compare.ts'
import { checkedAs, listOf, parseJson, shortText, versionText } from './reading.ts'
import {
  ADVISORY_FORMATS,
  MAX_ALIASES,
  MAX_STATEMENTS,
  PACKAGE_SIDES,
  STATEMENTS,
  type AdvisoryRecord,
  type ExploitedVulnerability,
  type ExploitProbability,
} from './record.ts'

/**
 * What pages of a bundle contain: an advisory, or a fact about a vulnerability, in each line, as the collector keeps it.
 * It comes from outside as documents do, and is checked as they are.
 */

const ms = v.nullable(v.pipe(v.number(), v.safeInteger()))
const cve = v.pipe(v.string(), v.regex(/^CVE-\d{4}-\d{4,19}$/))
const millionths = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000))

/** Wider than any parser lets through: what one collector has taken, another one takes. */
const word = v.pipe(v.string(), v.minLength(1), v.maxLength(4096))

const statement = v.strictObject({
  ecosystem: shortText(4096),
  release: shortText(4096),
  package: word,
  side: v.picklist(PACKAGE_SIDES),
  architecture: v.nullable(shortText(4096)),
  scheme: v.picklist(VERSION_SCHEMES),
  product: v.nullable(shortText(4096)),
  statement: v.picklist(STATEMENTS),
  ranges: listOf(
    v.strictObject({
      introduced: v.nullable(versionText),
      fixed: v.nullable(versionText),
      lastAffected: v.nullable(versionText),
    }),
    100_000,
  ),
  versions: listOf(versionText, 100_000),
  justification: v.nullable(shortText(4096)),
  cves: listOf(cve, MAX_ALIASES + 1),
})

const advisory = v.strictObject({
  id: word,
  format: v.picklist(ADVISORY_FORMATS),
  aliases: listOf(word, MAX_ALIASES + 1),
  summary: shortText(1000),
  severity: v.nullable(v.picklist(ADVISORY_SEVERITIES)),
  cvss: v.nullable(shortText(512)),
  published: ms,
  modified: ms,
  withdrawn: ms,
  statements: listOf(statement, 20 * MAX_STATEMENTS),
})
export type BundledAdvisory = v.InferOutput<typeof advisory>

const fact = v.strictObject({
  cve,
  addedAt: v.optional(v.pipe(v.number(), v.safeInteger())),
  dueAt: v.optional(ms),
  probability: v.optional(millionths),
  percentile: v.optional(millionths),
})
export type BundledFact = Partial<ExploitedVulnerability> & Partial<ExploitProbability> & { readonly cve: string }

export interface BundledContent {
  /** A record for each list of CVE names that statements of one advisory have. */
  readonly records: readonly { readonly record: AdvisoryRecord; readonly cves: readonly string[] }[]
  readonly facts: readonly BundledFact[]
}

/** Errors: advisory.malformed. */
export function readBundleLines(text: string, place: string): BundledContent {
  const records: { record: AdvisoryRecord; cves: readonly string[] }[] = []
  const facts: BundledFact[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue
    const at = `${place} line ${index + 1}`
    const value = parseJson(line, at)
    if (typeof value === 'object' && value !== null && Object.hasOwn(value, 'cve')) {
      facts.push(toFact(checkedAs(fact, value, at)))
    } else records.push(...toRecords(checkedAs(advisory, value, at)))
  }
  return { records, facts }
}

function toFact({ cve: name, addedAt, dueAt, probability, percentile }: v.InferOutput<typeof fact>): BundledFact {
  return {
    cve: name,
    ...(addedAt === undefined ? {} : { addedAt, dueAt: dueAt ?? null }),
    ...(probability === undefined ? {} : { probability, percentile: percentile ?? 0 }),
  }
}

function toRecords({ statements, ...of }: BundledAdvisory): BundledContent['records'] {
  const byCves = new Map<string, { cves: readonly string[]; statements: AdvisoryRecord['statements'][number][] }>()
  for (const { cves, ...one } of statements) {
    const group = byCves.get(cves.join()) ?? { cves, statements: [] }
    group.statements.push(one)
    byCves.set(cves.join(), group)
  }
  if (byCves.size === 0) return [{ record: { ...of, statements: [] }, cves: [] }]
  return [...byCves.values()].map((group) => ({ record: { ...of, statements: group.statements }, cves: group.cves }))
}
