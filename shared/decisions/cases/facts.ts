import { toHex } from '../../bytes/bytes.ts'
import { encodeCbor } from '../../cbor/codec.ts'
import type { HashFunction } from '../../crypto/crypto.ts'
import { jsonToCbor, type Json } from '../json-cbor.ts'

/** SHA-256 over the deterministic encoding of a case's facts, in hexadecimal: what decisions about it name. */
export const factsDigest = (facts: Json, hash: HashFunction): string =>
  toHex(hash('sha256', encodeCbor(jsonToCbor(facts))))
