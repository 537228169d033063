/** Certificates in PEM (RFC 7468), several in one text. */

const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

/** Each certificate of a text, with the end of its line. */
export const certificatesIn = (pem: string): string[] => (pem.match(BLOCK) ?? []).map((block) => `${block}\n`)
