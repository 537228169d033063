import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import type { CborMap } from '../cbor/value.ts'
import type { HashFunction } from '../crypto/crypto.ts'

/** A public key as COSE_Key (RFC 9052 section 7). Coordinates are 32 bytes, big-endian for P-256. */
export type CoseKey =
  | { readonly curve: 'Ed25519'; readonly x: Uint8Array }
  | { readonly curve: 'P-256'; readonly x: Uint8Array; readonly y: Uint8Array }

// Labels: RFC 9052 table 4 and RFC 9053 tables 18 and 19. Values: RFC 9053 tables 17 and 22.
const KTY = 1
const CRV = -1
const X = -2
const Y = -3
const OKP = 1
const EC2 = 2
const CRV_P256 = 1
const CRV_ED25519 = 6

const SIZE = { length: 32 }
const LIMITS = { maxBytes: 256, maxDepth: 1, maxItems: 16 }

function toMap(key: CoseKey): CborMap {
  const common: [number, number | Uint8Array][] =
    key.curve === 'Ed25519'
      ? [
          [KTY, OKP],
          [CRV, CRV_ED25519],
        ]
      : [
          [KTY, EC2],
          [CRV, CRV_P256],
          [Y, key.y],
        ]
  return new Map([...common, [X, key.x]])
}

/** The deterministic encoding of the required members and nothing else: what RFC 9679 section 3 hashes. */
export function encodeCoseKey(key: CoseKey): Uint8Array {
  return encodeCbor(toMap(key))
}

/**
 * Reads what `encodeCoseKey` writes: the required members alone, and y as bytes. Whether the point is on its curve
 * is found out by the import into a crypto library.
 * Throws OutcomeError `cose.key-malformed`, or `cbor.*` if it is not even deterministic CBOR.
 */
export function decodeCoseKey(bytes: Uint8Array): CoseKey {
  const key = field(decodeCbor(bytes, LIMITS), 'cose.key-malformed', 'COSE_Key')
  const kty = key.at(KTY, 'kty').integer()
  const crv = key.at(CRV, 'crv').integer()
  if (kty === OKP && crv === CRV_ED25519) {
    key.requireOnly([KTY, CRV, X])
    return { curve: 'Ed25519', x: key.at(X, 'x').bytes(SIZE) }
  }
  if (kty === EC2 && crv === CRV_P256) {
    key.requireOnly([KTY, CRV, X, Y])
    return { curve: 'P-256', x: key.at(X, 'x').bytes(SIZE), y: key.at(Y, 'y').bytes(SIZE) }
  }
  return key.refuse(`key type ${kty} with curve ${crv} is not used`)
}

/** COSE Key Thumbprint with SHA-256 (RFC 9679 section 3), 32 bytes: the `kid` of everything the key signs. */
export function coseKeyThumbprint(key: CoseKey, hash: HashFunction): Uint8Array {
  return new Uint8Array(hash('sha256', encodeCoseKey(key)))
}
