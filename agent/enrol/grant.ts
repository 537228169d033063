import { createPrivateKey, X509Certificate } from 'node:crypto'
import { fromBase64Url } from '../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { EnrolmentGrant } from '../../shared/evidence/enrolment.ts'
import { isUeid, type Ueid } from '../../shared/evidence/identifiers.ts'
import { brokerAddress } from '../transport/broker-stream.ts'

/** A grant that fits what was asked for. */
export interface VerifiedGrant extends Omit<EnrolmentGrant, 'ueid' | 'receiptKey'> {
  readonly ueid: Ueid
  readonly receiptSecret: Uint8Array
}

const unusable = (reason: string, cause?: unknown): KeepsealError =>
  new KeepsealError('collector.refused', `its answer cannot be used: ${reason}`, {
    cause,
    remedy: 'Enrol again with another token; the collector may be of another version.',
  })

/**
 * Checks that the grant is for this device and its keys before anything of it is kept. `tlsKey`: PEM.
 * Throws KeepsealError `collector.refused`.
 */
export function verifyGrant(grant: EnrolmentGrant, tlsKey: string, hasTpm: boolean): VerifiedGrant {
  const { ueid, receiptKey, ...rest } = grant
  if (!isUeid(ueid)) throw unusable('not a UEID')
  // A device that has shown its TPM does not let itself be taken for one without.
  if (hasTpm === (grant.identity === 'software')) throw unusable(`identity ${grant.identity}`)
  try {
    checkCertificate(grant, ueid, tlsKey)
    brokerAddress(grant.mqttUrl)
    const receiptSecret = fromBase64Url(receiptKey)
    if (receiptSecret.length !== 32) throw new RangeError(`receipt key of ${receiptSecret.length} bytes`)
    return { ...rest, ueid, receiptSecret }
  } catch (cause) {
    throw unusable(cause instanceof Error ? cause.message : 'malformed', cause)
  }
}

function checkCertificate({ certificate, certificateAuthority }: EnrolmentGrant, ueid: Ueid, tlsKey: string): void {
  const leaf = new X509Certificate(certificate)
  const authority = new X509Certificate(certificateAuthority)
  if (leaf.subject !== `CN=${ueid}`) throw new Error('the certificate is for another device')
  if (!leaf.checkPrivateKey(createPrivateKey(tlsKey))) throw new Error('the certificate is for another key')
  if (!leaf.checkIssued(authority) || !leaf.verify(authority.publicKey)) {
    throw new Error('the certificate is not by the authority that came with it')
  }
}
