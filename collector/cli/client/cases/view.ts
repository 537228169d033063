import type { Output } from '../../../../shared/cli/output.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { describeFindings } from '../finding.ts'
import { advice, field, paragraph, timeText } from '../text.ts'
import type { CaseDetail } from './case.ts'

const line = (name: string, value: string): string[] => field(name, printable(value))
const timeOf = (seconds: number): string => timeText(new Date(seconds * 1000).toISOString())

/** Everything of a case for a person who has to do something about it; it fits 80 columns. */
export function describeCase(shown: CaseDetail, { style }: Pick<Output, 'style'>): string {
  const { trigger, cause, subject, severity, state, decided } = shown
  const hidden = shown.findingCount - shown.findings.length
  return [
    ...line('case', shown.id),
    ...line('cause', subject === '' ? cause : `${cause} ${subject}`),
    ...line('', shown.title),
    ...line('', shown.facts.summary),
    ...line('trigger', `${trigger}${shown.opens === 'review' ? ', a review' : ''}, ${severity}`),
    ...line('state', state),
    ...(decided === null || decided.reason === '' ? [] : line('', decided.reason)),
    ...line('opened', timeText(shown.openedAt)),
    ...(shown.detectedAt === shown.openedAt ? [] : line('noticed', timeText(shown.detectedAt))),
    ...line('product', shown.productId),
    ...line('certificate', shown.certificateId),
    ...line('facts', shown.identity.facts),
    ...(decided === null ? [] : decisionLines(decided)),
    ...fleetLines(shown),
    ...deadlineLines(shown, style),
    ...historyLines(shown),
    ...nextLines(shown),
    ...(shown.findingCount === 0
      ? []
      : line('findings', `${shown.findingCount}, units that still have one: ${shown.affectedUnits}`)),
    ...describeFindings(shown.findings, { style }),
    ...(hidden > 0 ? [`  and ${hidden} more`] : []),
  ].join('\n')
}

function decisionLines({ scope, fix, proposal, aware }: NonNullable<CaseDetail['decided']>): string[] {
  return [
    ...Object.entries(aware).flatMap(([scheme, { awareAt, source }]) =>
      line('aware', `${timeOf(awareAt)} (${scheme}), by ${source}`),
    ),
    ...(scope === null ? [] : line('scope', `${scope.practices.join(', ')} (change: ${scope.class})`)),
    ...(fix === null ? [] : line('fixed', `${timeOf(fix.fixedAt)}: ${fix.what}`)),
    ...(proposal === null ? [] : line('proposed', `${proposal.measure}: ${proposal.reason}`)),
  ]
}

function fleetLines({ fleet }: CaseDetail): string[] {
  if (fleet === null) return []
  const { shown, declared, basis, since, wanted } = fleet
  return line(
    'fleet',
    `${shown} of ${declared} ${basis} units show the fix since ${timeOf(since)}; ${wanted} % are wanted`,
  )
}

function deadlineLines({ deadlines }: CaseDetail, style: Output['style']): string[] {
  const shown = deadlines.flatMap(({ title, due, metAt, overdue, legal }) => {
    const done = metAt === null ? (overdue ? (legal ? 'has passed' : 'OVERDUE') : 'open') : 'done'
    const text = `${timeText(due)}  ${done}: ${title}${legal ? ' (not legal advice)' : ''}`
    const [first = '', ...rest] = paragraph('  ', printable(text))
    return [overdue ? style('red', first) : first, ...rest]
  })
  return shown.length === 0 ? [] : ['deadlines', ...shown]
}

function historyLines({ history }: CaseDetail): string[] {
  const shown = history.flatMap(({ at, step, state, name, role, index }) =>
    paragraph('  ', printable(`${timeText(at)}  ${step} -> ${state}, by ${name} (${role ?? '?'}), entry ${index}`)),
  )
  return shown.length === 0 ? [] : ['decided', ...shown]
}

function nextLines({ id, next }: CaseDetail): string[] {
  if (next === null) return []
  const { who, what, verb, decide } = next
  const command = verb === null ? '' : `: keepseal case ${verb} ${id}`
  return [
    ...advice('', `${who}: ${what}${command}`),
    ...(decide === null ? [] : paragraph('', printable(`a person decides: ${decide}`))),
  ]
}
