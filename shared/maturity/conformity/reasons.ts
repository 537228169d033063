import type { Level, Objective, SignalDefinition } from '../signals/definition.ts'
import type { SignalId } from '../signals.ts'
import type { DocumentCriterion } from './assess.ts'
import type { Judged, JudgedBecause } from './judge.ts'
import { DAY_MS, fromStored, toStored, WHOLE, type Measurement } from './sample.ts'
import type { Reason, ReasonCode } from './status.ts'

/** How values and reasons are said to people. */

const rounded = (value: number, digits: number): string => String(Number(value.toFixed(digits)))

/** A stored value with its unit: `97.2 %`, `12.5 d`. Never rounded to the whole when something is missing from it. */
export function valueText({ unit }: Pick<SignalDefinition, 'unit'>, value: number): string {
  if (unit === 'share') return `${value < WHOLE ? rounded(Math.floor(value / 100) / 100, 2) : '100'} %`
  if (unit === 'count') return String(value)
  return `${rounded(fromStored(unit, value), 1)} ${unit === 'days' ? 'd' : 'h'}`
}

export function targetText(definition: Pick<SignalDefinition, 'unit'>, { target, percentile }: Objective): string {
  const value = valueText(definition, toStored(definition.unit, target))
  if (definition.unit === 'share') return `>= ${value}`
  return `${percentile === undefined ? '' : `p${rounded(percentile, 1)} `}<= ${value}`
}

interface SignalReasonInput {
  readonly signal: SignalId
  readonly definition: SignalDefinition
  readonly objective: Objective
  readonly judged: Judged
  readonly level: Level
  readonly cap: Level | 0
  readonly outcome: 'refuted' | 'unknown' | 'capped' | 'met' | 'nothing'
  readonly now: Measurement | undefined
}

/** null where nothing is to be said. */
export function signalReason(input: SignalReasonInput): Reason | null {
  const { signal, judged, level, outcome } = input
  const code = codeOf(outcome, judged)
  if (code === null) return null
  const { failingSince } = judged
  return {
    code,
    signal,
    level,
    text: textOf(input, code),
    restore: restoreOf(input, code),
    ...(failingSince === null ? {} : { since: new Date(failingSince * DAY_MS).toISOString().slice(0, 10) }),
  }
}

function codeOf(outcome: SignalReasonInput['outcome'], { state }: Judged): ReasonCode | null {
  if (outcome === 'refuted') return 'signal-broken'
  if (state === 'at-risk') return 'signal-at-risk'
  if (outcome === 'unknown') return 'signal-unknown'
  return outcome === 'capped' ? 'level-capped' : null
}

const BECAUSE: Readonly<Partial<Record<JudgedBecause, string>>> = {
  'failing-now': 'it fails now, within the budget of its window',
  'budget-low': 'the budget of its window is nearly spent',
  'near-target': 'it is near its target',
}

function textOf({ definition, objective, judged, cap, now, level }: SignalReasonInput, code: ReasonCode): string {
  const about = definition.title
  if (code === 'level-capped') {
    return `${about}: as known here it supports level ${cap} at most, and level ${level} is asked for`
  }
  if (judged.because === 'unmeasured' || now === undefined) return `${about}: never measured`
  if (judged.because === 'coverage') {
    return `${about}: ${now.known} of ${now.denominator} units are known, which is too few`
  }
  const value = now.value === null ? 'not known' : valueText(definition, now.value)
  const counted = definition.unit === 'share' ? ` (${now.good} of ${now.known})` : ''
  const because = BECAUSE[judged.because]
  const wanted = targetText(definition, objective)
  return `${about}: ${value}${counted}, wanted ${wanted}${because === undefined ? '' : `; ${because}`}`
}

const CAP_REMEDY: Readonly<Record<SignalDefinition['source'], string>> = {
  measured: 'Enrol with a TPM, boot measured, and put a release with reference values in force.',
  asserted: 'Enrol with a TPM and have IMA measure the agent, so that its word is proven.',
  observed: 'Nothing: this signal cannot support more. Lower the target, or add documents.',
  recorded: 'Nothing: this signal cannot support more. Lower the target, or add documents.',
}

function restoreOf({ definition, objective, judged }: SignalReasonInput, code: ReasonCode): string {
  if (code === 'level-capped') return CAP_REMEDY[definition.source]
  if (code === 'signal-unknown') {
    if (definition.source === 'recorded') return 'Record what happened: keepseal event record --help'
    return judged.because === 'coverage'
      ? 'Bring silent units back, or declare how many are in use: keepseal product units PRODUCT --declared N'
      : 'Have units report it: keepseal device list'
  }
  const wanted = targetText(definition, objective)
  if (objective.percentile === undefined) return `Bring it to ${wanted} and hold it there for the waiting time.`
  return `Bring it to ${wanted}: finish what is open; what was late counts for ${objective.windowDays} days.`
}

export function documentReason({ kind, state, level }: DocumentCriterion): Reason {
  const isThere = state === 'in-grace' || state === 'expired' || state === 'lapsed'
  return {
    code: isThere ? 'document-expired' : 'document-missing',
    document: kind,
    level,
    text: isThere ? `the document ${kind} has expired` : `no accepted document ${kind}`,
    restore: `Submit ${kind} and have it accepted: keepseal document submit --help`,
  }
}
