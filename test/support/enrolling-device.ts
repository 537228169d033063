import { generateKeyPairSync } from 'node:crypto'
import { fromBase64Url, toBase64Url } from '../../shared/bytes/bytes.ts'
import { coseKeyThumbprint, decodeCoseKey, encodeCoseKey, type CoseKey } from '../../shared/cose/key.ts'
import { signSign1, type Signer } from '../../shared/cose/sign1.ts'
import { hash, random, sha256 } from '../../shared/crypto/node.ts'
import {
  ENROLMENT_PROOF_TYPE,
  enrolmentBinding,
  enrolmentProofAad,
  idevidStatement,
  NO_TOKEN_HASH,
  tokenHash,
  type EnrolmentTerms,
} from '../../shared/evidence/binding.ts'
import type {
  EnrolmentBegin,
  EnrolmentChallenge,
  EnrolmentFinish,
  ProductIdentity,
} from '../../shared/evidence/enrolment.ts'
import { encodePublic, nameOf } from '../../shared/tpm/public.ts'
import { certificateRequest } from './certificate-request.ts'
import { ed25519Signer } from './node-signer.ts'
import { softwareEndorsementKey, type SoftwareEndorsementKey } from './software-ek.ts'
import type { SoftwareIdevid } from './software-idevid.ts'
import { softwareAttestationKey, type SoftwareAttestationKey } from './software-quote.ts'

export interface SoftwareTpm {
  readonly ek: SoftwareEndorsementKey
  readonly ak: SoftwareAttestationKey
  readonly ekCertificate: Uint8Array | null
  readonly idevid?: SoftwareIdevid
}

/** The device's side of an enrolment, with a TPM in software or none. Every part can be replaced by a wrong one. */
export interface EnrollingDevice {
  readonly product: ProductIdentity
  readonly deviceKey: CoseKey
  readonly signer: Signer
  /** PKCS #10, and SHA-256 of the key in it. */
  readonly tlsRequest: Uint8Array
  readonly tlsKeyHash: Uint8Array
  readonly tpm: SoftwareTpm | null
}

export const PRODUCT: ProductIdentity = { vendor: 'Acme', model: 'GW-1', hardwareRevision: 'B', serial: '0001' }

export function softwareTpm(certify: (publicKeyInfo: Uint8Array) => Uint8Array | null): SoftwareTpm {
  const ek = softwareEndorsementKey()
  return { ek, ak: softwareAttestationKey(), ekCertificate: certify(ek.publicKeyInfo) }
}

export function enrollingDevice(changes: Partial<EnrollingDevice> = {}): EnrollingDevice {
  const { signer, x } = ed25519Signer(random(32))
  const tls = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    product: PRODUCT,
    deviceKey: { curve: 'Ed25519', x },
    signer,
    tlsRequest: certificateRequest(tls),
    tlsKeyHash: sha256(tls.publicKey.export({ format: 'der', type: 'spki' })),
    tpm: null,
    ...changes,
  }
}

export function beginBody(
  { product, deviceKey, tlsRequest, tpm }: EnrollingDevice,
  token: string | null,
): EnrolmentBegin {
  return {
    token,
    deviceKey: toBase64Url(encodeCoseKey(deviceKey)),
    tlsRequest: toBase64Url(tlsRequest),
    product,
    tpm:
      tpm === null
        ? null
        : {
            ekPublic: toBase64Url(encodePublic(tpm.ek.area)),
            ekCertificate: tpm.ekCertificate === null ? null : toBase64Url(tpm.ekCertificate),
            akPublic: toBase64Url(encodePublic(tpm.ak.area)),
            ...(tpm.idevid === undefined ? {} : { idevidCertificate: toBase64Url(tpm.idevid.certificate) }),
          },
  }
}

/** What the device believes to agree to. */
export function termsOf(device: EnrollingDevice, token: string | null, challenge: EnrolmentChallenge): EnrolmentTerms {
  return {
    collectorKeyThumbprint: coseKeyThumbprint(decodeCoseKey(fromBase64Url(challenge.collectorKey)), hash),
    challenge: fromBase64Url(challenge.challenge),
    deviceKeyThumbprint: coseKeyThumbprint(device.deviceKey, hash),
    tlsKeyHash: device.tlsKeyHash,
    ekName: device.tpm === null ? null : nameOf(device.tpm.ek.area, hash),
    product: device.product,
    tokenHash: token === null ? NO_TOKEN_HASH : tokenHash(token, hash),
    idevidCertificateHash: device.tpm?.idevid === undefined ? null : sha256(device.tpm.idevid.certificate),
  }
}

function tpmAnswer({ tpm }: EnrollingDevice, { credential }: EnrolmentChallenge, binding: Uint8Array) {
  if (tpm === null || credential === null) return null
  const secret = tpm.ek.activate(
    {
      credentialBlob: fromBase64Url(credential.credentialBlob),
      encryptedSecret: fromBase64Url(credential.encryptedSecret),
    },
    tpm.ak.name,
  )
  const { attest, signature } = tpm.ak.quote(binding)
  return {
    secret: toBase64Url(secret ?? new Uint8Array(32)),
    attest: toBase64Url(attest),
    signature: toBase64Url(signature),
    ...(tpm.idevid === undefined ? {} : { idevidSignature: toBase64Url(tpm.idevid.sign(idevidStatement(binding))) }),
  }
}

/** `changes`: terms that the TPM and the device key sign in place of the true ones. */
export async function finishBody(
  device: EnrollingDevice,
  token: string | null,
  challenge: EnrolmentChallenge,
  changes: Partial<EnrolmentTerms> = {},
): Promise<EnrolmentFinish> {
  const binding = enrolmentBinding({ ...termsOf(device, token, challenge), ...changes }, hash)
  const proof = await signSign1({
    payload: binding,
    contentType: ENROLMENT_PROOF_TYPE,
    externalAad: enrolmentProofAad(),
    signer: device.signer,
  })
  return {
    enrolmentId: challenge.enrolmentId,
    proof: toBase64Url(proof),
    tpm: tpmAnswer(device, challenge, binding),
  }
}
