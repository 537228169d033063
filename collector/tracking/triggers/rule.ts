import type { Severity } from '../../../shared/codes/findings.ts'
import type { CaseCause } from '../../../shared/maturity/causes.ts'
import type { CaseFacts } from '../../model/case.ts'

/** A case that a trigger calls for, of one product under one certificate. Called as often as one looks: there is one. */
export interface Call {
  readonly cause: CaseCause
  /** What of the cause; with it and the release a case has its identity. */
  readonly subject: string
  /** There is never a second one of this identity. */
  readonly isOnce: boolean
  readonly releaseId: string | null
  /** Where it weighs otherwise than its cause. */
  readonly severity?: Severity
  /** One line for people. */
  readonly summary: string
  readonly details: CaseFacts
}

const DAY = 86_400

/** Whole days from one time to another, both in seconds. */
export const daysBetween = (from: number, to: number): number => Math.floor((to - from) / DAY)

/** Days in seconds. */
export const days = (count: number): number => count * DAY

export const dateOf = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10)
