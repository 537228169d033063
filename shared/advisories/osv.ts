import * as v from 'valibot'
import type { AdvisorySeverity } from '../maturity/events/kinds.ts'
import { baseScore, severityOfScore, severityOfWord } from './cvss.ts'
import { parseEcosystem, rulesOf } from './ecosystem.ts'
import { nameIn } from './package-url.ts'
import {
  checkedAs,
  componentName,
  identifier,
  instant,
  malformed,
  optionalList,
  shortText,
  summaryOf,
  versionText,
} from './reading.ts'
import { MAX_ALIASES, MAX_STATEMENTS, type AdvisoryRecord, type PackageStatement, type VersionRange } from './record.ts'

/** The Open Source Vulnerability format, schema version 1.7: what is read of it. */

const MAX_EVENTS = 1000

const severity = v.looseObject({ type: v.string(), score: shortText(512) })
const event = v.looseObject({
  introduced: v.optional(versionText),
  fixed: v.optional(versionText),
  last_affected: v.optional(versionText),
  limit: v.optional(versionText),
})
const range = v.looseObject({
  type: v.picklist(['ECOSYSTEM', 'SEMVER', 'GIT']),
  events: v.pipe(v.array(event), v.minLength(1), v.maxLength(MAX_EVENTS, `at most ${MAX_EVENTS} entries`)),
})
const rated = v.nullish(v.looseObject({ severity: v.optional(v.unknown()), urgency: v.optional(v.unknown()) }))
const affected = v.looseObject({
  package: v.nullish(v.looseObject({ ecosystem: shortText(256), name: componentName })),
  severity: optionalList(severity, 16),
  ranges: optionalList(range, MAX_EVENTS),
  versions: optionalList(versionText, 20_000),
  ecosystem_specific: rated,
})
const schema = v.looseObject({
  schema_version: v.optional(
    v.pipe(v.string(), v.regex(/^1\.\d+\.\d+$/, 'a schema version 1.x, the only ones that are understood')),
  ),
  id: identifier,
  modified: v.optional(instant),
  published: v.optional(instant),
  withdrawn: v.nullish(instant),
  aliases: optionalList(identifier, MAX_ALIASES),
  upstream: optionalList(identifier, MAX_ALIASES),
  summary: v.nullish(shortText(100_000)),
  details: v.nullish(shortText(4_000_000)),
  severity: optionalList(severity, 16),
  affected: optionalList(affected, MAX_STATEMENTS),
  database_specific: rated,
})

type Affected = v.InferOutput<typeof affected>

/** Error: advisory.malformed. */
export function parseOsv(value: unknown, place = ''): AdvisoryRecord {
  const record = checkedAs(schema, value, place)
  const statements = record.affected.flatMap((each, index) => statementsOf(each, `${place}affected.${index}`))
  const ratings = [...record.severity, ...record.affected.flatMap((each) => each.severity)]
  const words = [record.database_specific, ...record.affected.map((each) => each.ecosystem_specific)].flatMap((of) => [
    of?.severity,
    of?.urgency,
  ])
  const { severity: rating, cvss } = ratingOf(ratings, words)
  const names = new Set([...record.aliases, ...record.upstream])
  // Two records that name each other are common, one that names itself is not worth refusing.
  names.delete(record.id)
  return {
    id: record.id,
    format: 'osv',
    aliases: [...names],
    summary: summaryOf(record.summary, record.details),
    severity: rating,
    cvss,
    published: record.published ?? record.modified ?? null,
    modified: record.modified ?? null,
    withdrawn: record.withdrawn ?? null,
    statements,
  }
}

function ratingOf(
  ratings: readonly { readonly type: string; readonly score: string }[],
  words: readonly unknown[],
): { readonly severity: AdvisorySeverity | null; readonly cvss: string | null } {
  // The distribution's own word before the general score: it knows how the package is built and used there.
  for (const { type, score } of ratings) {
    const own = type === 'Ubuntu' ? severityOfWord(score) : null
    if (own !== null) return { severity: own, cvss: null }
  }
  for (const { score } of ratings) {
    const base = baseScore(score)
    if (base !== undefined) return { severity: severityOfScore(base), cvss: score }
  }
  for (const word of words) {
    const known = typeof word === 'string' ? severityOfWord(word) : null
    if (known !== null) return { severity: known, cvss: null }
  }
  return { severity: null, cvss: null }
}

function statementsOf({ package: named, ranges, versions }: Affected, place: string): readonly PackageStatement[] {
  if (named === undefined || named === null) return []
  const { name: ecosystem, release } = parseEcosystem(named.ecosystem)
  if (ecosystem === '') throw malformed(`${place}.package.ecosystem`, 'names no ecosystem')
  const { scheme, side } = rulesOf(ecosystem)
  const usable = ranges.filter(({ type }) => type !== 'GIT')
  const found = usable.flatMap(({ events }, index) => rangesOf(events, `${place}.ranges.${index}`))
  // Only commits are named: which packages have them nobody can tell, and that is not "none".
  const isUndecided = found.length === 0 && versions.length === 0 && ranges.length > 0
  return [
    {
      ecosystem,
      release,
      package: nameIn(ecosystem, named.name),
      side,
      architecture: null,
      product: null,
      scheme,
      statement: isUndecided ? 'under-investigation' : 'affected',
      ranges: found,
      // The list repeats what ranges say, version by version.
      versions: found.length > 0 ? [] : versions,
      justification: isUndecided ? 'the advisory names commits only, no versions' : null,
    },
  ]
}

/** Events of one range, by the evaluation of the OSV schema: each "introduced" lasts until what ends it. */
function rangesOf(events: readonly v.InferOutput<typeof event>[], place: string): readonly VersionRange[] {
  const ranges: VersionRange[] = []
  let open: { introduced: string | null } | undefined
  for (const [index, each] of events.entries()) {
    if (each.introduced !== undefined) {
      if (open !== undefined) ranges.push({ ...open, fixed: null, lastAffected: null })
      open = { introduced: each.introduced === '0' ? null : each.introduced }
    } else if (each.fixed !== undefined || each.last_affected !== undefined) {
      if (open === undefined && ranges.length === 0) open = { introduced: null }
      if (open !== undefined)
        ranges.push({ ...open, fixed: each.fixed ?? null, lastAffected: each.last_affected ?? null })
      open = undefined
    } else if (each.limit === undefined) {
      throw malformed(`${place}.events.${index}`, 'is none of introduced, fixed, last_affected, limit')
    }
  }
  if (open !== undefined) ranges.push({ ...open, fixed: null, lastAffected: null })
  return ranges
}
