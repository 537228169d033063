import type { CertificateStatus } from '../../../shared/certificate/status.ts'

export interface ShownState {
  readonly word: string
  readonly tone: 'good' | 'warn' | 'bad'
}

/** A certificate's state as a word, with what its dates say. */
export function shownState({ body }: CertificateStatus, now: number): ShownState {
  const { state, validFrom, validUntil, supportUntil, conditionsOverdue } = body
  if (state === 'withdrawn' || state === 'superseded' || state === 'abandoned') return { word: state, tone: 'bad' }
  if (now >= Math.min(validUntil, supportUntil)) return { word: 'expired', tone: 'bad' }
  if (now < validFrom) return { word: 'not yet valid', tone: 'warn' }
  if (state === 'suspended')
    return { word: body.claimsAllowedFor.length > 0 ? 'partly suspended' : 'suspended', tone: 'bad' }
  if (state === 'valid-with-conditions') {
    return { word: conditionsOverdue ? 'valid, conditions overdue' : 'valid with conditions', tone: 'warn' }
  }
  return { word: 'valid', tone: 'good' }
}
