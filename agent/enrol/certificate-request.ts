import { createPublicKey, sign, type KeyObject } from 'node:crypto'
import { concat, fromHex } from '../../shared/bytes/bytes.ts'

/** Tags of DER (ITU-T X.690, 8 and 10) that a request consists of. */
const SEQUENCE = 0x30
const BIT_STRING = 0x03
/** [0] IMPLICIT, constructed: the attributes. */
const ATTRIBUTES = 0xa0

/** INTEGER 0: the only version there is. */
const VERSION_1 = fromHex('020100')
/** AlgorithmIdentifier of ecdsa-with-SHA256, without parameters (RFC 5758 section 3.2). */
const ECDSA_WITH_SHA256 = fromHex('300a06082a8648ce3d040302')

function element(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = concat(...content)
  const { length } = body
  if (length < 0x80) return concat(Uint8Array.of(tag, length), body)
  const octets = length < 0x100 ? [length] : [length >> 8, length & 0xff]
  return concat(Uint8Array.of(tag, 0x80 | octets.length, ...octets), body)
}

/**
 * A PKCS #10 request (RFC 2986 section 4), DER, for a P-256 private key. It proves that we hold the key and says
 * nothing else: subject and attributes are empty, for the collector decides what the certificate says.
 */
export function certificateRequest(privateKey: KeyObject): Uint8Array {
  const publicKeyInfo = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const info = element(SEQUENCE, VERSION_1, element(SEQUENCE), publicKeyInfo, element(ATTRIBUTES))
  const unusedBits = Uint8Array.of(0)
  const signature = element(BIT_STRING, unusedBits, sign('sha256', info, privateKey))
  return element(SEQUENCE, info, ECDSA_WITH_SHA256, signature)
}
