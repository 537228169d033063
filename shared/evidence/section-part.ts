import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { parseSign1, signSign1, verifySign1, type Signer, type UnverifiedSign1 } from '../cose/sign1.ts'
import { KeepsealError } from '../errors.ts'
import type { DeviceKey } from './evidence.ts'
import type { Ueid } from './identifiers.ts'
import { contentType, messageAad } from './roles.ts'

/** 0: as it is; 1: raw DEFLATE (RFC 1951) of the whole content, cut into parts afterwards. */
export type SectionEncoding = 0 | 1

/** One part of a content that evidence names by its digest. */
export interface SectionPart {
  /** SHA-256 of the whole content, not encoded. */
  readonly digest: Uint8Array
  /** Bytes of the whole content, not encoded. */
  readonly size: number
  readonly encoding: SectionEncoding
  readonly index: number
  readonly count: number
  readonly part: Uint8Array
}

/** Leaves room for headers and signature below the 64 KiB of a message. */
export const MAX_PART_BYTES = 60_000
export const MAX_CONTENT_BYTES = 8 * 1024 * 1024
const MAX_PARTS = Math.ceil(MAX_CONTENT_BYTES / MAX_PART_BYTES)

export function signSectionPart(ueid: Ueid, part: SectionPart, signer: Signer): Promise<Uint8Array> {
  return signSign1({
    payload: encodeCbor([part.digest, part.size, part.encoding, part.index, part.count, part.part]),
    contentType: contentType('section'),
    externalAad: messageAad('section', ueid),
    signer,
  })
}

/** Throws OutcomeError `cbor.*` or `cose.*`. Nothing in it is known to be the device's. */
export const parseSectionMessage = (bytes: Uint8Array): UnverifiedSign1 => parseSign1(bytes)

/** The part that `device` signed. Throws OutcomeError `cose.*`, `section.malformed`, `section.too-large`. */
export function authenticateSectionPart(message: UnverifiedSign1, ueid: Ueid, device: DeviceKey): SectionPart {
  const { payload } = verifySign1(message, {
    key: device.key,
    keyId: device.thumbprint,
    externalAad: messageAad('section', ueid),
    contentType: contentType('section'),
  })
  const [digest, size, encoding, index, count, part] = field(decodeCbor(payload), 'section.malformed', 'section').tuple(
    'digest',
    'size',
    'encoding',
    'index',
    'count',
    'part',
  )
  const parts = count.uint({ min: 1, max: MAX_PARTS })
  return {
    digest: digest.bytes({ length: 32 }),
    size: size.uint({ max: MAX_CONTENT_BYTES }),
    encoding: encoding.uint({ max: 1 }) === 0 ? 0 : 1,
    index: index.uint({ max: parts - 1 }),
    count: parts,
    part: part.bytes({ min: 1, max: MAX_PART_BYTES }),
  }
}

/**
 * Cuts an encoded content into parts. `encoded` is what travels, `size` and `digest` are of the content itself.
 * Throws KeepsealError `internal.failure` where no collector would take the parts: for nothing, and for too much.
 */
export function partsOf(content: { digest: Uint8Array; size: number }, encoding: SectionEncoding, encoded: Uint8Array) {
  const count = Math.ceil(encoded.length / MAX_PART_BYTES)
  if (count === 0 || count > MAX_PARTS || content.size > MAX_CONTENT_BYTES) {
    throw new KeepsealError('internal.failure', `a content of ${content.size} bytes cannot be sent`)
  }
  return Array.from({ length: count }, (_, index): SectionPart => {
    const part = encoded.subarray(index * MAX_PART_BYTES, (index + 1) * MAX_PART_BYTES)
    return { digest: content.digest, size: content.size, encoding, index, count, part }
  })
}
