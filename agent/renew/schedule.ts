import { X509Certificate } from 'node:crypto'
import { certificatesIn } from '../../shared/text/pem.ts'
import type { TlsIdentity } from '../state/identity.ts'

/** A third of its life is left for a collector that cannot be reached. */
const RENEW_AT = 2 / 3

/** Between two looks; the day of a renewal is soon enough. */
export const LOOK_MS = 3_600_000
const FIRST_RETRY_MS = 60_000
const LONGEST_RETRY_MS = 6 * 3_600_000

/**
 * Whether the certificate is to be renewed. `now`: the best that is known, in milliseconds; the clock may be behind it
 * but the certificate's own beginning is a time that has passed.
 */
export function isDue(certificate: string, now: number): boolean {
  const { validFrom, validTo } = new X509Certificate(certificate)
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
  return Math.max(now, from) >= from + (to - from) * RENEW_AT
}

/**
 * A certificate by an authority that the collector has replaced is renewed soon, so that the former one can go. A look
 * an hour with this chance: a fleet takes days, not one hour.
 */
export const BY_FORMER_CHANCE = 1 / 24

/**
 * Which of the authorities that hold has issued the certificate: the one that certifies now, one that it has replaced,
 * or none, with which no broker lets it in any more. All PEM.
 */
export function issuerOf({
  certificate,
  certificateAuthority,
}: Pick<TlsIdentity, 'certificate' | 'certificateAuthority'>): 'first' | 'former' | 'none' {
  const leaf = new X509Certificate(certificate)
  const issuers = certificatesIn(certificateAuthority).map((pem) => new X509Certificate(pem))
  const index = issuers.findIndex((issuer) => leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey))
  return index === 0 ? 'first' : index > 0 ? 'former' : 'none'
}

/** Time to the next try after so many that failed one after the other. */
export const retryMs = (failures: number): number =>
  Math.min(FIRST_RETRY_MS * 2 ** Math.max(0, failures - 1), LONGEST_RETRY_MS)
