import { equal, fromUtf8, toHex } from '../bytes/bytes.ts'
import { HASH_SIZE, type HashFunction } from '../crypto/crypto.ts'
import { looksLikeCertificate, summarizeCertificate, type CertificateSummary } from './decode/certificate.ts'
import type { EfiVariable } from './decode/efi-variable.ts'
import { GLOBAL_VARIABLE, IMAGE_SECURITY_DATABASE } from './decode/guid.ts'
import { countOf, signaturesOf, type SignatureList } from './decode/signature-list.ts'
import { withoutTrailingZeros } from './decode/text.ts'
import type { BootAuthority, SbatLevel, SignatureDatabase } from './secure-boot-state.ts'

/** Measured first and in this order, PFP section 3.3.4.8. */
export const CONFIGURATION_ORDER = ['SecureBoot', 'PK', 'KEK', 'db', 'dbx'] as const
export type ConfigurationName = (typeof CONFIGURATION_ORDER)[number]

const VENDOR: Readonly<Record<ConfigurationName, Uint8Array>> = {
  SecureBoot: GLOBAL_VARIABLE,
  PK: GLOBAL_VARIABLE,
  KEK: GLOBAL_VARIABLE,
  db: IMAGE_SECURITY_DATABASE,
  dbx: IMAGE_SECURITY_DATABASE,
}

export const isConfigurationName = (name: string): name is ConfigurationName =>
  (CONFIGURATION_ORDER as readonly string[]).includes(name)

/** True for the variable of this name that UEFI defines, and not for a namesake of another vendor. */
export const isConfiguration = ({ name, vendor }: EfiVariable): boolean =>
  isConfigurationName(name) && equal(VENDOR[name], vendor)

/** `digest`: of the event that measured the variable. */
export function summarizeDatabase(
  digest: Uint8Array,
  lists: readonly SignatureList[],
  hash: HashFunction,
): SignatureDatabase {
  const certificates: CertificateSummary[] = []
  for (const list of lists) {
    if (list.kind !== 'certificate') continue
    for (const der of signaturesOf(list)) certificates.push(summarizeCertificate(der, hash))
  }
  return { certificates, hashes: countOf(lists, 'sha256'), others: countOf(lists, 'other'), digest: toHex(digest) }
}

const GUID_SIZE = 16

/**
 * The signature in the value of an authority event, without its owner. The profile wants an EFI_SIGNATURE_DATA, which
 * begins with the owner's GUID; shim leaves the GUID out.
 */
export function authoritySignature(value: Uint8Array): Uint8Array {
  if (looksLikeCertificate(value) || value.length === HASH_SIZE.sha256) return value
  return value.subarray(Math.min(GUID_SIZE, value.length))
}

/** Databases of real machines have less than this; comparing with each of their entries costs less than an index. */
const INDEXED_FROM = 64

/** Whether a signature is in the database. Many questions about many entries take no longer than both together. */
export function membershipIn(lists: readonly SignatureList[]): (signature: Uint8Array) => boolean {
  if (countOf(lists) < INDEXED_FROM) return (signature) => isInDatabase(signature, lists)
  const listed = new Set<string>()
  for (const list of lists) for (const signature of signaturesOf(list)) listed.add(toHex(signature))
  return (signature) => listed.has(toHex(signature))
}

function isInDatabase(signature: Uint8Array, lists: readonly SignatureList[]): boolean {
  for (const list of lists) {
    if (list.entrySize !== signature.length + GUID_SIZE) continue
    for (const listed of signaturesOf(list)) if (equal(listed, signature)) return true
  }
  return false
}

/** Authorities of shim and Windows that are settings rather than signatures have neither certificate nor hash. */
export function describeAuthority(
  { name, value }: EfiVariable,
  at: Pick<BootAuthority, 'sequence' | 'phase'>,
  hash: HashFunction,
): BootAuthority {
  const signature = authoritySignature(value)
  if (looksLikeCertificate(signature)) {
    return { ...at, variable: name, certificate: summarizeCertificate(signature, hash) }
  }
  return signature.length === HASH_SIZE.sha256
    ? { ...at, variable: name, imageHash: toHex(signature) }
    : { ...at, variable: name }
}

/** shim's SBAT.md: `sbat,1,DATE`, then one `component,generation` a line. Undefined for anything else. */
export function parseSbatLevel(value: Uint8Array): SbatLevel | undefined {
  let text: string
  try {
    text = withoutTrailingZeros(fromUtf8(value))
  } catch {
    return undefined
  }
  const [head, ...lines] = text.split('\n').filter((line) => line !== '')
  const date = /^sbat,\d+,(\d{10})$/.exec(head ?? '')?.[1]
  if (date === undefined) return undefined
  const generations: [string, number][] = []
  for (const line of lines) {
    const [, component, generation] = /^([\x21-\x2b\x2d-\x7e]+),(\d{1,9})$/.exec(line) ?? []
    if (component === undefined || generation === undefined) return undefined
    generations.push([component, Number(generation)])
  }
  return { date, generations: Object.fromEntries(generations) }
}
