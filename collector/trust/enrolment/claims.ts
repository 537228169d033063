import * as v from 'valibot'
import { fromBase64Url } from '../../../shared/bytes/bytes.ts'
import { coseKeyThumbprint, decodeCoseKey } from '../../../shared/cose/key.ts'
import type { VerificationKey } from '../../../shared/crypto/crypto.ts'
import { ecdsaKey, ed25519Key, hash, rsaKey } from '../../../shared/crypto/node.ts'
import type { ErrorCode } from '../../../shared/codes/errors.ts'
import { KeepsealError, OutcomeError } from '../../../shared/errors.ts'
import { EnrolmentBegin, type ProductIdentity } from '../../../shared/evidence/enrolment.ts'
import { attestationKeyOf, qualifiedNameOfPrimary, type AttestationKey } from '../../../shared/tpm/attestation-key.ts'
import { TPM_RH_ENDORSEMENT } from '../../../shared/tpm/constants.ts'
import { assertEndorsementKey } from '../../../shared/tpm/credential.ts'
import { encodePublicArea, nameOf, parsePublic, type PublicArea } from '../../../shared/tpm/public.ts'
import { verifyCertificateRequest, type RequestedKey } from '../certificate-request.ts'
import { chipName } from '../ek-key.ts'
import { IdevidObjection, readIdevid, type ShownIdevid } from '../idevid.ts'

/** The first call's body without the token, which is kept nowhere but as its hash. */
export const EnrolmentRequest = v.omit(EnrolmentBegin, ['token'])
export type EnrolmentRequest = v.InferOutput<typeof EnrolmentRequest>

/**
 * What a device says of itself, in usable form. Only the form was checked, and that it holds the TLS key: that the
 * rest is true is what the two calls are for.
 */
export interface EnrolmentClaims {
  readonly product: ProductIdentity
  readonly deviceKey: { readonly bytes: Uint8Array; readonly thumbprint: Uint8Array; readonly key: VerificationKey }
  readonly tls: RequestedKey
  readonly tpm: TpmClaims | null
}

export interface TpmClaims {
  readonly ek: PublicArea
  /** As the TPM computes it, and as it is kept: see `chipName`. */
  readonly ekName: Uint8Array
  readonly chipName: Uint8Array
  readonly ekCertificate: Uint8Array | null
  readonly ak: AttestationKey
  /** TPMT_PUBLIC of the attestation key, and its name. */
  readonly akPublic: Uint8Array
  readonly akName: Uint8Array
  /** null where none is shown. */
  readonly idevid: ShownIdevid | null
}

/** Runs `read`: what it finds wrong with the device's structures ends the enrolment with `code`. */
export function orRefuse<T>(code: ErrorCode, field: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof OutcomeError) throw new KeepsealError(code, `${field}: ${error.message}`, { cause: error })
    throw error
  }
}

/** Strict base64url. Throws KeepsealError `request.invalid` naming `field`. */
export function bytesOf(text: string, field: string): Uint8Array {
  try {
    return fromBase64Url(text)
  } catch (cause) {
    throw new KeepsealError('request.invalid', `${field}: not base64url`, { cause })
  }
}

function readDeviceKey(text: string): EnrolmentClaims['deviceKey'] {
  const encoded = bytesOf(text, 'deviceKey')
  return orRefuse('request.invalid', 'deviceKey', () => {
    const key = decodeCoseKey(encoded)
    if (key.curve !== 'Ed25519') throw new OutcomeError('cose.key-malformed', 'not an Ed25519 key')
    const bytes = key.x.slice()
    return { bytes, thumbprint: coseKeyThumbprint(key, hash), key: ed25519Key(bytes) }
  })
}

function readEndorsementKey(text: string): PublicArea {
  const encoded = bytesOf(text, 'tpm.ekPublic')
  return orRefuse('enrol.ek-untrusted', 'tpm.ekPublic', () => {
    const area = parsePublic(encoded)
    assertEndorsementKey(area)
    return area
  })
}

/** The name is computed from the public area: a name that somebody sent would be a name that somebody chose. */
function readAttestationKey(text: string): Pick<TpmClaims, 'ak' | 'akPublic' | 'akName'> {
  const encoded = bytesOf(text, 'tpm.akPublic')
  return orRefuse('enrol.ak-refused', 'tpm.akPublic', () => {
    const area = parsePublic(encoded)
    const akName = nameOf(area, hash)
    const qualifiedName = qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, akName, hash)
    return { ak: attestationKeyOf(area, qualifiedName, { ecdsaKey, rsaKey }), akPublic: encodePublicArea(area), akName }
  })
}

function readShownIdevid(text: string): ShownIdevid {
  const der = bytesOf(text, 'tpm.idevidCertificate')
  try {
    return readIdevid(der)
  } catch (error) {
    if (!(error instanceof IdevidObjection)) throw error
    throw new KeepsealError('enrol.idevid-refused', error.message, { cause: error })
  }
}

function readTpm(tpm: NonNullable<EnrolmentRequest['tpm']>): TpmClaims {
  const ek = readEndorsementKey(tpm.ekPublic)
  return {
    ek,
    ekName: nameOf(ek, hash),
    chipName: chipName(ek, hash),
    ekCertificate: tpm.ekCertificate === null ? null : bytesOf(tpm.ekCertificate, 'tpm.ekCertificate'),
    ...readAttestationKey(tpm.akPublic),
    idevid: tpm.idevidCertificate === undefined ? null : readShownIdevid(tpm.idevidCertificate),
  }
}

/** Throws KeepsealError `request.invalid`, `enrol.ek-untrusted`, `enrol.ak-refused` or `enrol.idevid-refused`. */
export function readClaims(request: EnrolmentRequest): EnrolmentClaims {
  return {
    product: request.product,
    deviceKey: readDeviceKey(request.deviceKey),
    tls: verifyCertificateRequest(bytesOf(request.tlsRequest, 'tlsRequest')),
    tpm: request.tpm === null ? null : readTpm(request.tpm),
  }
}
