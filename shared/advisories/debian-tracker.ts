import * as v from 'valibot'
import { severityOfWord } from './cvss.ts'
import { DEBIAN_RELEASES } from './ecosystem.ts'
import { checkedAs, componentName, identifier, malformed, shortText, summaryOf, versionText } from './reading.ts'
import { MAX_STATEMENTS, type AdvisoryRecord, type PackageStatement } from './record.ts'

/** Debian's security tracker, data/json: of each source package its vulnerabilities, of each what each release has. */

const release = v.looseObject({
  status: v.picklist(['open', 'resolved', 'undetermined']),
  fixed_version: v.optional(versionText),
  urgency: v.optional(shortText(64), ''),
  nodsa_reason: v.nullish(shortText(256)),
})
const vulnerability = v.looseObject({
  description: v.optional(shortText(1_000_000), ''),
  releases: v.record(v.string(), release),
})

type Release = v.InferOutput<typeof release>

/**
 * One source package: each of its vulnerabilities is a record of its own, and another package can have a record of the
 * same name. `onWrong` is told of each that is wrong, of which the name is null where it is all of the package; without it
 * that is an error. Error: advisory.malformed.
 */
export function parseDebianTracker(
  name: string,
  value: unknown,
  onWrong: (id: string | null, error: unknown) => void = (_, error) => {
    throw error
  },
): readonly AdvisoryRecord[] {
  const records: AdvisoryRecord[] = []
  try {
    const source = checkedAs(componentName, name, 'package')
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(source, 'is no object')
    for (const [id, each] of Object.entries(value)) {
      try {
        records.push(recordOf(source, id, each))
      } catch (error) {
        onWrong(id, error)
      }
    }
  } catch (error) {
    onWrong(null, error)
  }
  return records
}

function recordOf(source: string, id: string, value: unknown): AdvisoryRecord {
  checkedAs(identifier, id, source)
  const { description, releases } = checkedAs(vulnerability, value, `${source}.${id}`)
  const found = Object.entries(releases)
  if (found.length > MAX_STATEMENTS) throw malformed(`${source}.${id}`, `more than ${MAX_STATEMENTS} releases`)
  const ratings = found.map(([, { urgency }]) => severityOfWord(urgency.replace(/\*+$/, '')))
  return {
    id,
    format: 'debian-tracker',
    aliases: [],
    summary: summaryOf(description),
    severity: ratings.find((rating) => rating !== null) ?? null,
    cvss: null,
    // The tracker tells no dates: since when it is known is when it was first read here.
    published: null,
    modified: null,
    withdrawn: null,
    statements: found.flatMap(([codename, state]) => statementOf(source, codename, state)),
  }
}

function statementOf(source: string, codename: string, state: Release): readonly PackageStatement[] {
  const number = DEBIAN_RELEASES[codename]
  // sid and others that nobody certifies.
  if (number === undefined) return []
  const of = {
    ecosystem: 'Debian',
    release: number,
    package: source,
    side: 'source',
    architecture: null,
    product: null,
    scheme: 'dpkg',
    versions: [],
  } as const
  const all = { introduced: null, fixed: null, lastAffected: null }
  const { status, fixed_version: fixed, nodsa_reason: reason } = state
  if (status === 'undetermined') {
    return [{ ...of, statement: 'under-investigation', ranges: [], justification: 'Debian has not determined it' }]
  }
  if (status === 'open') {
    const why = reason ?? null
    return [{ ...of, statement: 'affected', ranges: [all], justification: why === null ? null : `no DSA: ${why}` }]
  }
  // Version 0: the vulnerable code never was in this release.
  if (fixed === '0')
    return [{ ...of, statement: 'not-affected', ranges: [], justification: 'vulnerable code not present' }]
  if (fixed === undefined) throw malformed(`${source}.${codename}`, 'is resolved, and has no fixed_version')
  return [{ ...of, statement: 'affected', ranges: [{ ...all, fixed }], justification: null }]
}
