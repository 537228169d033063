import type { ByteOrder } from '../bytes/reader.ts'
import { HASH_SIZE, type HashAlgorithm } from '../crypto/crypto.ts'
import { bytesOf, hexBytes, latin1 } from './fields.ts'
import { checkCount, checkPcr, checkSize, isZero, knownFields, type ImaListOptions } from './list.ts'
import { malformedEntry } from './malformed.ts'
import {
  decodeTemplateData,
  encodeTemplateData,
  LEGACY_TEMPLATE,
  legacyFields,
  legacyTemplateData,
} from './template.ts'
import type { UnverifiedImaEntry, UnverifiedImaList } from './types.ts'

const NEWLINE = 0x0a

/** PCR, template digest, template name, fields: ima_ascii_measurements_show of security/integrity/ima/ima_fs.c. */
const LINE = /^ ?(?<pcr>[0-9]{1,2}) (?<digest>[0-9a-f]+) (?<template>[^ ]+) (?<fields>.*)$/s

/**
 * Reads ascii_runtime_measurements, whose texts are encoded into the template data that was hashed. A file name with a
 * line break in it splits its line: such a list is malformed or does not replay, and the binary one has to be read.
 * `byteOrder`: of the kernel that wrote the list, which the text does not show. `templateHash` is not needed: the
 * length of the digests tells. Throws as `parseBinaryImaList` does.
 */
export function parseAsciiImaList(bytes: Uint8Array, options: ImaListOptions = {}): UnverifiedImaList {
  const { first = 0, byteOrder = 'little-endian' } = options
  checkSize(bytes.length)
  const entries: UnverifiedImaEntry[] = []
  let digestSize: number | undefined = options.templateHash === undefined ? undefined : HASH_SIZE[options.templateHash]
  for (let start = 0; start < bytes.length;) {
    checkCount(entries.length)
    const sequence = first + entries.length
    const end = bytes.indexOf(NEWLINE, start)
    if (end < 0) throw malformedEntry(sequence, 'it is cut: the line has no end')
    const entry = readLine(latin1(bytes.subarray(start, end)), sequence, byteOrder)
    digestSize ??= sizeOfHash(entry.templateDigest.length)
    if (entry.templateDigest.length !== digestSize)
      throw malformedEntry(sequence, 'the template digest has another size')
    entries.push(entry)
    start = end + 1
  }
  return { first, entries }
}

const sizeOfHash = (size: number): number | undefined =>
  (Object.keys(HASH_SIZE) as HashAlgorithm[]).map((name) => HASH_SIZE[name]).find((known) => known === size)

function readLine(line: string, sequence: number, order: ByteOrder): UnverifiedImaEntry {
  const { pcr: index, digest, template, fields: text } = LINE.exec(line)?.groups ?? {}
  const templateDigest = hexBytes(digest ?? '')
  if (template === undefined || text === undefined || templateDigest === undefined) {
    throw malformedEntry(sequence, 'the line is not as the kernel prints it')
  }
  const pcr = checkPcr(Number(index), sequence)
  const violation = isZero(templateDigest)
  if (template === LEGACY_TEMPLATE) {
    const [value = '', name] = splitFields(text, 2)
    const measured = hexBytes(value)
    if (measured === undefined || name === undefined) throw malformedEntry(sequence, 'digest or name is missing')
    const nameBytes = bytesOf(name)
    const templateData = legacyTemplateData(measured, nameBytes, sequence)
    const fields = legacyFields(measured, nameBytes)
    return { sequence, pcr, template, templateDigest, violation, templateData, ...fields }
  }
  const ids = knownFields(template, sequence)
  // Names of old kernels hold spaces. Where the name is the last field, the rest of the line is the name.
  const texts = ids.at(-1) === 'n-ng' ? splitFields(text, ids.length) : text.split(' ')
  if (texts.length !== ids.length) throw malformedEntry(sequence, `${texts.length} fields in a line of ${template}`)
  const templateData = encodeTemplateData(ids, texts, order, sequence)
  const fields = decodeTemplateData(ids, templateData, order, sequence)
  return { sequence, pcr, template, templateDigest, violation, templateData, ...fields }
}

/** At most `count` fields, the last of which may hold spaces. */
function splitFields(text: string, count: number): string[] {
  const parts = text.split(' ')
  return parts.length <= count ? parts : [...parts.slice(0, count - 1), parts.slice(count - 1).join(' ')]
}
