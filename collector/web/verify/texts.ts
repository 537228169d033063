import type { Wrong } from './check-status.ts'

export interface VerifyTexts {
  readonly good: string
  readonly bad: (checked: { readonly kind: Wrong; readonly reason: string }) => string
  readonly signed: (at: string, keyId: string) => string
}

const english: VerifyTexts = {
  good: 'Your browser has verified the signature.',
  bad: ({ reason }) => `Not verified: ${reason}. Do not rely on this page.`,
  signed: (at, keyId) => `Signed ${at} UTC by the key ${keyId}: compare it with that in your certificate file.`,
}

const GERMAN_REASONS: Readonly<Record<Wrong, string>> = {
  'other-certificate': 'der Status gehört zu einem anderen Zertifikat',
  expired: 'der Status ist abgelaufen, und kein neuerer kam',
  'other-status': 'es ist ein anderer Status als der, den diese Seite zeigt',
  'not-valid': 'die Signatur oder der Inhalt ist ungültig',
  'not-fetched': 'der signierte Status war nicht zu bekommen',
}

const german: VerifyTexts = {
  good: 'Ihr Browser hat die Signatur geprüft.',
  bad: ({ kind, reason }) =>
    `Nicht geprüft: ${GERMAN_REASONS[kind]} (${reason}). Verlassen Sie sich nicht auf diese Seite.`,
  signed: (at, keyId) =>
    `Signiert ${at} UTC mit dem Schlüssel ${keyId}: vergleichen Sie ihn mit dem in Ihrer Zertifikatsdatei.`,
}

/** In the language of the page that it is on. */
export const verifyTexts = (language: string): VerifyTexts => (language === 'de' ? german : english)
