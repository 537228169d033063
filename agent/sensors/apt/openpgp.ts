import { createHash } from 'node:crypto'
import { ByteRangeError, ByteReader } from '../../../shared/bytes/reader.ts'
import type { SigningKey } from '../../../shared/posture/sections/update-channel.ts'
import { unarmour } from './armour.ts'
import { KeyExpiry } from './openpgp-expiry.ts'

/** RFC 9580 section 5: packet type ids. */
const PUBLIC_KEY = 6
const MAX_KEYS = 256

/**
 * The primary keys in a keyring file, binary or armoured, with the time when they expire.
 * Returns undefined if the file is not wholly made of OpenPGP packets or holds a key of a version that has no
 * fingerprint known here: a key that is trusted must not be left out silently.
 */
export function readKeys(file: Uint8Array): SigningKey[] | undefined {
  const isBinary = ((file[0] ?? 0) & 0x80) !== 0
  const blocks = isBinary ? [file] : unarmour(Buffer.from(file).toString('latin1'))
  if (blocks === undefined) return undefined
  try {
    const keys = blocks.flatMap((block) => primaryKeys(block))
    return keys.length > MAX_KEYS ? undefined : keys
  } catch (error) {
    if (error instanceof ByteRangeError) return undefined
    throw error
  }
}

function primaryKeys(bytes: Uint8Array): SigningKey[] {
  const reader = new ByteReader(bytes)
  const found: { key: string; expiry: KeyExpiry }[] = []
  while (reader.remaining > 0) {
    const { type, length } = packetHeader(reader)
    const body = reader.bytes(length)
    if (type === PUBLIC_KEY) {
      const key = fingerprint(body)
      // RFC 9580 section 5.5.2: four octets of creation time behind the version.
      found.push({ key, expiry: new KeyExpiry(new ByteReader(body.subarray(1)).u32(), key) })
    } else found.at(-1)?.expiry.packet(type, body)
  }
  return found.map(({ key, expiry }) => {
    const expires = expiry.expires()
    return { fingerprint: key, ...(expires === undefined ? {} : { expires }) }
  })
}

/** RFC 9580 section 4.2. Partial and indeterminate lengths are for data, a key never has them. */
function packetHeader(reader: ByteReader): { type: number; length: number } {
  const at = reader.offset
  const head = reader.u8()
  if ((head & 0x80) === 0) throw new ByteRangeError('no OpenPGP packet', at)
  if ((head & 0x40) === 0) {
    const type = (head >> 2) & 0x0f
    switch (head & 3) {
      case 0:
        return { type, length: reader.u8() }
      case 1:
        return { type, length: reader.u16() }
      case 2:
        return { type, length: reader.u32() }
      default:
        throw new ByteRangeError('packet of indeterminate length', at)
    }
  }
  const type = head & 0x3f
  const first = reader.u8()
  if (first < 192) return { type, length: first }
  if (first < 224) return { type, length: ((first - 192) << 8) + reader.u8() + 192 }
  if (first === 255) return { type, length: reader.u32() }
  throw new ByteRangeError('packet of partial length', at)
}

/** RFC 9580 section 5.5.4: SHA-1 over 0x99 and a 16-bit length for version 4, SHA-256 over 0x9B and 32 bits for 6. */
function fingerprint(body: Uint8Array): string {
  const version = body[0]
  if (version === 4 && body.length <= 0xffff) return digest('sha1', [0x99, body.length >> 8, body.length & 0xff], body)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  if (version === 6) return digest('sha256', [0x9b, ...length], body)
  throw new ByteRangeError('key of an unknown version', 0)
}

const digest = (algorithm: string, prefix: readonly number[], body: Uint8Array): string =>
  createHash(algorithm).update(Uint8Array.from(prefix)).update(body).digest('hex').toUpperCase()
