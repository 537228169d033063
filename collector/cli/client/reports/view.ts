import type { Output } from '../../../../shared/cli/output.ts'
import type { StyleName } from '../../../../shared/cli/terminal.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { isOpen } from '../../../report/gap.ts'
import type { Report, ReportedProduct } from '../../../report/model.ts'
import type { FrameworkView, PracticeGap, Roadmap } from '../../../report/model-kinds.ts'
import { field, paragraph, timeText } from '../text.ts'

const TONES: Readonly<Record<string, StyleName>> = {
  conforming: 'green',
  'at-risk': 'yellow',
  unknown: 'yellow',
  drift: 'red',
  nonconforming: 'red',
  overdue: 'red',
}
const tone = (cell: string): StyleName | undefined => TONES[cell]

/** The report in short, for a terminal: all of it is in the files. */
export function describeReport(report: Report, digest: string, { table }: Pick<Output, 'table'>): string {
  const { certificates, products, period, operator, limits } = report
  const line = (name: string, text: string): readonly string[] => field(name, printable(text))
  return [
    ...line('report', report.kind),
    ...line('period', `${timeText(period.from)} to ${timeText(period.to)}`),
    ...line('operated by', operator ?? 'nobody says'),
    ...(certificates.length === 0 ? line('certificate', 'none is in force') : []),
    ...certificates.flatMap(({ id, number, state, isExpired, profile }) => [
      ...line('certificate', `${number} (${id}), ${state}${isExpired ? ', EXPIRED' : ''}`),
      ...line('profile', `${profile.id} version ${profile.version}`),
    ]),
    ...line(
      'cases',
      `${report.cases.length}, decisions ${report.decisions.length}, documents ${report.documents.length}`,
    ),
    'digest',
    `  ${digest}`,
    ...partOf(report, table),
    ...((report.gap ?? report.roadmap ?? report.standards)
      ? []
      : products.flatMap((each) => productLines(each, table))),
    ...limits.flatMap((limit) => paragraph('', printable(`note: ${limit}`))),
  ].join('\n')
}

type Table = Output['table']

function partOf({ gap, roadmap, standards }: Report, table: Table): readonly string[] {
  if (gap !== undefined) return gapLines(gap.flatMap(({ practices }) => practices))
  if (roadmap !== undefined) return roadmapLines(roadmap)
  return standards === undefined ? [] : standardLines(standards, table)
}

function productLines(
  { product, practices, fleet, covered, notCovered }: ReportedProduct,
  table: Table,
): readonly string[] {
  const without = Object.entries(notCovered).map(([reason, count]) => `${count} ${reason}`)
  const columns = [
    { title: 'PRACTICE' },
    { title: 'TARGET', align: 'right' as const },
    { title: 'SUPPORTED', align: 'right' as const },
    { title: 'CONFORMITY', style: tone, shrinks: false },
    { title: 'KNOWN', align: 'right' as const },
  ]
  const rows = practices
    .filter(({ target }) => target !== null)
    .map(({ name, target, supported, conformity, coverage }) => [
      name,
      String(target),
      String(supported),
      conformity,
      coverage === null ? '-' : `${coverage.known}/${coverage.denominator}`,
    ])
  return [
    '',
    printable(product),
    ...field(
      'units',
      fleet === null ? 'not counted yet' : `${fleet.denominator} ${fleet.basis}, never seen ${fleet.neverSeen}`,
    ),
    ...field('covered', `${covered}${without.length === 0 ? '' : `; not covered: ${without.join(', ')}`}`),
    ...(rows.length === 0 ? ['No practice has a target.'] : table(columns, rows).trimEnd().split('\n')),
  ]
}

function gapLines(gaps: readonly PracticeGap[]): readonly string[] {
  const open = gaps.filter(isOpen)
  if (open.length === 0) return ['', `No gap: ${gaps.length} practices are as the profile asks for.`]
  return open.flatMap(({ product, name, target, supported, conformity, restore, recommended, planned }) => [
    '',
    ...paragraph('', printable(`${name}: level ${supported} of ${target}, ${conformity} (${product})`)),
    ...restore.flatMap(({ why, what }) => paragraph('  ', printable(`- ${why}. ${what}`))),
    ...recommended.flatMap(({ title, standing }) =>
      paragraph('  ', printable(`- recommended: ${title} (${standing})`)),
    ),
    ...planned.flatMap(({ what, owner, due, state }) =>
      paragraph('  ', printable(`- planned: ${what}, ${owner}, until ${due.slice(0, 10)} (${state})`)),
    ),
  ])
}

function roadmapLines({ progress, items }: Roadmap): readonly string[] {
  const { done, overdue, withoutOwner } = progress
  return [
    ...field('items', `${items.length}: done ${done}, overdue ${overdue}, without an owner ${withoutOwner}`),
    ...items.flatMap(({ source, product, practices, what, levels, owner, due, state }) => [
      '',
      ...paragraph('', printable(`${practices.join(', ') || 'a case'}, ${product}: ${state}, ${source}`)),
      ...(levels === null ? [] : [`  level ${levels.from} to ${levels.to}`]),
      ...paragraph('  ', printable(what)),
      ...(owner === null ? [] : [`  ${printable(owner)}, until ${timeText(due)}`]),
    ]),
  ]
}

function standardLines(frameworks: readonly FrameworkView[], table: Table): readonly string[] {
  const columns = [
    { title: 'STANDARD' },
    ...['SUPPORTED', 'PARTLY', 'GAP', 'UNKNOWN', 'NOT ASKED'].map((title) => ({ title, align: 'right' as const })),
  ]
  const rows = frameworks.map(({ framework, counts }) => [
    framework,
    ...[counts.supported, counts.partly, counts.gap, counts.unknown, counts['not-in-profile']].map(String),
  ])
  const note = 'The pairings of requirements and practices are our own reading, and no official table.'
  return ['', ...table(columns, rows).trimEnd().split('\n'), ...paragraph('', note), '']
}
