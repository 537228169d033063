import * as v from 'valibot'
import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { parseSign1, signSign1, verifySign1, type Signer } from '../cose/sign1.ts'
import type { HashFunction } from '../crypto/crypto.ts'
import type { DeviceKey } from './evidence.ts'
import { ueidBytes, type Ueid } from './identifiers.ts'

/**
 * The renewal of a device's certificate: two HTTPS calls, the first for a challenge. The device proves its key and its
 * TPM; the collector signs what it grants. So neither side leans on TLS or on its clock, and a device that slept longer
 * than its certificate lived, or whose clock begins in 1970, renews as well.
 */

const BASE64URL = /^[A-Za-z0-9_-]+$/
const encoded = (max: number) => v.pipe(v.string(), v.maxLength(max), v.regex(BASE64URL, 'base64url without padding'))
const ueid = v.pipe(v.string(), v.regex(/^01[0-9a-f]{32}$/, 'a UEID: 34 lower-case hexadecimal digits'))

export const RenewalBegin = v.strictObject({ ueid })
export type RenewalBegin = v.InferOutput<typeof RenewalBegin>

/** The challenge is the collector's alone to understand. */
export const RenewalChallenge = v.strictObject({ challenge: encoded(128) })
export type RenewalChallenge = v.InferOutput<typeof RenewalChallenge>

export const RenewalRequest = v.strictObject({
  ueid,
  challenge: encoded(128),
  /** PKCS#10 request (DER) for the next client certificate. */
  tlsRequest: encoded(4096),
  /** COSE_Sign1 by the device key over the binding. */
  proof: encoded(2048),
  /** TPMS_ATTEST and TPMT_SIGNATURE of a quote whose extraData is the binding; null for a device without a TPM. */
  tpm: v.nullable(v.strictObject({ attest: encoded(4096), signature: encoded(2048) })),
})
export type RenewalRequest = v.InferOutput<typeof RenewalRequest>

export const RenewalGrant = v.strictObject({
  /** COSE_Sign1 by the collector's key over what is granted. */
  grant: encoded(64 * 1024),
})
export type RenewalGrant = v.InferOutput<typeof RenewalGrant>

/** What the collector's key, authorities and addresses are by now: see succession.ts. null before the first change. */
export const SuccessionAnswer = v.strictObject({ succession: v.nullable(encoded(96 * 1024)) })
export type SuccessionAnswer = v.InferOutput<typeof SuccessionAnswer>

export interface RenewalTerms {
  readonly collectorKeyThumbprint: Uint8Array
  readonly challenge: Uint8Array
  readonly ueid: Ueid
  readonly deviceKeyThumbprint: Uint8Array
  /** SHA-256 over the SubjectPublicKeyInfo (DER) of the next TLS client key. */
  readonly tlsKeyHash: Uint8Array
}

/** What the TPM's quote (as extraData) and the device key (as payload) both sign, 32 bytes. */
export function renewalBinding(terms: RenewalTerms, hash: HashFunction): Uint8Array {
  const bound = encodeCbor([
    'keepseal-renew-v1',
    terms.collectorKeyThumbprint,
    terms.challenge,
    ueidBytes(terms.ueid),
    terms.deviceKeyThumbprint,
    terms.tlsKeyHash,
  ])
  return new Uint8Array(hash('sha256', bound))
}

export const RENEWAL_PROOF_TYPE = 'application/vnd.keepseal.renewal+cbor'
export const renewalProofAad = (device: Ueid): Uint8Array => encodeCbor(['renewal', ueidBytes(device)])

const GRANT_TYPE = 'application/vnd.keepseal.renewal-grant+cbor'
const grantAad = (device: Ueid): Uint8Array => encodeCbor(['renewal-grant', ueidBytes(device)])

/** What a renewal gives. Nothing of it is secret. */
export interface RenewedCertificate {
  /** Of the request that it answers. */
  readonly challenge: Uint8Array
  /** PEM. */
  readonly certificate: string
  readonly certificateAuthority: string
  readonly mqttUrl: string
}

export function signRenewalGrant(granted: RenewedCertificate, device: Ueid, signer: Signer): Promise<Uint8Array> {
  const { challenge, certificate, certificateAuthority, mqttUrl } = granted
  return signSign1({
    payload: encodeCbor([challenge, certificate, certificateAuthority, mqttUrl]),
    contentType: GRANT_TYPE,
    externalAad: grantAad(device),
    signer,
  })
}

/** What this collector granted to this device. Throws OutcomeError `cbor.*`, `cose.*`, `claims.malformed`. */
export function openRenewalGrant(bytes: Uint8Array, device: Ueid, collector: DeviceKey): RenewedCertificate {
  const { payload } = verifySign1(parseSign1(bytes), {
    key: collector.key,
    keyId: collector.thumbprint,
    externalAad: grantAad(device),
    contentType: GRANT_TYPE,
  })
  const [challenge, certificate, certificateAuthority, mqttUrl] = field(
    decodeCbor(payload),
    'claims.malformed',
    'renewal-grant',
  ).tuple('challenge', 'certificate', 'authority', 'mqtt-url')
  return {
    challenge: challenge.bytes({ max: 128 }),
    certificate: certificate.text({ max: 16_384 }),
    certificateAuthority: certificateAuthority.text({ max: 16_384 }),
    mqttUrl: mqttUrl.text({ max: 1024 }),
  }
}
