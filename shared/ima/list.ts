import type { ByteOrder } from '../bytes/reader.ts'
import type { HashAlgorithm } from '../crypto/crypto.ts'
import { OutcomeError } from '../errors.ts'
import { PCR_COUNT } from '../eventlog/constants.ts'
import { MAX_ENTRIES, MAX_LIST_SIZE } from './constants.ts'
import type { FieldId } from './fields.ts'
import { malformedEntry } from './malformed.ts'
import { fieldsOfTemplate } from './template.ts'

/** What lists of both formats have in common. */

export interface ImaListOptions {
  /** Position of the first entry in the whole list, where the bytes are a suffix of it; 0 where absent. */
  readonly first?: number
  /** The kernel's own order, little where absent; big-endian machines with ima_canonical_fmt write little too. */
  readonly byteOrder?: ByteOrder
  /** The hash of the listed template digests: SHA-1 in all files but binary_runtime_measurements_{hash}. */
  readonly templateHash?: HashAlgorithm
}

export function checkSize(size: number): void {
  if (size > MAX_LIST_SIZE) throw new OutcomeError('ima.too-large', `${size} bytes`)
}

export function checkCount(entries: number): void {
  if (entries >= MAX_ENTRIES) throw new OutcomeError('ima.too-large', `more than ${MAX_ENTRIES} entries`)
}

export function checkPcr(pcr: number, sequence: number): number {
  if (pcr >= PCR_COUNT) throw malformedEntry(sequence, `PCR index ${pcr}`)
  return pcr
}

/** Throws `ima.template-unknown`: what cannot be read must not be judged. */
export function knownFields(template: string, sequence: number): readonly FieldId[] {
  const fields = fieldsOfTemplate(template)
  if (fields === undefined) throw new OutcomeError('ima.template-unknown', `entry ${sequence}: ${template}`)
  return fields
}

export function isZero(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0) return false
  return true
}
