import { standingOf, type Certificate, type CertificateState } from '../decisions/certificate.ts'
import type { StatusType } from './status-list.ts'
import type { CertificateStatus } from './status.ts'

/** What a list that is no older than the status says of a certificate. */
export interface Listed {
  readonly type: StatusType
  /** Seconds since 1970. */
  readonly issuedAt: number
  readonly expiresAt: number
}

export interface Told {
  readonly certificate: Certificate
  readonly status: CertificateStatus
  readonly list: Listed | null
  /** Seconds since 1970. */
  readonly now: number
}

export interface Conclusion {
  readonly verdict: CertificateState | 'ended' | 'expired' | 'unknown'
  readonly claimsAllowedFor: readonly string[]
  /** Seconds since 1970. */
  readonly asOf: number
  readonly until: number
}

/** What holds now, of a certificate whose file, status and list belong together. */
export function concluded({ certificate, status, list, now }: Told): Conclusion {
  const { body, issuedAt: asOf, expiresAt: until } = status
  const nothing = { claimsAllowedFor: [], asOf, until }
  // What has ended stays so, however old the status that says it is.
  const hasEnded = body.state === 'withdrawn' || body.state === 'superseded' || body.state === 'abandoned'
  if (hasEnded) return { verdict: body.state, ...nothing }
  if (now >= Math.min(certificate.validUntil, certificate.supportUntil)) return { verdict: 'expired', ...nothing }
  if (list !== null) return byList({ certificate, status, list, now })
  if (now >= until) return { verdict: 'unknown', ...nothing }
  return { verdict: body.state, claimsAllowedFor: claimsOf(certificate, status, now), asOf, until }
}

function byList({ certificate, status, list, now }: Told & { readonly list: Listed }): Conclusion {
  const { body, expiresAt } = status
  const times = { asOf: list.issuedAt, until: list.expiresAt }
  const unknown: Conclusion = { verdict: 'unknown', claimsAllowedFor: [], ...times }
  // Its dates have not ended, as the file says: so it was ended by a decision, for good.
  if (list.type === 'invalid') return { ...unknown, verdict: now < certificate.validFrom ? 'unknown' : 'ended' }
  if (now >= list.expiresAt) return unknown
  if (list.type === 'application-specific') {
    // In force with something about it that only a status says.
    const isSaid = now < expiresAt && (body.state === 'valid-with-conditions' || body.suspension?.products != null)
    if (!isSaid) return unknown
    return { verdict: body.state, claimsAllowedFor: claimsOf(certificate, status, now), ...times }
  }
  const suspension = list.type === 'suspended' ? { since: list.issuedAt, until: list.expiresAt, products: null } : null
  const { claimsAllowedFor } = standingOf({ ...certificate, state: list.type, suspension }, now)
  return { verdict: list.type, claimsAllowedFor, ...times }
}

/** By the file and by the status: nothing may be claimed that either of them does not allow. */
function claimsOf(certificate: Certificate, { body }: CertificateStatus, now: number): readonly string[] {
  const own = standingOf({ ...certificate, state: body.state, suspension: body.suspension }, now).claimsAllowedFor
  return own.filter((product) => body.claimsAllowedFor.includes(product))
}
