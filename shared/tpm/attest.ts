import type { ByteReader } from '../bytes/reader.ts'
import { OutcomeError } from '../errors.ts'
import { TPM_GENERATED_VALUE, TPM_ST_ATTEST_QUOTE } from './constants.ts'
import { readPcrSelection, type PcrSelection } from './pcr-selection.ts'
import { malformed, readWhole } from './structure.ts'

/** TPMS_CLOCK_INFO, Part 2 section 10.11.1. */
export interface ClockInfo {
  /** Milliseconds that the TPM was powered since it was last cleared. */
  readonly clock: bigint
  /** TPM resets (reboots) since the TPM was last cleared. */
  readonly resetCount: number
  /** TPM restarts or resumes (sleep) since the last reset. */
  readonly restartCount: number
  /** False where a higher clock value may have been reported before an unorderly power-off. */
  readonly safe: boolean
}

/**
 * TPMS_ATTEST of a quote (Part 2 sections 10.12.12 and 10.12.4), as it reads. Nothing in it may be believed before
 * its signature was verified: see ./quote.ts.
 */
export interface QuoteAttest {
  readonly qualifiedSigner: Uint8Array
  readonly extraData: Uint8Array
  readonly clockInfo: ClockInfo
  readonly firmwareVersion: bigint
  readonly selection: PcrSelection
  readonly pcrDigest: Uint8Array
}

/** The largest TPMU_HA with its algorithm in front: the bound of TPM2B_NAME and TPM2B_DATA. */
const MAX_HA = 2 + 64
const MAX_DIGEST = 64

function bounded(reader: ByteReader, maximum: number, what: string): Uint8Array {
  const bytes = reader.sized16()
  if (bytes.length > maximum) throw malformed(`${what} of ${bytes.length} bytes`)
  return bytes
}

function readClockInfo(reader: ByteReader): ClockInfo {
  const clock = reader.u64()
  const resetCount = reader.u32()
  const restartCount = reader.u32()
  const safe = reader.u8()
  if (safe > 1) throw malformed(`safe = ${safe}`)
  return { clock, resetCount, restartCount, safe: safe === 1 }
}

function readQuoteAttest(reader: ByteReader): QuoteAttest {
  const magic = reader.u32()
  if (magic !== TPM_GENERATED_VALUE) throw new OutcomeError('quote.magic', `0x${magic.toString(16)}`)
  const type = reader.u16()
  if (type !== TPM_ST_ATTEST_QUOTE) throw new OutcomeError('quote.type', `0x${type.toString(16)}`)
  return {
    qualifiedSigner: bounded(reader, MAX_HA, 'qualified name'),
    extraData: bounded(reader, MAX_HA, 'qualifying data'),
    clockInfo: readClockInfo(reader),
    firmwareVersion: reader.u64(),
    selection: readPcrSelection(reader),
    pcrDigest: bounded(reader, MAX_DIGEST, 'PCR digest'),
  }
}

/**
 * Parses a whole TPMS_ATTEST (the content of a TPM2B_ATTEST, without its size).
 * Throws `quote.magic`, `quote.type`, `tpm.malformed`, or `tpm.algorithm-refused` for an unknown PCR bank.
 */
export function parseQuoteAttest(bytes: Uint8Array): QuoteAttest {
  return readWhole(bytes, readQuoteAttest)
}
