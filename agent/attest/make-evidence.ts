import { hash } from '../../shared/crypto/node.ts'
import type { Signer } from '../../shared/cose/sign1.ts'
import type { Claims } from '../../shared/evidence/claims.ts'
import { encodeClaims, evidenceBinding, signEvidence } from '../../shared/evidence/evidence.ts'
import { ueidBytes, type Ueid } from '../../shared/evidence/identifiers.ts'
import { boundedState, type State } from '../../shared/evidence/state.ts'
import type { ImaSuffix, TpmEvidence } from '../../shared/evidence/tpm-evidence.ts'
import { parseQuoteAttest } from '../../shared/tpm/attest.ts'
import { quotedStateDigest, type PcrValues } from '../../shared/tpm/pcr-selection.ts'
import { equal, utf8 } from '../../shared/bytes/bytes.ts'
import type { MeasuredPosture } from './posture.ts'
import type { AttestationSession } from './session.ts'

/** A quote over `extraData` and the PCR values under it. */
export type QuoteFunction = (extraData: Uint8Array) => Promise<{
  readonly attest: Uint8Array
  readonly signature: Uint8Array
  readonly pcrs: PcrValues
}>

/** What is to be sent of the kernel's measurement list beside these quoted values; read after the quote. */
export type MeasurementListFunction = (pcrs: PcrValues) => Promise<ImaSuffix | null>

export interface EvidenceInput {
  readonly ueid: Ueid
  readonly collectorId: Uint8Array
  readonly signer: Signer
  readonly session: AttestationSession
  /** Nonce of the newest epoch that is known, 32 bytes. */
  readonly nonce: Uint8Array
  /** Nonce of the challenge that this answers; absent where it answers none. */
  readonly challenge?: Uint8Array | undefined
  readonly posture: MeasuredPosture
  readonly state: State
  readonly hardwareModel: string | null
  readonly software: { readonly name: string; readonly version: string }
  /** Seconds since 1970 by this machine's clock. */
  readonly issuedAt: number
  /** null for a device that was enrolled without a TPM. */
  readonly quote: QuoteFunction | null
  readonly firmwareLogDigest: Uint8Array | null
  /** Absent where the kernel keeps no list that could be sent. */
  readonly measurementList?: MeasurementListFunction
  /** What the collector has confirmed to know, and need not be sent again. */
  readonly acknowledged: { readonly postureDigest: Uint8Array | null; readonly pcrDigest: Uint8Array | null }
}

export interface MadeEvidence {
  readonly bytes: Uint8Array
  /** SHA-256 of `bytes`. */
  readonly hash: Uint8Array
  readonly sequence: number
  readonly postureDigest: Uint8Array
  readonly pcrDigest: Uint8Array | null
}

const isSame = (a: Uint8Array | null, b: Uint8Array): boolean => a !== null && equal(a, b)

/** Claims first, then the quote over them, then the signature over both. Does not advance the session. */
export async function makeEvidence(input: EvidenceInput): Promise<MadeEvidence> {
  const { sequence } = input.session.next
  const claims = claimsOf(input)
  const claimsBytes = encodeClaims(claims)
  const tpm = input.quote === null ? null : await tpmEvidence(input, input.quote, claimsBytes)
  const bytes = await signEvidence({ ueid: input.ueid, claimsBytes, tpm: tpm?.evidence ?? null }, input.signer)
  const { postureDigest } = input.posture
  return {
    bytes,
    hash: new Uint8Array(hash('sha256', bytes)),
    sequence,
    postureDigest,
    pcrDigest: tpm?.pcrDigest ?? null,
  }
}

function claimsOf(input: EvidenceInput): Claims {
  const { posture, session } = input
  const isPostureKnown = isSame(input.acknowledged.postureDigest, posture.postureDigest)
  return {
    issuedAt: input.issuedAt,
    nonce: input.nonce,
    challenge: input.challenge ?? null,
    ueid: ueidBytes(input.ueid),
    // The claim holds 32 bytes; a longer name is cut, the collector knows the product from the enrolment.
    // Nobody has to be told again with each report.
    hardwareModel: input.hardwareModel === null || isPostureKnown ? null : cutUtf8(input.hardwareModel, 32),
    uptime: posture.uptimeSeconds,
    bootCount: null,
    bootSeed: posture.bootId,
    softwareName: input.software.name,
    softwareVersion: input.software.version,
    session: session.id,
    sequence: session.next.sequence,
    previous: session.next.previous,
    postureDigest: posture.postureDigest,
    posture: isPostureKnown ? null : posture.posture,
    // The agent's own first: what sensors tell never takes the place of its counters.
    state: boundedState([...input.state, ...posture.state]),
  }
}

function cutUtf8(text: string, bytes: number): string {
  let cut = text
  while (utf8(cut).length > bytes) cut = [...cut].slice(0, -1).join('')
  return cut
}

async function tpmEvidence(
  input: EvidenceInput,
  takeQuote: QuoteFunction,
  claimsBytes: Uint8Array,
): Promise<{ evidence: TpmEvidence; pcrDigest: Uint8Array }> {
  const extraData = evidenceBinding(
    {
      nonce: input.nonce,
      ueid: ueidBytes(input.ueid),
      deviceKeyThumbprint: input.signer.keyId,
      collectorId: input.collectorId,
      claimsBytes,
    },
    hash,
  )
  const { attest, signature, pcrs } = await takeQuote(extraData)
  const pcrDigest = quotedStateDigest(parseQuoteAttest(attest), hash)
  return {
    evidence: {
      attest,
      signature,
      pcrs: isSame(input.acknowledged.pcrDigest, pcrDigest) ? null : pcrs,
      logs: { firmware: input.firmwareLogDigest, ima: (await input.measurementList?.(pcrs)) ?? null },
    },
    pcrDigest,
  }
}
