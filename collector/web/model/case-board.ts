import type { Case } from '../core/types-more.ts'
import type { Tone } from './standing.ts'

/** Whose turn it is, from the state of the case: the columns of the board. */
export const COLUMNS = {
  triage: ['triggered', 'triaged'],
  analysis: ['impact-analysis', 'scoped'],
  remediation: ['remediation', 'verification'],
  decision: ['assessor-decision', 'profile-change', 'escalated'],
  over: ['dismissed', 'closed', 'ended'],
} as const
export type Column = keyof typeof COLUMNS
export const COLUMN_NAMES = Object.keys(COLUMNS) as readonly Column[]

const SEVERITIES = ['critical', 'high', 'medium', 'low']

/** What is overdue first, then what is due next, then what weighs most. */
export function casesIn(column: Column, cases: readonly Case[]): readonly Case[] {
  const states: readonly string[] = COLUMNS[column]
  const dueOf = ({ due }: Case): number => (due === null ? Number.POSITIVE_INFINITY : Date.parse(due))
  return cases
    .filter(({ state }) => states.includes(state))
    .sort(
      (a, b) =>
        Number(b.overdue) - Number(a.overdue) ||
        (dueOf(a) === dueOf(b) ? 0 : dueOf(a) - dueOf(b)) ||
        SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
    )
}

/** `soon`: within two days. */
export function dueTone({ due, overdue }: Pick<Case, 'due' | 'overdue'>, now: number): Tone {
  if (overdue) return 'bad'
  if (due === null) return 'quiet'
  return Date.parse(due) - now < 2 * 86_400_000 ? 'warn' : 'quiet'
}
