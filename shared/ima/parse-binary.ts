import { equal } from '../bytes/bytes.ts'
import { ByteRangeError, ByteReader, type ByteOrder } from '../bytes/reader.ts'
import { HASH_SIZE } from '../crypto/crypto.ts'
import { LEGACY_NAME_MAX, MAX_TEMPLATE_NAME } from './constants.ts'
import { latin1 } from './fields.ts'
import { checkCount, checkPcr, checkSize, isZero, knownFields, type ImaListOptions } from './list.ts'
import { malformedEntry } from './malformed.ts'
import { decodeTemplateData, LEGACY_TEMPLATE, legacyFields, legacyTemplateData } from './template.ts'
import type { ImaFields, UnverifiedImaEntry, UnverifiedImaList } from './types.ts'

/**
 * Reads binary_runtime_measurements or a suffix of it that begins with a whole entry. Everything in the result is a
 * claim until `verifyImaSuffix` (./replay.ts) has replayed it. The parts of the result are views on `bytes`.
 * Throws `ima.too-large` beyond 16 MiB or 100,000 entries, `ima.template-unknown` for a template whose fields this
 * software does not know, and `ima.malformed`, with the number of the entry, for all else.
 */
export function parseBinaryImaList(bytes: Uint8Array, options: ImaListOptions = {}): UnverifiedImaList {
  const { first = 0, byteOrder = 'little-endian', templateHash = 'sha1' } = options
  checkSize(bytes.length)
  // A plain view: the parts of a Buffer would be Buffers, whose slice() shares memory where Uint8Array's copies.
  const reader = new ByteReader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), byteOrder)
  const entries: UnverifiedImaEntry[] = []
  const digestSize = HASH_SIZE[templateHash]
  const nameReader = new TemplateNameReader(reader)
  try {
    while (reader.remaining > 0) {
      checkCount(entries.length)
      entries.push(readEntry(reader, nameReader, first + entries.length, byteOrder, digestSize))
    }
  } catch (error) {
    if (error instanceof ByteRangeError) throw malformedEntry(first + entries.length, `it is cut (${error.message})`)
    throw error
  }
  return { first, entries }
}

/** Nearly all entries of a list have the same template: its name is decoded where it changes. */
class TemplateNameReader {
  readonly #reader: ByteReader
  #bytes: Uint8Array = new Uint8Array(0)
  #name = ''

  constructor(reader: ByteReader) {
    this.#reader = reader
  }

  read(sequence: number): string {
    const size = this.#reader.u32()
    if (size > MAX_TEMPLATE_NAME) throw malformedEntry(sequence, `a template name of ${size} bytes`)
    const bytes = this.#reader.bytes(size)
    if (!equal(bytes, this.#bytes)) {
      this.#bytes = bytes
      this.#name = latin1(bytes)
    }
    return this.#name
  }
}

/** As ima_measurements_show of security/integrity/ima/ima_fs.c writes it. */
function readEntry(
  reader: ByteReader,
  nameReader: TemplateNameReader,
  sequence: number,
  order: ByteOrder,
  digestSize: number,
): UnverifiedImaEntry {
  const pcr = checkPcr(reader.u32(), sequence)
  const templateDigest = reader.bytes(digestSize)
  const template = nameReader.read(sequence)
  const violation = isZero(templateDigest)
  if (template === LEGACY_TEMPLATE) {
    const { templateData, fields } = readLegacyFields(reader, sequence)
    return { sequence, pcr, template, templateDigest, violation, templateData, ...fields }
  }
  const templateData = reader.bytes(reader.u32())
  const fields = decodeTemplateData(knownFields(template, sequence), templateData, order, sequence)
  const { digest, path, signature, buffer } = fields
  return { sequence, pcr, template, templateDigest, violation, templateData, digest, path, signature, buffer }
}

/** `ima` has no length of the template data, and lists the name without the padding that is hashed. */
function readLegacyFields(reader: ByteReader, sequence: number): { templateData: Uint8Array; fields: ImaFields } {
  const digest = reader.bytes(HASH_SIZE.sha1)
  const size = reader.u32()
  if (size > LEGACY_NAME_MAX) throw malformedEntry(sequence, `a name of ${size} bytes`)
  const name = reader.bytes(size)
  return { templateData: legacyTemplateData(digest, name, sequence), fields: legacyFields(digest, name) }
}
