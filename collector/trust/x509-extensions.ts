import { contextTag, DerError, DerReader, elements, TAG, wholeElement, type DerElement } from './der.ts'
import { booleanOf, namedBitsOf, objectIdentifierOf, printableTextOf, smallIntegerOf } from './der-values.ts'
import type { X509 } from './x509.ts'

/** Extensions by their object identifiers (RFC 5280 section 4.2.1), and what they say. */
export const EXTENSION = {
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  certificatePolicies: '2.5.29.32',
  extendedKeyUsage: '2.5.29.37',
} as const

/** Bit numbers of KeyUsage, section 4.2.1.3. */
export const KEY_USAGE = { digitalSignature: 0, keyEncipherment: 2, keyAgreement: 4, keyCertSign: 5 } as const

/** tcg-kp-EKCertificate, TCG EK Credential Profile section 3.2.16. */
export const EK_CERTIFICATE_PURPOSE = '2.23.133.8.1'

export interface BasicConstraints {
  readonly ca: boolean
  /** Most intermediates that may follow; null: any number. */
  readonly pathLength: number | null
}

/** Section 4.2.1.9. Undefined without the extension, which means: no CA. */
export function basicConstraintsOf({ extensions }: X509): BasicConstraints | undefined {
  const extension = extensions.get(EXTENSION.basicConstraints)
  if (extension === undefined) return undefined
  const fields = wholeElement(extension.value, TAG.sequence)
  const flag = fields.optional(TAG.boolean)
  const ca = flag !== undefined && booleanOf(flag)
  const length = fields.optional(TAG.integer)
  fields.end()
  return { ca, pathLength: length === undefined ? null : smallIntegerOf(length) }
}

/** Section 4.2.1.3. Undefined without the extension, which means: no restriction. */
export function keyUsageOf({ extensions }: X509): ReadonlySet<number> | undefined {
  const extension = extensions.get(EXTENSION.keyUsage)
  if (extension === undefined) return undefined
  const reader = new DerReader(extension.value)
  const element = reader.next()
  reader.end()
  return namedBitsOf(element)
}

/** Section 4.2.1.12: the purposes, or undefined without the extension. */
export function extendedKeyUsageOf({ extensions }: X509): readonly string[] | undefined {
  const extension = extensions.get(EXTENSION.extendedKeyUsage)
  if (extension === undefined) return undefined
  return elements(wholeElement(extension.value, TAG.sequence), 32).map(objectIdentifierOf)
}

/** What a TPM's vendor says of it: TCG EK Credential Profile section 3.2.9. */
export interface TpmDescription {
  /** `id:` and the vendor id of the TCG registry in hexadecimal, e.g. `id:49465800`. */
  readonly manufacturer: string
  readonly model: string
  /** Firmware version at the time of manufacture. */
  readonly version: string
}

const TPM_ATTRIBUTES: ReadonlyMap<string, keyof TpmDescription> = new Map([
  ['2.23.133.2.1', 'manufacturer'],
  ['2.23.133.2.2', 'model'],
  ['2.23.133.2.3', 'version'],
])

/** RFC 5280 section 4.2.1.6: directoryName [4] is explicit, for Name is a CHOICE. */
const DIRECTORY_NAME = contextTag(4)
const MAX_NAMES = 32

/** The AttributeTypeAndValue pairs of a Name; vendors write them as one set of three or as three sets of one. */
function* attributesOf(name: DerReader): Generator<readonly [id: string, value: DerElement]> {
  for (const set of elements(name, MAX_NAMES)) {
    for (const pair of elements(wholeElement(set.bytes, TAG.set), MAX_NAMES)) {
      const fields = wholeElement(pair.bytes, TAG.sequence)
      const id = objectIdentifierOf(fields.expect(TAG.objectIdentifier))
      const value = fields.next()
      fields.end()
      yield [id, value]
    }
  }
}

function readTpmAttributes(name: DerReader, found: Map<keyof TpmDescription, string>): void {
  for (const [id, value] of attributesOf(name)) {
    const attribute = TPM_ATTRIBUTES.get(id)
    if (attribute === undefined) continue
    if (found.has(attribute)) throw new DerError(`TPM ${attribute} twice`)
    found.set(attribute, printableTextOf(value))
  }
}

/** Undefined unless manufacturer, model and version all stand in the subject alternative name. */
export function tpmDescriptionOf({ extensions }: X509): TpmDescription | undefined {
  const extension = extensions.get(EXTENSION.subjectAlternativeName)
  if (extension === undefined) return undefined
  const found = new Map<keyof TpmDescription, string>()
  for (const name of elements(wholeElement(extension.value, TAG.sequence), MAX_NAMES)) {
    if (name.tag !== DIRECTORY_NAME) continue
    const choice = new DerReader(name.content)
    readTpmAttributes(choice.enter(TAG.sequence), found)
    choice.end()
  }
  const [manufacturer, model, version] = [found.get('manufacturer'), found.get('model'), found.get('version')]
  if (manufacturer === undefined || model === undefined || version === undefined) return undefined
  return { manufacturer, model, version }
}

const SERIAL_NUMBER = '2.5.4.5'

/**
 * The serialNumber attribute of the subject (X.520, 6.2.9), which in an IDevID is the unit's own (IEEE 802.1AR-2018,
 * 8.6); undefined without one. Throws DerError where there are two of them.
 */
export function subjectSerialNumberOf({ subject }: X509): string | undefined {
  const found = [...attributesOf(wholeElement(subject, TAG.sequence))].filter(([id]) => id === SERIAL_NUMBER)
  if (found.length > 1) throw new DerError('two serial numbers in the subject')
  const value = found[0]?.[1]
  return value === undefined ? undefined : printableTextOf(value)
}

const COMMON_NAME = '2.5.4.3'

/** For messages to people alone: the common name in a Name, or "without a name". */
export function displayName(name: Uint8Array): string {
  try {
    for (const [id, value] of attributesOf(wholeElement(name, TAG.sequence))) {
      if (id === COMMON_NAME) return printableTextOf(value)
    }
  } catch {
    // A name that cannot be shown is no reason to refuse what bears it.
  }
  return 'without a name'
}
