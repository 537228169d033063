import { equal } from '../../../shared/bytes/bytes.ts'
import { parseSign1, verifySign1 } from '../../../shared/cose/sign1.ts'
import { equalConstantTime, hash, sha256 } from '../../../shared/crypto/node.ts'
import { KeepsealError, OutcomeError } from '../../../shared/errors.ts'
import { ENROLMENT_PROOF_TYPE, enrolmentProofAad, idevidStatement } from '../../../shared/evidence/binding.ts'
import type { EnrolmentFinish } from '../../../shared/evidence/enrolment.ts'
import { appraiseQuote, DEFAULT_QUOTE_POLICY } from '../../../shared/tpm/quote.ts'
import { isSignedBy } from '../idevid.ts'
import { bytesOf, type EnrolmentClaims, type TpmClaims } from './claims.ts'

/** The second call's proofs: that whoever asks holds the TPM and the device key, and agreed to these terms. */

/**
 * What a quote may fail in here. It says whose TPM answers what; which PCRs it selects and what they hold is for the
 * evidence to come, and the enrolment carries no PCR values to check it with.
 */
const ABOUT_PCR_VALUES: ReadonlySet<string> = new Set([
  'quote.pcrs-missing',
  'quote.selection-mismatch',
  'quote.pcr-digest-mismatch',
  'quote.bank-refused',
  'quote.resettable-pcr',
])

/** Throws OutcomeError unless the quote is by the attestation key and bound to exactly these terms. */
export function checkQuote(
  attest: Uint8Array,
  signature: Uint8Array,
  signer: TpmClaims['ak'],
  binding: Uint8Array,
): void {
  const { failures } = appraiseQuote({
    attest,
    signature,
    signer,
    expectedExtraData: binding,
    pcrs: new Map(),
    policy: DEFAULT_QUOTE_POLICY,
    hash,
  })
  const failure = failures.find(({ code }) => !ABOUT_PCR_VALUES.has(code))
  if (failure !== undefined) throw failure
}

function checkSignature(proof: Uint8Array, { deviceKey }: EnrolmentClaims, binding: Uint8Array): void {
  const verified = verifySign1(parseSign1(proof), {
    key: deviceKey.key,
    keyId: deviceKey.thumbprint,
    externalAad: enrolmentProofAad(),
    contentType: ENROLMENT_PROOF_TYPE,
  })
  if (!equal(verified.payload, binding)) {
    throw new KeepsealError('enrol.binding-invalid', 'the device signed other terms')
  }
}

/** Throws `enrol.idevid-unproven` unless the key of the IDevID that was shown signed exactly these terms. */
function checkIdevid({ idevid }: TpmClaims, signature: string | undefined, binding: Uint8Array): void {
  if (idevid === null) {
    if (signature === undefined) return
    throw new KeepsealError('request.invalid', 'tpm.idevidSignature: the first call showed no IDevID')
  }
  // To leave it out would be the cheapest of all forgeries here as well.
  if (signature === undefined) throw new KeepsealError('enrol.idevid-unproven', 'no signature of the IDevID')
  try {
    if (isSignedBy(idevid, idevidStatement(binding), bytesOf(signature, 'tpm.idevidSignature'))) return
  } catch (error) {
    if (!(error instanceof OutcomeError)) throw error
    throw new KeepsealError('enrol.idevid-unproven', `${error.code}, ${error.message}`, { cause: error })
  }
  throw new KeepsealError('enrol.idevid-unproven')
}

/**
 * Throws KeepsealError `enrol.secret-wrong` when the TPM did not open the credential, `enrol.binding-invalid` when
 * quote or device signature do not stand or are over other terms, `enrol.idevid-unproven`, `request.invalid`.
 */
export function checkProofs(
  body: EnrolmentFinish,
  claims: EnrolmentClaims,
  secretHash: Uint8Array | null,
  binding: Uint8Array,
): void {
  if (claims.tpm === null && body.tpm !== null)
    throw new KeepsealError('request.invalid', 'tpm: the first call had none')
  try {
    if (claims.tpm !== null) {
      // To leave the answer out would be the cheapest of all forgeries.
      if (body.tpm === null || secretHash === null)
        throw new KeepsealError('enrol.secret-wrong', 'no answer of the TPM')
      if (!equalConstantTime(sha256(bytesOf(body.tpm.secret, 'tpm.secret')), secretHash)) {
        throw new KeepsealError('enrol.secret-wrong')
      }
      const { attest, signature } = body.tpm
      checkQuote(bytesOf(attest, 'tpm.attest'), bytesOf(signature, 'tpm.signature'), claims.tpm.ak, binding)
      checkIdevid(claims.tpm, body.tpm.idevidSignature, binding)
    }
    checkSignature(bytesOf(body.proof, 'proof'), claims, binding)
  } catch (error) {
    if (!(error instanceof OutcomeError)) throw error
    throw new KeepsealError('enrol.binding-invalid', `${error.code}, ${error.message}`, { cause: error })
  }
}
