import { FINAL_STATES } from '../../../shared/decisions/cases/case.ts'
import { CHANGE_CLASSES } from '../../../shared/decisions/cases/schemes.ts'
import type { Json } from '../../../shared/decisions/json-cbor.ts'
import { PRACTICE_IDS } from '../../../shared/maturity/practices.ts'
import type { CaseDetail } from '../core/types-more.ts'
import type { ChoiceField, DecisionForm, Option, SeveralField, TextField } from './decision-form.ts'

/** What decisions about a case are made of. */
export interface DecidedCaseSubject {
  readonly entry: CaseDetail
  /** Of its product. */
  readonly releases: readonly Option[]
  /** VENDOR/MODEL of its certificate. */
  readonly products: readonly string[]
}

export type CaseForm = DecisionForm<DecidedCaseSubject>

export const OVER: readonly string[] = FINAL_STATES
export const isIn =
  (...states: readonly string[]) =>
  ({ entry }: DecidedCaseSubject): boolean =>
    states.includes(entry.state)
export const options = (values: readonly string[]): readonly Option[] => values.map((value) => ({ value }))

export const reason: TextField = { kind: 'text', name: 'reason', label: 'case.reason' }
export const practices: SeveralField = {
  kind: 'several',
  name: 'practices',
  label: 'form.practices',
  option: 'practice',
  options: options(PRACTICE_IDS),
  area: 'practice',
}
export const changeClass = (name: string): ChoiceField => ({
  kind: 'choice',
  name,
  label: 'form.class',
  option: 'class',
  options: options(CHANGE_CLASSES),
  area: 'changeClass',
})
export const practice: ChoiceField = {
  kind: 'choice',
  name: 'practice',
  label: 'practices.practice',
  options: options(PRACTICE_IDS),
  area: 'practice',
}
export const words = (name: 'text', label: TextField['label']): TextField => ({ kind: 'line', name, label })
export const textsOf = (rows: readonly { readonly [name: string]: string }[]): readonly string[] =>
  rows.map(({ text = '' }) => text.trim())
export const identityOf = ({ entry }: DecidedCaseSubject): Json => entry.identity as Json
export const secondsIn = (wall = ''): number => Math.floor(Date.parse(wall) / 1000)
