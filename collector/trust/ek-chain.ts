import { KeepsealError } from '../../shared/errors.ts'
import type { PublicArea } from '../../shared/tpm/public.ts'
import { DerError } from './der.ts'
import { isKeyOf } from './ek-key.ts'
import type { EndorsementAuthorities, EndorsementAuthority } from './ek-roots.ts'
import { parseX509, type X509 } from './x509.ts'
import {
  basicConstraintsOf,
  displayName,
  EK_CERTIFICATE_PURPOSE,
  EXTENSION,
  extendedKeyUsageOf,
  KEY_USAGE,
  keyUsageOf,
  tpmDescriptionOf,
  type TpmDescription,
} from './x509-extensions.ts'
import { outsideValidity, unknownCritical } from './x509-objections.ts'
import { signatureObjection } from './x509-signature.ts'

declare const verified: unique symbol

/** A root that the operator trusts says that this endorsement key lives in a TPM of its make. */
export interface VerifiedEndorsement {
  readonly [verified]: true
  /** Null where the certificate does not describe the TPM. */
  readonly tpm: TpmDescription | null
  /** SHA-256 of the root certificate, lower-case hexadecimal. */
  readonly rootFingerprint: string
  /** The certificate without padding. */
  readonly certificate: Uint8Array
}

const MAX_INTERMEDIATES = 5

const untrusted = (reason: string): KeepsealError => new KeepsealError('enrol.ek-untrusted', reason)

const KNOWN_ON_EK: readonly string[] = Object.values(EXTENSION)
const KNOWN_ON_AUTHORITY: readonly string[] = [
  EXTENSION.basicConstraints,
  EXTENSION.keyUsage,
  EXTENSION.extendedKeyUsage,
  EXTENSION.certificatePolicies,
  EXTENSION.subjectAlternativeName,
]

/**
 * What speaks against an endorsement key's own certificate (TCG EK Credential Profile section 3.2). Most never expire
 * (31 December 9999). One that does has to be valid at enrolment and only then: after its end the vendor answers for
 * nothing any more, yet an identity that was checked once is not taken back.
 */
function endorsementObjection(certificate: X509, now: number): string | undefined {
  if (basicConstraintsOf(certificate)?.ca === true) return 'it certifies an authority, not an endorsement key'
  const usage = keyUsageOf(certificate)
  if (usage !== undefined && !usage.has(KEY_USAGE.keyEncipherment) && !usage.has(KEY_USAGE.keyAgreement)) {
    return 'its key usage does not allow the protection of secrets'
  }
  const purposes = extendedKeyUsageOf(certificate)
  if (purposes !== undefined && !purposes.includes(EK_CERTIFICATE_PURPOSE)) return 'its purpose is another one'
  if (purposes === undefined && tpmDescriptionOf(certificate) === undefined) return 'nothing in it speaks of a TPM'
  return unknownCritical(certificate, KNOWN_ON_EK) ?? outsideValidity(certificate, now)
}

/** `below`: number of intermediates between this authority and the endorsement key. */
function authorityObjection({ certificate }: EndorsementAuthority, below: number, now: number): string | undefined {
  const constraints = basicConstraintsOf(certificate)
  if (constraints?.ca !== true) return 'it is not an authority'
  if (constraints.pathLength !== null && below > constraints.pathLength) return 'its path length is exceeded'
  if (keyUsageOf(certificate)?.has(KEY_USAGE.keyCertSign) === false) return 'its key usage does not allow certificates'
  return unknownCritical(certificate, KNOWN_ON_AUTHORITY) ?? outsideValidity(certificate, now)
}

type Climb = { readonly root: EndorsementAuthority } | { readonly objection: string; readonly height: number }

/**
 * Depth first from `certificate` to a root. Among dead ends, the one that came highest explains the failure.
 * `path`: authorities passed already; cross certificates can form a circle.
 */
function climb(
  certificate: X509,
  authorities: EndorsementAuthorities,
  now: number,
  path: readonly EndorsementAuthority[],
): Climb {
  const height = path.length
  let best: Climb = { objection: `no certificate of its issuer (${displayName(certificate.issuer)}) is known`, height }
  for (const issuer of authorities.named(certificate.issuer)) {
    const name = `${displayName(issuer.certificate.subject)} (${issuer.fingerprint.slice(0, 16)})`
    const objection = signatureObjection(certificate, issuer.certificate)
    const refusal = objection ?? authorityObjection(issuer, height, now)
    let attempt: Climb
    if (path.includes(issuer)) attempt = { objection: 'authorities certify each other in a circle', height: height + 1 }
    else if (refusal !== undefined) attempt = { objection: `issuer ${name}: ${refusal}`, height: height + 1 }
    else if (issuer.isRoot) return { root: issuer }
    else if (height === MAX_INTERMEDIATES) attempt = { objection: 'the chain is too long', height: height + 1 }
    else attempt = climb(issuer.certificate, authorities, now, [...path, issuer])
    if ('root' in attempt) return attempt
    if (attempt.height > best.height) best = attempt
  }
  return best
}

/** NV indices may be larger than the certificate in them; the rest is then all 00 or all ff. */
export function withoutPadding(bytes: Uint8Array): Uint8Array {
  const [tag, form, high = 0, low = 0] = bytes
  if (tag !== 0x30 || form !== 0x82) return bytes
  const end = 4 + high * 256 + low
  const padding = bytes.subarray(end)
  const filler = padding[0]
  if (filler !== 0 && filler !== 0xff) return bytes
  return padding.every((octet) => octet === filler) ? bytes.subarray(0, end) : bytes
}

function parsed(der: Uint8Array): X509 {
  try {
    return parseX509(withoutPadding(der))
  } catch (error) {
    if (error instanceof DerError) throw untrusted(`the certificate cannot be read: ${error.message}`)
    throw error
  }
}

/**
 * Verifies that `der` certifies the endorsement key `ek` and leads to a root of `authorities` at the time `now`
 * (milliseconds). Nothing is fetched: an issuer that is not in the trust directory is unknown.
 * Throws KeepsealError `enrol.ek-certificate-mismatch` when it is another key's certificate (that is never
 * excusable), `enrol.ek-untrusted` with the reason for everything else.
 */
export function verifyEndorsement(
  der: Uint8Array,
  ek: PublicArea,
  authorities: EndorsementAuthorities,
  now: number,
): VerifiedEndorsement {
  const certificate = parsed(der)
  try {
    if (!isKeyOf(certificate, ek)) throw new KeepsealError('enrol.ek-certificate-mismatch')
    const objection = endorsementObjection(certificate, now)
    if (objection !== undefined) throw untrusted(objection)
    const end = climb(certificate, authorities, now, [])
    if (!('root' in end)) throw untrusted(end.objection)
    return {
      tpm: tpmDescriptionOf(certificate) ?? null,
      rootFingerprint: end.root.fingerprint,
      certificate: certificate.bytes,
    } as VerifiedEndorsement
  } catch (error) {
    if (error instanceof DerError) throw untrusted(`the certificate cannot be read: ${error.message}`)
    throw error
  }
}
