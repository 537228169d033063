import { KeepsealError } from '../../shared/errors.ts'
import type { TssLibraries } from './library.ts'

/** Response codes that are acted on, without their handle, parameter or session number (TPM 2.0 Part 2, 6.6). */
export const RESPONSE = {
  /** TPM_RC_HANDLE: no such object or NV index. */
  handle: 0x08b,
  /** TPM_RC_BAD_AUTH: wrong authorization of something without dictionary-attack protection, a hierarchy for one. */
  badAuthorization: 0x0a2,
  /** TPM_RC_NV_UNINITIALIZED: the index is defined but was never written. */
  nvUninitialized: 0x14a,
  /** TPM_RC_NV_AUTHORIZATION: the index cannot be read this way. */
  nvAuthorization: 0x149,
  /** TPM_RC_AUTH_FAIL: wrong authorization of something with dictionary-attack protection, which has counted it. */
  authorizationFailed: 0x08e,
  /** TPM_RC_AUTH_UNAVAILABLE: a password is no authorization for this. */
  authorizationUnavailable: 0x12f,
} as const

/** Layer numbers of tpm2-tss (TSS 2.0 Overview and Common Structures, "Return Codes"). */
const LAYER = { tpm: 0, esys: 7, tcti: 10, resourceManagerTpm: 11, resourceManager: 12 } as const

/** Base codes that the software layers share (same document, TSS2_BASE_RC_*). */
const BASE_BAD_SEQUENCE = 0x07
const BASE_IO_ERROR = 0x0a

/** A TPM, or tpm2-tss on its behalf, answered a command with something else than success. */
export class TpmCommandError extends KeepsealError {
  /** Name of the ESAPI function. */
  readonly command: string
  /** The whole TSS2_RC: layer in bits 16 to 23, the layer's own code below. */
  readonly rc: number
  /** Command, explanation and code in one line, for the message of an error that follows from this one. */
  readonly answer: string

  constructor(command: string, rc: number, explanation: string) {
    const answer = `${command}: ${explanation} (0x${rc.toString(16)})`
    super('tpm.command-failed', answer)
    this.name = 'TpmCommandError'
    this.answer = answer
    this.command = command
    this.rc = rc
  }

  /**
   * The TPM's own code without the number of the handle, parameter or session that it is about; undefined when it
   * was not the TPM that answered.
   */
  get response(): number | undefined {
    const layer = layerOf(this.rc)
    if (layer !== LAYER.tpm && layer !== LAYER.resourceManagerTpm) return undefined
    const code = this.rc & 0xffff
    // Format one (bit 7) keeps the error in bits 0 to 5 and the number of what is at fault above (Part 2, 6.6.3).
    return (code & 0x080) === 0 ? code & 0xfff : code & 0x0bf
  }

  /** The way to the TPM is lost: the context cannot be used any further (see Tpm). */
  get connectionLost(): boolean {
    const layer = layerOf(this.rc)
    const base = this.rc & 0xffff
    if (layer === LAYER.esys) return base === BASE_BAD_SEQUENCE || base === BASE_IO_ERROR
    return layer === LAYER.tcti
  }
}

const layerOf = (rc: number): number => (rc >>> 16) & 0xff

export function commandError(libraries: TssLibraries, command: string, rc: number): TpmCommandError {
  // The text is in a buffer that the library shares between calls: this runs on the event loop's thread alone.
  const explanation = libraries.find('rc', 'Tss2_RC_Decode', 'str', ['uint32_t'])(rc)
  return new TpmCommandError(command, rc, String(explanation))
}

/** Runs `use`, and turns the refusal of an absent or wrong endorsement password into `tpm.hierarchy-locked`. */
export async function withEndorsementAuthorization<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (error) {
    if (error instanceof TpmCommandError && error.response === RESPONSE.badAuthorization) {
      throw new KeepsealError('tpm.hierarchy-locked', error.answer, { cause: error })
    }
    throw error
  }
}
