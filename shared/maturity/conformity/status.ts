import type { Level } from '../signals/definition.ts'
import type { SignalId } from '../signals.ts'

/**
 * Whether what is watched still matches the profile: computed, and moved by no certificate. Best first. `unknown`: not
 * enough evidence to say. `nonconforming`: drift that the certifier has confirmed as such, or that has
 * lasted for longer than the certificate agreement allows.
 */
export const PRACTICE_STATUSES = ['conforming', 'at-risk', 'unknown', 'drift', 'nonconforming'] as const
export type PracticeStatus = (typeof PRACTICE_STATUSES)[number]

/** The worst of several; of none it is unknown: nothing was looked at. */
export function worstStatus(statuses: readonly PracticeStatus[]): PracticeStatus {
  const worst = Math.max(-1, ...statuses.map((status) => PRACTICE_STATUSES.indexOf(status)))
  return PRACTICE_STATUSES[worst] ?? 'unknown'
}

/** What stands against a practice, or what is not known of it. */
export const REASON_CODES = [
  'signal-broken',
  'signal-at-risk',
  'signal-unknown',
  'level-capped',
  'level-unsupported',
  'document-missing',
  'document-expired',
  'limitation-uncovered',
  'limitation-unknown',
  'assumption-broken',
  'assumption-unknown',
  'profile-missing',
  'not-in-profile',
  'confirmed',
  'drift-too-long',
] as const
export type ReasonCode = (typeof REASON_CODES)[number]

export interface Reason {
  readonly code: ReasonCode
  /** The signal, or the kind of document, that it is about. */
  readonly signal?: SignalId
  readonly document?: string
  /** The limitation or assumption of the profile. */
  readonly condition?: string
  /** The lowest level of the practice that it stands against. */
  readonly level?: Level
  /** For people: what is so, and what would restore it. */
  readonly text: string
  readonly restore: string
  /** The day (RFC 3339) since which it has been so without a break, as far as samples go back. */
  readonly since?: string
  /** Units that fail it: how many, and the first few. */
  readonly units?: { readonly count: number; readonly first: readonly string[] }
}
