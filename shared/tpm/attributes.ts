import { malformed } from './structure.ts'

/** TPMA_OBJECT, Part 2 section 8.3: bit numbers by the standard's names. */
const BITS = {
  fixedTPM: 1,
  stClear: 2,
  fixedParent: 4,
  sensitiveDataOrigin: 5,
  userWithAuth: 6,
  adminWithPolicy: 7,
  firmwareLimited: 8,
  svnLimited: 9,
  noDA: 10,
  encryptedDuplication: 11,
  restricted: 16,
  decrypt: 17,
  sign: 18,
  x509sign: 19,
} as const

export type ObjectAttribute = keyof typeof BITS
export type ObjectAttributes = ReadonlySet<ObjectAttribute>

const entries = Object.entries(BITS) as [ObjectAttribute, number][]

/** Throws `tpm.malformed` when a reserved bit is set: its meaning would be unknown. */
export function attributesOf(value: number): ObjectAttributes {
  const attributes = new Set(entries.filter(([, bit]) => (value & (1 << bit)) !== 0).map(([name]) => name))
  if (attributesValue(attributes) !== value) throw malformed(`object attributes 0x${value.toString(16)}`)
  return attributes
}

export function attributesValue(attributes: ObjectAttributes): number {
  let value = 0
  for (const name of attributes) value |= 1 << BITS[name]
  return value >>> 0
}
