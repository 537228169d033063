import { LEGAL_SCHEMES } from '../../../shared/decisions/cases/schemes.ts'
import {
  type CaseForm,
  OVER,
  isIn,
  options,
  reason,
  practices,
  changeClass,
  words,
  textsOf,
  identityOf,
  secondsIn,
} from './case-fields.ts'
import { lineOf, lineOrNull, rowsOf, secondsOf, severalOf, timeText, wallTime } from './decision-form.ts'

/** The steps of whoever has to mend something. */

const triage: CaseForm = {
  id: 'triage',
  kind: 'case.triage',
  title: 'decide.case.triage',
  command: 'case triage',
  isOffered: isIn('triggered'),
  fields: () => [
    {
      kind: 'choice',
      name: 'outcome',
      label: 'case.outcome',
      options: options(['accepted', 'dismissed']),
      area: 'case.outcome',
      asOptions: { accepted: 'accept', dismissed: 'dismiss' },
    },
    reason,
  ],
  initial: () => ({ outcome: 'accepted' }),
  // Of what was looked at: a severity that has grown meanwhile is no longer the one that is stated.
  detail: (values, subject) => ({
    case: identityOf(subject),
    severity: subject.entry.severity,
    outcome: lineOf(values, 'outcome'),
    reason: lineOf(values, 'reason'),
  }),
}

const impact: CaseForm = {
  id: 'impact',
  kind: 'case.impact',
  title: 'decide.case.impact',
  command: 'case impact',
  isOffered: isIn('triaged', 'impact-analysis'),
  fields: () => [
    { kind: 'text', name: 'summary', label: 'form.summary' },
    practices,
    { kind: 'line', name: 'from', label: 'form.from', isOptional: true },
    { kind: 'line', name: 'to', label: 'form.to', isOptional: true },
    {
      kind: 'rows',
      name: 'changes',
      label: 'form.changes',
      option: 'change',
      isOptional: true,
      columns: [
        { kind: 'line', name: 'what', label: 'form.what' },
        { kind: 'line', name: 'effect', label: 'form.effect' },
      ],
      asOption: ({ what, effect }) => `${what}: ${effect}`,
    },
    {
      kind: 'rows',
      name: 'affected',
      label: 'impact.evidence',
      isOptional: true,
      columns: [words('text', 'impact.evidence')],
      asOption: ({ text = '' }) => text,
    },
    changeClass('proposedClass'),
  ],
  detail: (values) => ({
    summary: lineOf(values, 'summary'),
    from: lineOrNull(values, 'from'),
    to: lineOrNull(values, 'to'),
    changes: rowsOf(values, 'changes').map(({ what = '', effect = '' }) => ({ what, effect })),
    practices: severalOf(values, 'practices'),
    affectedEvidence: textsOf(rowsOf(values, 'affected')),
    proposedClass: lineOf(values, 'proposedClass'),
  }),
}

const plan: CaseForm = {
  id: 'plan',
  kind: 'case.plan',
  title: 'decide.case.plan',
  command: 'case plan',
  isOffered: isIn('scoped', 'remediation'),
  fields: () => [
    {
      kind: 'rows',
      name: 'actions',
      label: 'form.actions',
      option: 'action',
      columns: [
        { kind: 'line', name: 'what', label: 'form.what' },
        { kind: 'line', name: 'owner', label: 'form.owner' },
        { kind: 'time', name: 'due', label: 'form.due' },
      ],
      asOption: ({ what, owner, due = '' }) => `${timeText(due).slice(0, 10)} ${owner}: ${what}`,
    },
    { kind: 'time', name: 'until', label: 'form.fixedUntil', hint: 'form.fixedUntil.hint' },
  ],
  detail: (values) => ({
    actions: rowsOf(values, 'actions').map(({ what = '', owner = '', due }) => ({ what, owner, due: secondsIn(due) })),
    until: secondsOf(values, 'until'),
  }),
}

const fixed: CaseForm = {
  id: 'fixed',
  kind: 'case.fixed',
  title: 'decide.case.fixed',
  command: 'case fixed',
  isOffered: isIn('remediation', 'verification'),
  fields: ({ releases }) => [
    { kind: 'text', name: 'what', label: 'form.done' },
    { kind: 'time', name: 'fixedAt', label: 'form.fixedAt', option: 'at' },
    { kind: 'choice', name: 'release', label: 'form.release', options: releases, isOptional: true },
  ],
  initial: (_, now) => ({ fixedAt: wallTime(now) }),
  detail: (values) => ({
    fixedAt: secondsOf(values, 'fixedAt'),
    what: lineOf(values, 'what'),
    release: lineOrNull(values, 'release'),
  }),
}

const aware: CaseForm = {
  id: 'aware',
  kind: 'case.aware',
  title: 'decide.case.aware',
  hint: 'decide.case.aware.hint',
  command: 'case aware',
  isOffered: ({ entry }) => !OVER.includes(entry.state),
  fields: () => [
    { kind: 'choice', name: 'scheme', label: 'form.scheme', options: options(LEGAL_SCHEMES), area: 'scheme' },
    { kind: 'time', name: 'awareAt', label: 'form.awareAt', option: 'at' },
    { kind: 'line', name: 'source', label: 'form.source' },
    reason,
  ],
  detail: (values, subject) => ({
    case: identityOf(subject),
    scheme: lineOf(values, 'scheme'),
    awareAt: secondsOf(values, 'awareAt'),
    reason: lineOf(values, 'reason'),
    source: lineOf(values, 'source'),
  }),
}

export const mendingForms = { triage, impact, plan, fixed, aware } as const
