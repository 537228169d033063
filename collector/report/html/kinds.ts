import { html, type Html } from '../../api/html.ts'
import type { DomainGap, FrameworkView, PracticeGap, RequirementView, Roadmap } from '../model-kinds.ts'
import { practiceName } from './certificates.ts'
import { day, facts, list, nothing, table, word } from './parts.ts'

const VIEWS: Readonly<Record<RequirementView, string>> = {
  supported: 'supported',
  partly: 'partly: some of the practices are not in the profile',
  gap: 'gap',
  unknown: 'unknown',
  'not-in-profile': 'not in the profile',
}

/** What would restore it, and what people have signed about that. */
function wayOut({ restore, planned, recommended }: PracticeGap): Html | string {
  const lines = [
    ...restore.map(({ why, what }) => html`${why}. ${what}`),
    ...recommended.map(({ title, standing }) => html`Recommended: ${title} (${standing})`),
    ...planned.map(({ what, owner, due, state }) => html`Planned: ${what}, ${owner}, until ${day(due)} (${state})`),
  ]
  return lines.length === 0 ? '-' : list(lines)
}

export const gapSection = (domains: readonly DomainGap[]): Html =>
  html`<section class="sheet">
    <h2>Current state against the targets</h2>
    ${domains.map(
      ({ domain, practices }) =>
        html`<h3>${domain}</h3>
          ${table(
            `Practices of the domain ${domain}`,
            [
              { title: 'Product' },
              { title: 'Practice' },
              { title: 'Priority', kind: 'word' },
              { title: 'Target', kind: 'number' },
              { title: 'Supported', kind: 'number' },
              { title: 'Missing', kind: 'number' },
              { title: 'Conformity', kind: 'word' },
              { title: 'What would restore it' },
            ],
            practices.map((each) => [
              each.product,
              each.name,
              each.priority ?? '-',
              each.target,
              each.supported,
              each.missing,
              word(each.conformity),
              wayOut(each),
            ]),
            'The profile asks for no practice of this domain.',
          )}`,
    )}
  </section>`

export const roadmapSection = ({ progress, items }: Roadmap): Html =>
  html`<section class="sheet">
    <h2>Roadmap</h2>
    <p>
      What is <strong>decided</strong> was signed, as a step of the roadmap or in the plan of a case. What is
      <strong>derived</strong> was computed from a gap: nobody has promised it, so it has no owner and no date.
    </p>
    ${facts([
      ['Items', progress.items],
      ['Done', progress.done],
      ['Overdue', progress.overdue],
      ['Without an owner', progress.withoutOwner],
    ])}
    ${table(
      'Items',
      [
        { title: 'What' },
        { title: 'Practices' },
        { title: 'Levels', kind: 'word' },
        { title: 'Product' },
        { title: 'Source', kind: 'word' },
        { title: 'Owner' },
        { title: 'Due', kind: 'word' },
        { title: 'State', kind: 'word' },
      ],
      items.map((item) => [
        html`${item.what}${item.evidence.length === 0 ? nothing : html`<span class="faint">To show: ${list(item.evidence)}</span>`}`,
        item.practices.map(practiceName).join(', ') || '-',
        item.levels === null ? '-' : `${item.levels.from} to ${item.levels.to}`,
        item.product,
        item.source,
        item.owner ?? '-',
        day(item.due),
        word(item.state),
      ]),
      'Nothing is to be done.',
    )}
  </section>`

export const standardsSection = (frameworks: readonly FrameworkView[]): Html =>
  html`<section class="sheet">
    <h2>Mapped requirements</h2>
    <p class="warn">
      The pairings of requirements and practices are our own reading, and no official table. A requirement that is shown
      as supported is not thereby met: who assesses by that standard decides it.
    </p>
    ${frameworks.map(
      ({ title, version, note, counts, requirements }) =>
        html`<h3>${title}, ${version}</h3>
          <p class="faint">${note}</p>
          <p>
            ${requirements.length} requirements: supported ${counts.supported}, partly ${counts.partly}, gap
            ${counts.gap}, unknown ${counts.unknown}, not in the profile ${counts['not-in-profile']}
          </p>
          ${table(
            title,
            [{ title: 'Requirement', kind: 'word' }, { title: 'Practices' }, { title: 'View' }],
            requirements.map(({ requirement, practices, view }) => [
              requirement,
              practices.map(practiceName).join(', '),
              view === 'partly' || view === 'not-in-profile' ? VIEWS[view] : word(view),
            ]),
            'The catalogue maps nothing to it.',
          )}`,
    )}
  </section>`
