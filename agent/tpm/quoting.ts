import { equal } from '../../shared/bytes/bytes.ts'
import { hash } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { parseQuoteAttest } from '../../shared/tpm/attest.ts'
import { pcrDigest, type PcrSelection, type PcrValues } from '../../shared/tpm/pcr-selection.ts'
import { parseSignature } from '../../shared/tpm/signature.ts'
import type { LoadedAttestationKey } from './attestation-key.ts'
import { quote } from './commands/keys.ts'
import { readPcrs } from './commands/pcrs.ts'
import type { Tpm } from './tpm.ts'

export interface QuoteRequest {
  readonly selection: PcrSelection
  /** At most 64 bytes, 32 on some TPMs. */
  readonly extraData: Uint8Array
}

export interface Quote {
  /** TPMS_ATTEST. */
  readonly attest: Uint8Array
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array
}

export interface QuoteWithPcrs extends Quote {
  /** The values that the quote's pcrDigest is over. */
  readonly pcrs: PcrValues
}

/** Throws TpmCommandError when the TPM refuses. */
export function takeQuote(tpm: Tpm, key: LoadedAttestationKey, request: QuoteRequest): Promise<Quote> {
  return quote(tpm, key.handle, request.selection, request.extraData)
}

/** IMA may extend PCR 10 at any moment: this many times in a row between quote and reading is no accident. */
const ATTEMPTS = 5

/**
 * A quote and the PCR values under it. The values are read after the quote, and both are taken anew when a PCR was
 * extended in between. Throws `tpm.command-failed` when that happens every time.
 */
export async function takeQuoteWithPcrs(
  tpm: Tpm,
  key: LoadedAttestationKey,
  request: QuoteRequest,
): Promise<QuoteWithPcrs> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const taken = await takeQuote(tpm, key, request)
    const pcrs = await readPcrs(tpm, request.selection)
    if (belongTogether(taken, pcrs)) return { ...taken, pcrs }
  }
  throw new KeepsealError('tpm.command-failed', `PCRs changed during each of ${ATTEMPTS} quotes`)
}

function belongTogether({ attest, signature }: Quote, pcrs: PcrValues): boolean {
  const quoted = parseQuoteAttest(attest)
  return equal(quoted.pcrDigest, pcrDigest(hash, parseSignature(signature).hash, pcrs, quoted.selection))
}
