import * as v from 'valibot'
import { printable } from '../../../shared/text/printable.ts'
import { paragraph, timeText } from './text.ts'

/** What the API says of one package and one advisory. */
export const Exposure = v.looseObject({
  package: v.string(),
  installed: v.string(),
  fixedIn: v.nullable(v.string()),
  status: v.string(),
  reason: v.string(),
  justification: v.nullable(v.string()),
  disputedBy: v.array(v.string()),
  unruled: v.string(),
  ruling: v.nullable(
    v.looseObject({ id: v.string(), verdict: v.string(), scope: v.string(), reason: v.string(), until: v.string() }),
  ),
})

const REASONS: Readonly<Record<string, string>> = {
  'older-than-fix': 'older than the fixed version',
  'no-fix-yet': 'no fixed version is known yet',
  'listed-version': 'the version is one of those that are listed',
  'kernel-not-restarted': 'the fixed kernel is installed, and the old one still runs: restart the device',
  'kernel-not-running': 'another kernel runs',
  'no-running-code': 'nothing of this package runs',
  'running-kernel-unknown': 'older than the fixed version, and which kernel runs is not known',
  'version-not-comparable': 'a version is none that can be compared: nobody can tell',
  'stated-not-affected': 'not affected, as is stated',
  'being-investigated': 'not decided yet',
  'own-statement': 'not affected, as was stated for such devices',
}

/** One sentence: which package, what is installed, where it is fixed, and why it counts or does not. */
export function explained(one: v.InferOutput<typeof Exposure>): string {
  const fix = one.fixedIn === null ? '' : `, fixed in ${one.fixedIn}`
  const why = REASONS[one.reason] ?? one.reason
  const words = one.justification === null ? '' : ` ("${one.justification}")`
  const others = one.disputedBy.length === 0 ? '' : `; others say: ${one.disputedBy.join(', ')}`
  return `${one.package} ${one.installed}${fix}: ${one.status}, ${why}${words}${others}`
}

/** What was said of it for such devices, and what it would be without. */
export function rulingLines(indent: string, { ruling, unruled }: v.InferOutput<typeof Exposure>): readonly string[] {
  if (ruling === null) return []
  const scope = ruling.scope === '' ? '' : ` for ${ruling.scope}`
  const verdict = ruling.verdict === 'excluded' ? 'excluded' : `${ruling.verdict}, otherwise ${unruled},`
  const line = `${verdict} until ${timeText(ruling.until)}${scope}: ${ruling.reason}`
  return [...paragraph(indent, printable(line)), `${indent}  ${printable(ruling.id)}`]
}

export const probabilityText = (millionths: number | null): string =>
  millionths === null ? '' : `attacks within 30 days ${(millionths / 10_000).toFixed(1)} %`
