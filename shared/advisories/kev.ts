import * as v from 'valibot'
import { KeepsealError } from '../errors.ts'
import { checkedAs, day, listOf, malformed } from './reading.ts'
import type { ExploitedVulnerability, ExploitProbability } from './record.ts'

const cve = v.pipe(v.string(), v.regex(/^CVE-\d{4}-\d{4,19}$/, 'a CVE name'))

const MAX_EXPLOITED = 100_000
const MAX_PROBABILITIES = 2_000_000

/** CISA's catalogue of Known Exploited Vulnerabilities. */
const catalogue = v.looseObject({
  catalogVersion: v.string(),
  dateReleased: v.string(),
  count: v.pipe(v.number(), v.integer(), v.minValue(0)),
  vulnerabilities: listOf(v.looseObject({ cveID: cve, dateAdded: day, dueDate: v.nullish(day) }), MAX_EXPLOITED),
})

/** Error: advisory.malformed. */
export function parseKev(value: unknown): readonly ExploitedVulnerability[] {
  const { count, vulnerabilities } = checkedAs(catalogue, value)
  // A file that was cut is none.
  if (count !== vulnerabilities.length) throw malformed('count', `${count}, of ${vulnerabilities.length} entries`)
  return vulnerabilities.map(({ cveID, dateAdded, dueDate }) => ({
    cve: cveID,
    addedAt: dateAdded,
    dueAt: dueDate ?? null,
  }))
}

/** FIRST's EPSS scores, as CSV: a comment, a header, and a line for each vulnerability. Error: advisory.malformed. */
export function* parseEpss(text: string): Generator<ExploitProbability> {
  let number = 0
  let header = false
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start)
    const line = text.slice(start, end < 0 ? undefined : end).trimEnd()
    start = end < 0 ? text.length : end + 1
    number += 1
    if (number > MAX_PROBABILITIES)
      throw new KeepsealError('advisory.too-large', `more than ${MAX_PROBABILITIES} lines`)
    if (line === '' || line.startsWith('#')) continue
    if (!header) {
      if (line !== 'cve,epss,percentile') throw malformed(`line ${number}`, 'is not the header cve,epss,percentile')
      header = true
      continue
    }
    const match = /^(CVE-\d{4}-\d{4,19}),(\d(?:\.\d{1,9})?(?:e-\d{1,2})?),(\d(?:\.\d{1,9})?(?:e-\d{1,2})?)$/.exec(line)
    const [, name = '', probability, percentile] = match ?? []
    const [p, q] = [millionths(probability), millionths(percentile)]
    if (p === undefined || q === undefined) throw malformed(`line ${number}`, 'is not a CVE name and two shares of one')
    yield { cve: name, probability: p, percentile: q }
  }
  if (!header) throw malformed('document', 'has no header cve,epss,percentile')
}

/** Which of the two a document is; undefined for any other. */
export function factFormatOf(text: string): 'kev' | 'epss' | undefined {
  if (/^(?:#[^\n]*\n)?cve,epss,percentile\s/.test(text)) return 'epss'
  const head = text.slice(0, 4096)
  return /^\s*\{/.test(head) && /"catalogVersion"\s*:/.test(head) ? 'kev' : undefined
}

function millionths(text: string | undefined): number | undefined {
  const value = Number(text)
  return text !== undefined && value >= 0 && value <= 1 ? Math.round(value * 1_000_000) : undefined
}
