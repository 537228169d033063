import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { equal, fromBase64Url, toBase64Url } from '../../shared/bytes/bytes.ts'
import { signSign1 } from '../../shared/cose/sign1.ts'
import { hash, sha256 } from '../../shared/crypto/node.ts'
import { KeepsealError, OutcomeError } from '../../shared/errors.ts'
import {
  openRenewalGrant,
  RENEWAL_PROOF_TYPE,
  renewalBinding,
  RenewalChallenge,
  RenewalGrant,
  renewalProofAad,
  type RenewalBegin,
  type RenewalRequest,
  type RenewedCertificate,
} from '../../shared/evidence/renewal.ts'
import type { QuoteFunction } from '../attest/make-evidence.ts'
import { certificateRequest } from '../enrol/certificate-request.ts'
import { postSigned } from '../enrol/https-client.ts'
import { saveRenewal } from '../state/change-identity.ts'
import type { Identity } from '../state/identity.ts'
import { statePaths } from '../state/paths.ts'
import { brokerAddress } from '../transport/broker-stream.ts'
import { renewalKey } from './pending-key.ts'

export interface Renewal {
  readonly identity: Identity
  /** null for a device that was enrolled without a TPM. */
  readonly quote: QuoteFunction | null
  readonly stateDirectory: string
  /** `https://HOST:PORT`. */
  readonly collectorUrl: string
  /** PEM of the authorities that may have certified the collector. */
  readonly authorities: string | undefined
  /** Told when the collector's certificate did not hold, and its signature has to do. */
  readonly untrusted: (reason: KeepsealError) => void
}

/**
 * Gets this device its next certificate, for a new key: afterwards it is in force and on disk, or nothing has changed.
 * What was interrupted can be done again; the key is kept until a certificate for it has come.
 * Throws KeepsealError `collector.*`, `tpm.*`, `state.*`.
 */
export async function renew(renewal: Renewal): Promise<Identity> {
  const { identity, stateDirectory } = renewal
  const { pendingRenewal } = statePaths(stateDirectory)
  const privateKey = await renewalKey(pendingRenewal)
  const granted = await exchange(renewal, privateKey)
  const { certificate, certificateAuthority, mqttUrl } = granted
  const renewed = await saveRenewal(stateDirectory, {
    mqttUrl,
    tls: { privateKey, certificate, certificateAuthority },
    ueid: identity.ueid,
  })
  await rm(pendingRenewal, { force: true })
  return renewed
}

async function exchange(renewal: Renewal, privateKey: string): Promise<RenewedCertificate> {
  const { identity, quote, collectorUrl, authorities, untrusted } = renewal
  const { ueid, signer, collector } = identity
  const at = (step: string): URL => new URL(`/enroll/v1/${step}`, collectorUrl)
  const begin: RenewalBegin = { ueid }
  const first = await postSigned({ url: at('renew/challenge'), body: begin, authorities }, RenewalChallenge, untrusted)
  const challenge = fromBase64Url(first.challenge)
  const key = createPrivateKey(privateKey)
  const binding = renewalBinding(
    {
      collectorKeyThumbprint: collector.key.thumbprint,
      challenge,
      ueid,
      deviceKeyThumbprint: signer.keyId,
      tlsKeyHash: sha256(createPublicKey(key).export({ format: 'der', type: 'spki' })),
    },
    hash,
  )
  const proof = await signSign1({
    payload: binding,
    contentType: RENEWAL_PROOF_TYPE,
    externalAad: renewalProofAad(ueid),
    signer,
  })
  const quoted = quote === null ? null : await quote(binding)
  const request: RenewalRequest = {
    ueid,
    challenge: first.challenge,
    tlsRequest: toBase64Url(certificateRequest(key)),
    proof: toBase64Url(proof),
    tpm: quoted === null ? null : { attest: toBase64Url(quoted.attest), signature: toBase64Url(quoted.signature) },
  }
  const answer = await postSigned({ url: at('renew'), body: request, authorities }, RenewalGrant, untrusted)
  return checked(answer, identity, challenge, privateKey)
}

/** The grant, if our collector signed it in answer to this, and it is for our key and newer than what we have. */
function checked(answer: RenewalGrant, identity: Identity, challenge: Uint8Array, key: string): RenewedCertificate {
  try {
    const granted = openRenewalGrant(fromBase64Url(answer.grant), identity.ueid, identity.collector.key)
    if (!equal(granted.challenge, challenge)) throw new Error('it answers another request')
    const leaf = new X509Certificate(granted.certificate)
    const authority = new X509Certificate(granted.certificateAuthority)
    if (leaf.subject !== `CN=${identity.ueid}`) throw new Error('the certificate is for another device')
    if (!leaf.checkPrivateKey(createPrivateKey(key))) throw new Error('the certificate is for another key')
    if (!leaf.checkIssued(authority) || !leaf.verify(authority.publicKey)) {
      throw new Error('the certificate is not by the authority that came with it')
    }
    const before = new X509Certificate(identity.tls.certificate)
    if (Date.parse(leaf.validTo) < Date.parse(before.validTo)) throw new Error('it ends earlier than the one in force')
    brokerAddress(granted.mqttUrl)
    return granted
  } catch (cause) {
    const detail = cause instanceof OutcomeError ? `${cause.code}, ${cause.message}` : (cause as Error).message
    throw new KeepsealError('collector.refused', `its renewal cannot be used: ${detail}`, {
      cause,
      remedy: 'Somebody else may answer in the place of the collector. The certificate in force is kept.',
    })
  }
}
