import { html, type Html } from '../../api/html.ts'
import type { Report } from '../model.ts'
import { practiceName } from './certificates.ts'
import { code, day, list, nothing, table, when, word } from './parts.ts'

/** Documents, cases and decisions: what people have done within the period. */
export function recordSection({ cases, decisions, documents, log }: Report): Html {
  const opened = cases.filter(({ openedInPeriod }) => openedInPeriod).length
  const ended = cases.filter(({ endedInPeriod }) => endedInPeriod).length
  return html`<section class="sheet">
    <h2>Documents</h2>
    ${table(
      'What people have stated, and until when it is good',
      [
        { title: 'Document' },
        { title: 'Practices' },
        { title: 'Signed by' },
        { title: 'Standing', kind: 'word' },
        { title: 'Until', kind: 'word' },
        { title: 'SHA-256' },
      ],
      documents.map((each) => [
        html`${each.kind} <code>${each.id}</code>`,
        each.practices.map(practiceName).join(', '),
        `${each.signer}, ${each.capacity}${each.signerRevoked ? ' (revoked since)' : ''}`,
        word(each.standing),
        day(each.validUntil),
        code(each.sha256),
      ]),
      'Nobody has submitted a document about these products.',
    )}
    <h2>Reassessment cases</h2>
    <p>Opened within the period: ${opened}. Ended within the period: ${ended}.</p>
    ${table(
      'Cases that were open at some time of the period',
      [
        { title: 'Case' },
        { title: 'Product' },
        { title: 'Trigger', kind: 'word' },
        { title: 'Cause' },
        { title: 'State', kind: 'word' },
        { title: 'Opened', kind: 'word' },
        { title: 'Ended', kind: 'word' },
      ],
      cases.map((each) => [
        code(each.id),
        each.product,
        each.trigger,
        html`<code>${each.cause}</code> ${each.title}`,
        each.state,
        day(each.openedAt),
        day(each.endedAt),
      ]),
      'No case was open.',
    )}
    <h2>Decisions within the period</h2>
    ${table(
      'Entries of the decision log',
      [
        { title: 'Entry', kind: 'number' },
        { title: 'When', kind: 'word' },
        { title: 'Decision' },
        { title: 'About' },
        { title: 'By' },
        { title: 'SHA-256' },
      ],
      decisions.map(({ index, at, kind, title, subject, author, role, hash }) => [
        index,
        when(at),
        html`${title} <code>${kind}</code>`,
        code(subject),
        `${author}, ${role}`,
        code(hash),
      ]),
      'Nothing was decided within the period.',
    )}
    ${log === null ? nothing : html`<p>The log ends with entry ${log.index}, <code>${log.hash}</code>, of log <code>${log.id}</code>.</p>`}
  </section>`
}

/** What everything above rests on, and what it does not say. */
export const evidenceSection = ({ evidence, limits }: Report): Html =>
  html`<section class="sheet">
    <h2>What this report does not say</h2>
    ${list(limits)}
    <h2>Evidence</h2>
    ${table(
      'SHA-256 of everything that a statement rests on',
      [{ title: 'Kind', kind: 'word' }, { title: 'For' }, { title: 'SHA-256' }],
      evidence.map(({ kind, about, sha256 }) => [kind, about, code(sha256)]),
      'None.',
    )}
  </section>`
