import * as v from 'valibot'
import { HASH_SIZE, type HashAlgorithm } from '../../crypto/crypto.ts'
import { MAX_EVENTS, PCR_COUNT } from '../constants.ts'
import type { BootReference } from './types.ts'

const hex = v.pipe(v.string(), v.regex(/^([0-9a-f]{2})+$/), v.maxLength(128))
const uint = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max))

const rule = v.strictObject({
  part: v.picklist([
    'firmware',
    'option-rom',
    'configuration',
    'secure-boot',
    'boot-loader',
    'kernel',
    'initial-ram-disk',
    'command-line',
    'other',
  ]),
  name: v.pipe(v.string(), v.maxLength(256)),
  isContainer: v.boolean(),
  type: uint(0xffffffff),
  isDataHashed: v.boolean(),
  digests: v.nullable(v.pipe(v.array(hex), v.minLength(1), v.maxLength(MAX_EVENTS))),
  isOptional: v.boolean(),
  description: v.pipe(v.string(), v.maxLength(1024)),
})

/** A reference in its written form. */
export const WrittenBootReference = v.strictObject({
  version: v.literal(1),
  bank: v.picklist(Object.keys(HASH_SIZE) as [HashAlgorithm, ...HashAlgorithm[]]),
  startupLocality: uint(255),
  pcrs: v.pipe(
    v.array(
      v.strictObject({
        pcr: uint(PCR_COUNT - 1),
        isUnordered: v.boolean(),
        rules: v.pipe(v.array(rule), v.maxLength(MAX_EVENTS)),
      }),
    ),
    v.maxLength(PCR_COUNT),
  ),
})

/** JSON text; equal for equal references, so that its digest names them. */
export function encodeBootReference({ bank, startupLocality, pcrs }: BootReference): string {
  return JSON.stringify({
    version: 1,
    bank,
    startupLocality,
    pcrs: pcrs.map(({ pcr, isUnordered, rules }) => ({
      pcr,
      isUnordered,
      rules: rules.map(({ part, name, isContainer, type, isDataHashed, digests, isOptional, description }) => ({
        part,
        name,
        isContainer,
        type,
        isDataHashed,
        digests,
        isOptional,
        description,
      })),
    })),
  })
}

/** Undefined for a text that is no such reference. */
export function decodeBootReference(text: string): BootReference | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undefined
  }
  const { success, output } = v.safeParse(WrittenBootReference, json)
  return success ? { bank: output.bank, startupLocality: output.startupLocality, pcrs: output.pcrs } : undefined
}
