import * as v from 'valibot'

/** The two HTTPS calls of the enrolment: their JSON bodies, as agent and collector both check them. */

const BASE64URL = /^[A-Za-z0-9_-]+$/
/** Bytes as base64url without padding. `max` is in characters. */
const encoded = (max: number) => v.pipe(v.string(), v.maxLength(max), v.regex(BASE64URL, 'base64url without padding'))
/** A name that people and logs will see: no control characters. */
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(128), v.regex(/^[^\p{Cc}\p{Cf}]+$/u, 'printable text'))

export const ProductIdentity = v.strictObject({
  vendor: name,
  model: name,
  hardwareRevision: name,
  serial: name,
})
export type ProductIdentity = v.InferOutput<typeof ProductIdentity>

export const EnrolmentTpm = v.strictObject({
  /** TPM2B_PUBLIC of the endorsement key. */
  ekPublic: encoded(1024),
  /** DER certificate of the endorsement key; null where the TPM has none. */
  ekCertificate: v.nullable(encoded(8192)),
  /** TPM2B_PUBLIC of the attestation key. */
  akPublic: encoded(1024),
  /** DER certificate of the IDevID whose key is in this TPM; absent where none is shown, as from older agents. */
  idevidCertificate: v.optional(encoded(8192)),
})

/** One-time token, `kse_` + 32 random bytes. */
export const EnrolmentTokenText = v.pipe(v.string(), v.regex(/^kse_[A-Za-z0-9_-]{43}$/, 'kse_ and 43 characters'))

export const EnrolmentBegin = v.strictObject({
  /** null: a key of the TPM stands for a token, because the collector knew it before the device. */
  token: v.nullable(EnrolmentTokenText),
  /** COSE_Key of the device's Ed25519 key. */
  deviceKey: encoded(256),
  /** PKCS#10 request (DER) for the MQTT client certificate. Only its key and its self-signature are used. */
  tlsRequest: encoded(4096),
  product: ProductIdentity,
  /** null: a device without a TPM. */
  tpm: v.nullable(EnrolmentTpm),
})
export type EnrolmentBegin = v.InferOutput<typeof EnrolmentBegin>

export const EnrolmentChallenge = v.strictObject({
  enrolmentId: v.string(),
  /** 32 random bytes. */
  challenge: encoded(64),
  /** COSE_Key with which the collector signs epochs. */
  collectorKey: encoded(256),
  /** 16 bytes, fixed for the collector's life. */
  collectorId: encoded(32),
  /** Number of the newest statement of its succession; absent before the first one. */
  succession: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  /** MakeCredential for the AK's name under the EK; null for a device without a TPM. */
  credential: v.nullable(v.strictObject({ credentialBlob: encoded(2048), encryptedSecret: encoded(2048) })),
})
export type EnrolmentChallenge = v.InferOutput<typeof EnrolmentChallenge>

export const EnrolmentFinish = v.strictObject({
  enrolmentId: v.pipe(v.string(), v.maxLength(64)),
  /** COSE_Sign1 by the device key over the enrolment binding: proof that the device holds the key. */
  proof: encoded(2048),
  tpm: v.nullable(
    v.strictObject({
      /** What TPM2_ActivateCredential gave back. */
      secret: encoded(128),
      /** TPMS_ATTEST and TPMT_SIGNATURE of a quote whose extraData is the enrolment binding. */
      attest: encoded(4096),
      signature: encoded(2048),
      /** TPMT_SIGNATURE by the key of the IDevID over `idevidStatement` of the binding; with its certificate only. */
      idevidSignature: v.optional(encoded(2048)),
    }),
  ),
})
export type EnrolmentFinish = v.InferOutput<typeof EnrolmentFinish>

export const EnrolmentGrant = v.strictObject({
  ueid: v.string(),
  identity: v.picklist(['tpm-endorsed', 'tpm-tofu', 'software']),
  /** PEM: the MQTT client certificate, and the chain to trust for broker and collector. */
  certificate: v.string(),
  certificateAuthority: v.string(),
  /** 32 bytes: authenticates receipts and requests to this device. */
  receiptKey: encoded(64),
  mqttUrl: v.string(),
})
export type EnrolmentGrant = v.InferOutput<typeof EnrolmentGrant>
