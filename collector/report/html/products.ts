import { html, type Html } from '../../api/html.ts'
import type { ReportedFinding, ReportedObjective, ReportedPractice, ReportedProduct } from '../model.ts'
import { practiceName } from './certificates.ts'
import { day, facts, list, nothing, table, when, word } from './parts.ts'

/** One product: its units, practices, objectives and findings. `isWhole`: with what only a surveillance report tells. */
export function productSection(product: ReportedProduct, isWhole: boolean): Html {
  return html`<section class="sheet">
    <h2>Product ${product.product}</h2>
    ${facts([
      ['Conformity', word(product.conformity)],
      ['Evaluated', product.evaluatedAt === null ? 'never' : when(product.evaluatedAt)],
      ...units(product),
    ])}
    ${practices(product.practices)}
    ${isWhole ? html`${reasons(product.practices)} ${history(product.practices)} ${objectives(product.objectives)} ${findings(product.findings)}` : nothing}
  </section>`
}

function units({ fleet, covered, notCovered }: ReportedProduct): (readonly [string, string])[] {
  const without = Object.entries(notCovered).map(([reason, count]) => `${reason} ${count}`)
  const coverage = ['Covered units', `${covered}; not covered: ${without.join(', ') || 'none'}`] as const
  if (fleet === null) return [['Units', 'not counted yet'], coverage]
  return [
    [
      'Units',
      `${fleet.denominator} by what ${fleet.basis === 'declared' ? 'the vendor declares' : 'is enrolled'}; declared ${fleet.declared ?? 'none'}, enrolled ${fleet.enrolled}`,
    ],
    [
      'Reporting',
      `fresh ${fleet.fresh}, stale ${fleet.stale}, silent ${fleet.silent}, never seen ${fleet.neverSeen}, retired ${fleet.retired}`,
    ],
    coverage,
  ]
}

const practices = (all: readonly ReportedPractice[]): Html =>
  table(
    'Practices: what the profile asks for, and what is supported now',
    [
      { title: 'Practice' },
      { title: 'Target', kind: 'number' },
      { title: 'Supported', kind: 'number' },
      { title: 'Conformity', kind: 'word' },
      { title: 'Since', kind: 'word' },
      { title: 'Known units', kind: 'number' },
    ],
    all.map(({ name, target, supported, conformity, since, coverage }) => [
      name,
      target ?? '-',
      supported,
      target === null ? 'not in the profile' : word(conformity),
      target === null ? '-' : day(since),
      coverage === null ? '-' : `${coverage.known} of ${coverage.denominator}`,
    ]),
    'None.',
  )

function reasons(all: readonly ReportedPractice[]): Html {
  const asked = all.filter(({ target, reasons: why }) => target !== null && why.length > 0)
  return html`<h3>Why, and what would restore it</h3>
    ${asked.length === 0 ? html`<p class="faint">Nothing stands against any practice.</p>` : nothing}
    ${asked.map(
      ({ name, conformity, reasons: why }) =>
        html`<p><strong>${name}</strong>, ${word(conformity)}</p>
          ${list(
            why.map(
              ({ text, restore, since, units: failing }) =>
                html`${text}${since === undefined ? '' : `, since ${since}`}${
                    failing === undefined ? '' : ` (${failing.count} units: ${failing.first.join(', ')})`
                  }. <span class="faint">${restore}</span>`,
            ),
          )}`,
    )}`
}

const history = (all: readonly ReportedPractice[]): Html =>
  table(
    'Changes within the period',
    [
      { title: 'When', kind: 'word' },
      { title: 'Practice' },
      { title: 'From', kind: 'word' },
      { title: 'To', kind: 'word' },
      { title: 'Because' },
    ],
    all
      .flatMap(({ name, history: steps }) => steps.map((step) => ({ name, ...step })))
      .sort((a, b) => (a.at < b.at ? -1 : 1))
      .map(({ at, name, from, to, reasons: why }) => [
        when(at),
        name,
        word(from ?? 'new'),
        word(to),
        why.join('; ') || '-',
      ]),
    'No practice has changed within the period.',
  )

const objectives = (all: readonly ReportedObjective[]): Html =>
  table(
    'Service level objectives at the end of the period',
    [
      { title: 'What' },
      { title: 'Wanted', kind: 'word' },
      { title: 'Is', kind: 'word' },
      { title: 'State', kind: 'word' },
      { title: 'Budget used', kind: 'number' },
      { title: 'Known', kind: 'number' },
      { title: 'For' },
    ],
    all.map((each) => [
      html`${each.title} <span class="faint">(${each.windowDays} d)</span>`,
      each.targetText,
      each.valueText,
      word(each.state),
      each.budgetUsedPermille === null ? '-' : `${Math.round(each.budgetUsedPermille / 10)} %`,
      `${each.known} of ${each.denominator}`,
      each.practices.map(practiceName).join(', '),
    ]),
    'The targets ask for no signal.',
  )

const findings = (all: readonly ReportedFinding[]): Html =>
  table(
    'Findings that stood within the period',
    [
      { title: 'Finding' },
      { title: 'Severity', kind: 'word' },
      { title: 'State', kind: 'word' },
      { title: 'Findings', kind: 'number' },
      { title: 'Units', kind: 'number' },
      { title: 'Acknowledged', kind: 'number' },
    ],
    all.map(({ code, title, severity, state, findings: count, units: on, acknowledged }) => [
      html`<code>${code}</code> ${title}`,
      word(severity),
      state,
      count,
      on,
      acknowledged,
    ]),
    'No finding stood within the period.',
  )
