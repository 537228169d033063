import { toHex } from '../bytes/bytes.ts'
import { HASH_SIZE, type HashAlgorithm, type HashFunction } from '../crypto/crypto.ts'
import type { ImaDigest, PaddingMode, UnverifiedImaEntry } from './types.ts'

/**
 * What the kernel extends a bank with for an entry. It is computed from the template data; the digest in the list only
 * tells whether the entry is a violation, for which ones are extended, as long as a digest of the mode.
 * (ima_calc_field_array_hash, ima_init_digests and ima_add_template_entry of security/integrity/ima.)
 */
export function extendedDigest(
  entry: Pick<UnverifiedImaEntry, 'violation' | 'templateData'>,
  bank: HashAlgorithm,
  mode: PaddingMode,
  hash: HashFunction,
): Uint8Array {
  const algorithm = mode === 'per-bank' ? bank : 'sha1'
  const digest = entry.violation ? ones(algorithm) : hash(algorithm, entry.templateData)
  if (digest.length === HASH_SIZE[bank]) return digest
  const padded = new Uint8Array(HASH_SIZE[bank])
  padded.set(digest)
  return padded
}

const ones = (algorithm: HashAlgorithm): Uint8Array => new Uint8Array(HASH_SIZE[algorithm]).fill(0xff)

/** `sha256:{hex}`, or `verity:sha256:{hex}`: two digests have the same text only if they are the same. */
export function digestText({ kind, algorithm, value }: ImaDigest): string {
  return `${kind === 'verity' ? 'verity:' : ''}${algorithm}:${toHex(value)}`
}
