import { OUTCOMES } from '../../../shared/decisions/cases/case.ts'
import {
  type CaseForm,
  OVER,
  isIn,
  options,
  reason,
  practices,
  changeClass,
  practice,
  words,
  textsOf,
} from './case-fields.ts'
import { lineOf, rowsOf, severalOf } from './decision-form.ts'

/** The steps of whoever assesses. */

const scope: CaseForm = {
  id: 'scope',
  kind: 'case.scope',
  title: 'decide.case.scope',
  command: 'case scope',
  isOffered: isIn('impact-analysis', 'scoped'),
  fields: () => [
    practices,
    {
      kind: 'rows',
      name: 'criteria',
      label: 'form.criteria',
      option: 'criterion',
      isOptional: true,
      columns: [practice, { kind: 'line', name: 'criterion', label: 'form.criterion' }],
      asOption: ({ practice: of, criterion }) => `${of}: ${criterion}`,
    },
    changeClass('class'),
    {
      kind: 'choice',
      name: 'severity',
      label: 'products.severity',
      options: options(['critical', 'high', 'medium', 'low']),
      area: 'severity',
    },
    {
      kind: 'rows',
      name: 'recommendations',
      label: 'form.recommendations',
      option: 'recommend',
      isOptional: true,
      columns: [words('text', 'form.recommendations')],
      asOption: ({ text = '' }) => text,
    },
    reason,
  ],
  initial: ({ entry }) => ({
    severity: entry.severity,
    practices: entry.decided?.impact?.practices ?? [],
    ...(entry.decided?.impact != null && { class: entry.decided.impact.proposedClass }),
  }),
  detail: (values) => ({
    practices: severalOf(values, 'practices'),
    criteria: rowsOf(values, 'criteria').map(({ practice: of = '', criterion = '' }) => ({ practice: of, criterion })),
    class: lineOf(values, 'class'),
    severity: lineOf(values, 'severity'),
    recommendations: textsOf(rowsOf(values, 'recommendations')),
    reason: lineOf(values, 'reason'),
  }),
}

const verify: CaseForm = {
  id: 'verify',
  kind: 'case.verify',
  title: 'decide.case.verify',
  hint: 'decide.case.verify.hint',
  command: 'case verify',
  isOffered: isIn('verification', 'assessor-decision'),
  fields: () => [
    {
      kind: 'rows',
      name: 'results',
      label: 'form.results',
      option: 'result',
      columns: [practice, { kind: 'line', name: 'result', label: 'form.result' }],
      asOption: ({ practice: of, result }) => `${of}: ${result}`,
    },
    { kind: 'files', name: 'documents', label: 'practices.documents', option: 'document', isOptional: true },
  ],
  initial: ({ entry }) => ({
    results: (entry.decided?.scope?.practices ?? []).map((each) => ({ practice: each, result: '' })),
  }),
  detail: (values, { entry: { fleet } }) => ({
    results: rowsOf(values, 'results').map(({ practice: of = '', result = '' }) => ({ practice: of, result })),
    fleet: fleet && { since: fleet.since, shown: fleet.shown, declared: fleet.declared },
    documents: rowsOf(values, 'documents').map(({ title = '', digest = '', dated = '' }) => ({
      title,
      digest,
      dated: Number(dated),
    })),
  }),
}

const decide: CaseForm = {
  id: 'decide',
  kind: 'case.decide',
  title: 'decide.case.decide',
  command: 'case decide',
  isOffered: ({ entry }) => ![...OVER, 'triggered'].includes(entry.state),
  fields: () => [
    {
      kind: 'choice',
      name: 'ending',
      label: 'form.outcome',
      option: 'outcome',
      options: options(OUTCOMES),
      area: 'ending',
    },
    reason,
  ],
  detail: (values) => ({ outcome: lineOf(values, 'ending'), reason: lineOf(values, 'reason') }),
}

const escalate: CaseForm = {
  id: 'escalate',
  kind: 'case.escalate',
  title: 'decide.case.escalate',
  hint: 'decide.case.escalate.hint',
  command: 'case escalate',
  isOffered: ({ entry }) => ![...OVER, 'triggered', 'escalated'].includes(entry.state),
  fields: ({ products }) => [
    {
      kind: 'choice',
      name: 'measure',
      label: 'form.measure',
      options: options(['suspend', 'withdraw']),
      area: 'measure',
    },
    {
      kind: 'several',
      name: 'products',
      label: 'form.someProducts',
      option: 'product',
      options: options(products),
      isOptional: true,
    },
    reason,
  ],
  detail: (values) => {
    const products = severalOf(values, 'products')
    return {
      measure: lineOf(values, 'measure'),
      products: products.length === 0 ? null : products,
      reason: lineOf(values, 'reason'),
    }
  },
}

export const assessingForms = { scope, verify, decide, escalate } as const
