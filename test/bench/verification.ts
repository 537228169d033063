import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import { toBase64Url } from '../../shared/bytes/bytes.ts'
import { authenticatedBytes, COSE_SIGN1 } from '../../shared/cose/message.ts'
import { hash, sha256 } from '../../shared/crypto/node.ts'
import { decodeEvidence } from '../../shared/evidence/evidence.ts'
import { messageAad } from '../../shared/evidence/roles.ts'
import { parsePublicArea } from '../../shared/tpm/public.ts'
import { parseSignature, signatureBytes } from '../../shared/tpm/signature.ts'
import { appraise } from '../../collector/appraisal/appraise.ts'
import type { KnownDevice } from '../../collector/appraisal/context.ts'
import { KeyCache } from '../../collector/ingest/known-devices.ts'
import { compare, type Comparison, type ComparisonOptions } from './statistics.ts'
import type { SteadyDevice } from './steady-device.ts'

export interface VerificationResult {
  /** Keys imported beforehand. */
  readonly warm: Comparison
  /** Both keys imported for each evidence. */
  readonly cold: Comparison
}

/**
 * The whole verification of one evidence, from received bytes to verdict, against nothing but its two signature
 * checks over the same bytes. Reading and writing the store is not in it.
 */
export function measureVerification(steady: SteadyDevice, options: ComparisonOptions): VerificationResult {
  const known = { ...steady.known, ...new KeyCache(1).keysOf(steady.device) }
  const bare = bareChecks(steady)
  return {
    warm: compare(
      () => appraiseOnce(steady, known),
      () => bare.check(bare.importKeys.once),
      options,
    ),
    cold: compare(
      () => appraiseOnce(steady, { ...steady.known, ...new KeyCache(1).keysOf(steady.device) }),
      () => bare.check(bare.importKeys()),
      options,
    ),
  }
}

/** As collector/ingest/evidence-handler.ts does it. Throws unless the verdict is the one of a healthy device. */
export function appraiseOnce({ evidence, policy, receivedAt, device }: SteadyDevice, known: KnownDevice): void {
  const unverified = decodeEvidence(evidence.bytes)
  const decision = appraise({
    topicUeid: device.ueid,
    unverified,
    hashOfMessage: sha256(evidence.bytes),
    known,
    policy,
    receivedAt,
    hash,
  })
  if (decision.kind !== 'appraised' || decision.verdict !== 'affirming') {
    throw new Error(`not what was to be measured: ${decision.kind} ${'code' in decision ? decision.code : ''}`)
  }
}

interface BareKeys {
  readonly device: KeyObject
  readonly attestation: KeyObject
}

/** The two checks with node:crypto alone; what they are given was taken out of the message beforehand. */
export function bareChecks({ evidence, device }: { evidence: { bytes: Uint8Array }; device: SteadyDevice['device'] }) {
  const { message, tpm, ueid } = decodeEvidence(evidence.bytes)
  if (tpm === null || device.tpm === null) throw new Error('an evidence without a quote')
  const { protectedBytes, payload, authenticator } = message.message
  const signed = authenticatedBytes(COSE_SIGN1, protectedBytes, messageAad('evidence', ueid), payload)
  const area = parsePublicArea(device.tpm.akPublic)
  if (area.type !== 'ecc') throw new Error('an attestation key of another kind')
  const quoteSignature = signatureBytes(parseSignature(tpm.signature), area)
  const okp = { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(device.deviceKey) }
  const ec = { kty: 'EC', crv: 'P-256', x: toBase64Url(area.unique.x), y: toBase64Url(area.unique.y) }
  const importKeys = (): BareKeys => ({
    device: createPublicKey({ key: okp, format: 'jwk' }),
    attestation: createPublicKey({ key: ec, format: 'jwk' }),
  })
  const check = (keys: BareKeys): void => {
    const attestation = { key: keys.attestation, dsaEncoding: 'ieee-p1363' } as const
    const valid =
      verify(null, signed, keys.device, authenticator) && verify('sha256', tpm.attest, attestation, quoteSignature)
    if (!valid) throw new Error('the signatures of the evidence are not valid')
  }
  return { check, importKeys: Object.assign(importKeys, { once: importKeys() }) }
}
