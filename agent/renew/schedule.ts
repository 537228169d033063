import { X509Certificate } from 'node:crypto'

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

/** Time to the next try after so many that failed one after the other. */
export const retryMs = (failures: number): number =>
  Math.min(FIRST_RETRY_MS * 2 ** Math.max(0, failures - 1), LONGEST_RETRY_MS)
