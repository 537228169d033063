import type { X509 } from './x509.ts'

/** What speaks against a certificate whatever it is for: reasons for people, or undefined. */

/** RFC 5280 section 4.2: what is critical and not understood condemns the certificate. */
export function unknownCritical({ extensions }: X509, known: readonly string[]): string | undefined {
  for (const [id, { critical }] of extensions) if (critical && !known.includes(id)) return `critical extension ${id}`
  return undefined
}

/** 99991231235959Z, as IEEE 802.1AR and RFC 5280 (4.1.2.5) have it for no end, is a time like any other here. */
export function outsideValidity({ notBefore, notAfter }: X509, now: number): string | undefined {
  if (now < notBefore) return `not valid before ${new Date(notBefore).toISOString()}`
  if (now > notAfter) return `expired at ${new Date(notAfter).toISOString()}`
  return undefined
}
