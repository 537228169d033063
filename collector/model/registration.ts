/** What is known of a TPM before it was ever seen: SHA-256 of its endorsement key's public area, or of its certificate. */
export const FINGERPRINT_KINDS = ['ek', 'ek-certificate'] as const
export type FingerprintKind = (typeof FINGERPRINT_KINDS)[number]

/** An endorsement key that stands for a token: the device that proves that its TPM holds it enrols once. */
export interface Registration {
  readonly kind: FingerprintKind
  readonly fingerprint: Uint8Array
  /** The serial number that the unit has to claim; null for any. */
  readonly serial: string | null
  readonly revokedAt: number | null
}

/** What one import may hold. */
export const MAX_REGISTRATIONS = 5000
