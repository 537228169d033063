import { toHex } from '../bytes/bytes.ts'

/** The y coordinates, little-endian, of the eight points whose order divides the cofactor. */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
])

/**
 * Whether 32 bytes may be an Ed25519 public key: y below 2^255 - 19 (RFC 8032 section 5.1.3) and not one of the
 * points of small order, under which one signature fits many messages. OpenSSL takes both kinds, @noble neither.
 */
export function isAcceptableEd25519Key(x: Uint8Array): boolean {
  if (x.length !== 32) return false
  const y = Uint8Array.from(x)
  y[31] = (y[31] as number) & 0x7f
  const isCanonical = (y[0] as number) < 0xed || y[31] !== 0x7f || y.subarray(1, 31).some((byte) => byte !== 0xff)
  return isCanonical && !SMALL_ORDER.has(toHex(y))
}
