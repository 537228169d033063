import { encodeCbor } from '../cbor/codec.ts'
import type { HashFunction } from '../crypto/crypto.ts'
import type { PostureMap } from './claims.ts'

/** SHA-256 of the encoded map {section id -> digest}: equal postures have one digest across a fleet. */
export function postureDigestOf(posture: PostureMap, hash: HashFunction): Uint8Array {
  return new Uint8Array(hash('sha256', encodeCbor(posture)))
}
