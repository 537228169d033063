import { toHex, utf8 } from '../../../shared/bytes/bytes.ts'
import { findings, type FindingCode } from '../../../shared/codes/findings.ts'
import type { HashFunction } from '../../../shared/crypto/crypto.ts'
import type { ImaProblem } from '../../../shared/ima/types.ts'
import { printable } from '../../../shared/text/printable.ts'
import type { ImaSummary } from '../../model/ima-state.ts'
import type { Deviation } from '../context.ts'

/** Of one evidence, and of one boot: beyond these one finding for each code tells how many more there are. */
const MAX_TOLD_AT_ONCE = 32
const MAX_TOLD = 256
const MAX_SUBJECT = 200

const FURTHER = '(further files)'

/**
 * Problems as deviations, one for each code and path, and the summary with them counted. A list can have as many
 * problems as entries, and a device whose root is hostile would fill the table of findings; none is dropped silently.
 */
export function problemDeviations(
  problems: readonly ImaProblem[],
  summary: ImaSummary,
  hash: HashFunction,
): { readonly deviations: readonly Deviation[]; readonly summary: ImaSummary } {
  const bySubject = new Map<string, { code: FindingCode; subject: string; details: Set<string> }>()
  for (const problem of problems) {
    const code = findingOf(problem)
    const subject = subjectOf(problem, hash)
    const entry = bySubject.get(`${code} ${subject}`) ?? { code, subject, details: new Set() }
    bySubject.set(`${code} ${subject}`, entry)
    entry.details.add(detailOf(problem))
  }
  const found = [...bySubject.values()]
  const untold = { ...summary.untold }
  const alreadyUntold = Object.values(untold).reduce((sum, count) => sum + count, 0)
  const room = Math.max(0, Math.min(MAX_TOLD_AT_ONCE, MAX_TOLD - (summary.problems - alreadyUntold)))
  const told = found.slice(0, room).map(({ code, subject, details: [first = '', ...more] }) => ({
    code,
    subject,
    before: null,
    after: more.length === 0 ? first : `${first} and ${more.length} more`,
  }))
  const rest = found.slice(room)
  for (const { code } of rest) untold[code] = (untold[code] ?? 0) + 1
  const further = [...new Set(rest.map(({ code }) => code))].map((code) => ({
    code,
    subject: FURTHER,
    before: null,
    after: `and ${untold[code]} more`,
  }))
  return {
    deviations: [...told, ...further],
    summary: { ...summary, problems: summary.problems + found.length, untold },
  }
}

/** What is wrong with the list itself, and not with a file, is told as that. */
function findingOf({ code }: ImaProblem): FindingCode {
  return Object.hasOwn(findings, code) ? (code as FindingCode) : 'boot.ima-refused'
}

/** As it can be stored, compared and printed: a path may hold anything, and 4096 bytes of it. */
function subjectOf({ path = '' }: ImaProblem, hash: HashFunction): string {
  const text = printable(path)
  if (text.length <= MAX_SUBJECT) return text
  return `${text.slice(0, MAX_SUBJECT - 20)}… ${toHex(hash('sha256', utf8(text))).slice(0, 16)}`
}

function detailOf({ code, sequence, detail = `entry ${sequence}` }: ImaProblem): string {
  return Object.hasOwn(findings, code) ? detail : `${code}: ${detail}`
}
