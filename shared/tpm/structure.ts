import { ByteRangeError, ByteReader } from '../bytes/reader.ts'
import type { HashAlgorithm } from '../crypto/crypto.ts'
import { OutcomeError } from '../errors.ts'
import { hashOf } from './constants.ts'

/**
 * Reads one structure that fills the whole of `bytes`. What ends early or goes on too long is `tpm.malformed`.
 */
export function readWhole<T>(bytes: Uint8Array, read: (reader: ByteReader) => T): T {
  try {
    const reader = new ByteReader(bytes)
    const value = read(reader)
    reader.end()
    return value
  } catch (error) {
    if (error instanceof ByteRangeError) throw malformed(error.message)
    throw error
  }
}

export function malformed(detail: string): OutcomeError {
  return new OutcomeError('tpm.malformed', detail)
}

/** Not damage: a structure that is valid TPM 2.0 and uses an algorithm outside of what is allowed here. */
export function refused(what: string, id: number): OutcomeError {
  return new OutcomeError('tpm.algorithm-refused', `${what} 0x${id.toString(16).padStart(4, '0')}`)
}

/** TPMI_ALG_HASH, Part 2 section 9.27. */
export function readHash(reader: ByteReader): HashAlgorithm {
  const id = reader.u16()
  const hash = hashOf(id)
  if (hash === undefined) throw refused('hash', id)
  return hash
}
