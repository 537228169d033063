import { ByteReader } from '../../../shared/bytes/reader.ts'

/** RFC 9580 section 5: packet type ids. */
const SIGNATURE = 2
const PUBLIC_SUBKEY = 14
const USER_ID = 13
const USER_ATTRIBUTE = 17
/** RFC 9580 section 5.2.1: certifications of a user id by the key itself or others; a signature directly on a key. */
const CERTIFICATIONS: ReadonlySet<number> = new Set([0x10, 0x11, 0x12, 0x13])
const DIRECT_KEY = 0x1f
/** RFC 9580 section 5.2.3.7: subpacket type ids. */
const CREATION_TIME = 2
const KEY_EXPIRATION = 9
const ISSUER_KEY_ID = 16
const ISSUER_FINGERPRINT = 33

interface SelfSignature {
  readonly created: number
  /** Seconds after the creation of the key; 0: never. */
  readonly lifetime: number
}

/**
 * Follows the packets behind one primary key and tells when it expires, as GnuPG does: what is signed directly on the
 * key counts, else the newest self-signature with an expiration, one per user id. The signatures are not verified: a
 * keyring is trusted for its keys, and whoever can write it can put other keys in.
 */
export class KeyExpiry {
  readonly #created: number
  readonly #fingerprint: string
  #direct: SelfSignature | undefined
  readonly #ofUserIds: SelfSignature[] = []
  /** What the next signatures are about. */
  #subject: 'key' | 'user-id' | 'subkey' = 'key'
  #latest: SelfSignature | undefined

  constructor(created: number, fingerprint: string) {
    this.#created = created
    this.#fingerprint = fingerprint
  }

  /** Throws ByteRangeError for a signature that is cut off. */
  packet(type: number, body: Uint8Array): void {
    if (type === SIGNATURE) this.#signature(body)
    else if (type === USER_ID || type === USER_ATTRIBUTE) {
      this.#closeUserId()
      this.#subject = 'user-id'
    } else if (type === PUBLIC_SUBKEY) this.#subject = 'subkey'
  }

  /** Seconds since 1970; undefined: never. */
  expires(): number | undefined {
    this.#closeUserId()
    if (this.#direct !== undefined && this.#direct.lifetime > 0) return this.#created + this.#direct.lifetime
    const limited = this.#ofUserIds.filter(({ lifetime }) => lifetime > 0).sort((a, b) => b.created - a.created)
    return limited[0] === undefined ? undefined : this.#created + limited[0].lifetime
  }

  #closeUserId(): void {
    if (this.#latest !== undefined) this.#ofUserIds.push(this.#latest)
    this.#latest = undefined
  }

  #signature(body: Uint8Array): void {
    if (this.#subject === 'subkey') return
    const signature = selfSignature(body, this.#fingerprint)
    if (signature === undefined) return
    if (signature.type === DIRECT_KEY) this.#direct = later(this.#direct, signature)
    else if (CERTIFICATIONS.has(signature.type)) this.#latest = later(this.#latest, signature)
  }
}

/** The later of two; of equally old ones the one that stands last. */
const later = (one: SelfSignature | undefined, other: SelfSignature): SelfSignature =>
  one !== undefined && one.created > other.created ? one : other

/** RFC 9580 section 5.2.3: undefined for a signature by somebody else, or of a version without subpackets. */
function selfSignature(body: Uint8Array, fingerprint: string): (SelfSignature & { type: number }) | undefined {
  const reader = new ByteReader(body)
  const version = reader.u8()
  if (version !== 4 && version !== 6) return undefined
  const type = reader.u8()
  reader.bytes(2)
  let created = 0
  let lifetime = 0
  let isOwn = false
  const readSubpackets = (isHashed: boolean): void => {
    const area = new ByteReader(reader.bytes(version === 4 ? reader.u16() : reader.u32()))
    while (area.remaining > 0) {
      const subpacket = new ByteReader(area.bytes(subpacketLength(area)))
      const id = subpacket.u8() & 0x7f
      // The issuer may stand unhashed (section 5.2.3.12); the times count only where they are signed.
      if (id === ISSUER_KEY_ID && version === 4) isOwn ||= keyId(fingerprint) === hex(subpacket)
      else if (id === ISSUER_FINGERPRINT) isOwn ||= hex(subpacket).slice(2) === fingerprint
      else if (isHashed && id === CREATION_TIME) created = subpacket.u32()
      else if (isHashed && id === KEY_EXPIRATION) lifetime = subpacket.u32()
    }
  }
  readSubpackets(true)
  readSubpackets(false)
  return isOwn ? { type, created, lifetime } : undefined
}

/** RFC 9580 section 5.2.3.7. */
function subpacketLength(reader: ByteReader): number {
  const first = reader.u8()
  if (first < 192) return first
  return first < 255 ? ((first - 192) << 8) + reader.u8() + 192 : reader.u32()
}

const hex = (reader: ByteReader): string => Buffer.from(reader.bytes(reader.remaining)).toString('hex').toUpperCase()
/** RFC 9580 section 5.5.4.2: the low 64 bits of a version 4 fingerprint. */
const keyId = (fingerprint: string): string => fingerprint.slice(-16)
