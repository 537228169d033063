/**
 * What is known of a unit before it was ever seen: SHA-256 of its endorsement key's public area, of that key's
 * certificate, or of the certificate of its IDevID (IEEE 802.1AR).
 */
export const FINGERPRINT_KINDS = ['ek', 'ek-certificate', 'idevid'] as const
export type FingerprintKind = (typeof FINGERPRINT_KINDS)[number]

/** A key that stands for a token: the device that proves that its TPM holds it enrols once. */
export interface Registration {
  readonly kind: FingerprintKind
  readonly fingerprint: Uint8Array
  /** The serial number that the unit has to claim; null for any. */
  readonly serial: string | null
  readonly revokedAt: number | null
}

/** What one import may hold. */
export const MAX_REGISTRATIONS = 5000
