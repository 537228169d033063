import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

/** This software was made after it: 2026-11-01. A clock before it is wrong, whatever else is. */
export const BUILD_TIME_MS = 1_793_491_200_000

/** id-kp-serverAuth (RFC 5280 section 4.2.1.12). */
const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1'

/**
 * The time floor: it is not earlier than the latest of what is known to have passed. All in milliseconds since 1970.
 * `certificate`: this device's own, which began when it was issued, an hour back.
 */
export function timeFloor(known: { readonly certificate: string; readonly newestEpochMs: number | null }): number {
  const { validFrom } = new X509Certificate(known.certificate)
  return Math.max(BUILD_TIME_MS, Date.parse(validFrom), known.newestEpochMs ?? 0)
}

/**
 * Why a broker's certificate cannot be trusted by a device whose clock is wrong; undefined where it can. Of the time
 * only the floor is known: a certificate may have begun at any time after it, and must not have ended before it.
 */
export function objectionAtFloor(
  leaf: X509Certificate,
  authorities: readonly X509Certificate[],
  host: string,
  floorMs: number,
): string | undefined {
  const authority = authorities.find((each) => each.ca && leaf.checkIssued(each) && leaf.verify(each.publicKey))
  if (authority === undefined) {
    return 'it is not by the authority of the enrolment'
  }
  if (leaf.ca) return 'it is an authority itself'
  // Of an X509Certificate, keyUsage is the extended key usage.
  if (leaf.keyUsage?.includes(SERVER_AUTHENTICATION) !== true) return 'it is not for a server'
  const named = isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)
  if (named === undefined) return `it is not for ${host}`
  if ([leaf, authority].some(({ validTo }) => Date.parse(validTo) < floorMs)) return 'it has expired'
  return undefined
}
