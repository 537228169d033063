import type { AdvisorySeverity } from '../maturity/events/kinds.ts'

/** Common Vulnerability Scoring System v3.1 specification, sections 7.1 and 7.4. */
const WEIGHTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  C: { H: 0.56, L: 0.22, N: 0 },
  I: { H: 0.56, L: 0.22, N: 0 },
  A: { H: 0.56, L: 0.22, N: 0 },
}
const PRIVILEGES = {
  U: { N: 0.85, L: 0.62, H: 0.27 },
  C: { N: 0.85, L: 0.68, H: 0.5 },
} as const

/** The base score of a vector of version 3.0 or 3.1; undefined for any other text. */
export function baseScore(vector: string): number | undefined {
  const [version, ...parts] = vector.split('/')
  if (vector.length > 256 || (version !== 'CVSS:3.1' && version !== 'CVSS:3.0')) return undefined
  const metrics = new Map(parts.map((part) => part.split(':', 2) as [string, string]))
  const weight = (name: string): number => WEIGHTS[name]?.[metrics.get(name) ?? ''] ?? Number.NaN
  const scope = metrics.get('S')
  if (scope !== 'U' && scope !== 'C') return undefined
  const privileges = (PRIVILEGES[scope] as Readonly<Record<string, number>>)[metrics.get('PR') ?? ''] ?? Number.NaN
  const lost = 1 - (1 - weight('C')) * (1 - weight('I')) * (1 - weight('A'))
  const impact = scope === 'U' ? 6.42 * lost : 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15
  const exploitability = 8.22 * weight('AV') * weight('AC') * privileges * weight('UI')
  const sum = impact + exploitability
  if (Number.isNaN(sum)) return undefined
  if (impact <= 0) return 0
  return roundUp(Math.min(scope === 'U' ? sum : 1.08 * sum, 10))
}

/**
 * The score where the vulnerable program can be reached from the device alone: with the modified attack vector L
 * (section 4.2), which makes nothing worse that is L or P already.
 */
export function localScore(vector: string): number | undefined {
  return baseScore(vector.replace(/\/AV:[NA](?=\/|$)/, '/AV:L'))
}

/** Appendix A: in integers, since 4.02 must become 4.1 and 4.00002 must not. */
function roundUp(value: number): number {
  const integer = Math.round(value * 100_000)
  return integer % 10_000 === 0 ? integer / 100_000 : (Math.floor(integer / 10_000) + 1) / 10
}

/** Section 5. A score of 0 is the least that there is a word for here. */
export const severityOfScore = (score: number): AdvisorySeverity =>
  score >= 9 ? 'critical' : score >= 7 ? 'high' : score >= 4 ? 'medium' : 'low'

/** Words of distributions and databases for the same four. */
const WORDS: Readonly<Record<string, AdvisorySeverity>> = {
  critical: 'critical',
  important: 'high',
  high: 'high',
  moderate: 'medium',
  medium: 'medium',
  low: 'low',
  negligible: 'low',
  minor: 'low',
  none: 'low',
  unimportant: 'low',
}

/** Null where it is no rating: `unknown`, `not yet assigned`. */
export const severityOfWord = (word: string): AdvisorySeverity | null => {
  const key = word.trim().toLowerCase()
  return Object.hasOwn(WORDS, key) ? (WORDS[key] ?? null) : null
}
