import { createPublicKey } from 'node:crypto'
import { fromHex } from '../../../../shared/bytes/bytes.ts'
import { CURVE_SIZE } from '../../../../shared/tpm/constants.ts'
import type { BootKey } from '../../../../shared/inspect/boot/key.ts'
import { failed, good, type BootPart } from '../../../../shared/inspect/boot/report.ts'
import { KeepsealError, OutcomeError } from '../../../../shared/errors.ts'
import { parsePublic, parsePublicArea, type PublicArea } from '../../../../shared/tpm/public.ts'
import { ENDORSEMENT_KEY_PROFILES } from '../../../../shared/tpm/templates.ts'
import { DerError } from '../../../trust/der.ts'
import { verifyEndorsement } from '../../../trust/ek-chain.ts'
import { certificatesInFile, EndorsementAuthorities } from '../../../trust/ek-roots.ts'
import { parseSubjectPublicKey, type SubjectPublicKey } from '../../../trust/subject-public-key.ts'
import { parseX509 } from '../../../trust/x509.ts'
import { readInput } from './files.ts'

const isPem = (bytes: Uint8Array): boolean => Buffer.from(bytes.subarray(0, 11)).toString('latin1') === '-----BEGIN '

/** TPM2B_PUBLIC begins with the size of what follows, TPMT_PUBLIC with the type of the key. */
export function publicAreaOf(bytes: Uint8Array): PublicArea {
  const size = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
  return size === bytes.length - 2 ? parsePublic(bytes) : parsePublicArea(bytes)
}

/** Throws OutcomeError `tpm.*` for a file that holds no such key. */
export function bootKeyOf(bytes: Uint8Array): BootKey {
  if (!isPem(bytes)) return { kind: 'public-area', area: publicAreaOf(bytes) }
  const key = publicKeyOf(Buffer.from(bytes).toString('latin1'))
  if (key.type === 'rsa') return { kind: 'rsa', modulus: key.modulus, exponent: key.exponent }
  if (key.type === 'ec') return { kind: 'ec', curve: key.curve, x: key.x, y: key.y }
  throw new OutcomeError('tpm.key-invalid', 'an Ed25519 key attests nothing')
}

function publicKeyOf(pem: string): SubjectPublicKey {
  try {
    return parseSubjectPublicKey(createPublicKey(pem).export({ type: 'spki', format: 'der' }))
  } catch (error) {
    throw new OutcomeError('tpm.key-invalid', error instanceof Error ? error.message : undefined)
  }
}

/** The expected qualifying data, at most as long as a TPM takes it. Throws `usage.invalid`. */
export function nonceOf(text: string): Uint8Array {
  if (/^([0-9a-fA-F]{2}){0,64}$/.test(text)) return fromHex(text)
  throw new KeepsealError('usage.invalid', '--nonce must be at most 64 bytes in hexadecimal', {
    remedy: 'Give what tpm2_quote was given as -q.',
  })
}

export interface EndorsementFiles {
  /** The public area of the endorsement key. */
  readonly ek: string | undefined
  readonly certificate: string | undefined
  readonly roots: readonly string[]
}

export interface Endorsement {
  readonly part: BootPart | null
  readonly endorsementKeys: readonly PublicArea[]
}

/** Checks the chain of an EK certificate at the time `now`; without one nothing is said about the chip. */
export function endorsementOf({ ek, certificate, roots }: EndorsementFiles, now: number): Endorsement {
  const given = ek === undefined ? [] : [publicAreaOf(readInput(ek))]
  if (certificate === undefined) return { part: null, endorsementKeys: given }
  const file = Buffer.from(readInput(certificate))
  const [der = file] = certificatesInFile(file)
  try {
    const areas = given.length > 0 ? given : areasOf(parseSubjectPublicKey(parseX509(der).publicKeyInfo))
    const [area] = areas
    if (area === undefined) throw new KeepsealError('enrol.ek-untrusted', 'no key of the TCG EK Credential Profile')
    const { tpm } = verifyEndorsement(der, area, authoritiesIn(roots), now)
    const chip = tpm === null ? 'a TPM' : `a TPM of ${vendorText(tpm.manufacturer)}, model ${tpm.model}`
    return { part: good('endorsement', `the EK certificate is for ${chip}`), endorsementKeys: areas }
  } catch (error) {
    const refusal =
      error instanceof DerError
        ? new KeepsealError('enrol.ek-untrusted', `the certificate cannot be read: ${error.message}`)
        : error
    if (!(refusal instanceof KeepsealError) || refusal.code === 'file.unreadable') throw error
    const { code, message: detail } = refusal
    const remedy =
      code === 'enrol.ek-untrusted' ? "Give the vendor's root and intermediates: --ek-roots FILE" : refusal.remedy
    return { part: failed('endorsement', [{ code, detail, remedy }]), endorsementKeys: given }
  }
}

function authoritiesIn(roots: readonly string[]): EndorsementAuthorities {
  const authorities = new EndorsementAuthorities()
  for (const name of roots) {
    const certificates = certificatesInFile(Buffer.from(readInput(name)))
    if (certificates.length === 0) throw new KeepsealError('file.unreadable', `${name} holds no certificate`)
    try {
      for (const der of certificates) authorities.add(der)
    } catch (cause) {
      if (!(cause instanceof DerError)) throw cause
      throw new KeepsealError('file.unreadable', `${name}: ${cause.message}`, { cause })
    }
  }
  return authorities
}

/** The public areas that the key of a certificate has if it was made by a template of the TCG EK Credential Profile. */
function areasOf(key: SubjectPublicKey): PublicArea[] {
  return ENDORSEMENT_KEY_PROFILES.flatMap(({ template }): PublicArea[] => {
    if (template.type === 'rsa' && key.type === 'rsa') {
      return key.modulus.length * 8 === template.keyBits ? [{ ...template, unique: key.modulus }] : []
    }
    if (template.type !== 'ecc' || key.type !== 'ec' || key.x.length !== CURVE_SIZE[template.curve]) return []
    return [{ ...template, unique: { x: key.x, y: key.y } }]
  })
}

/** `id:49465800` is the vendor's ASCII name in hexadecimal, TCG Vendor ID Registry. */
function vendorText(manufacturer: string): string {
  const hex = /^id:([0-9a-fA-F]{8})$/.exec(manufacturer)?.[1]
  if (hex === undefined) return manufacturer
  const text = Buffer.from(hex, 'hex').toString('latin1').replace(/\0+$/, '')
  return /^[\x20-\x7e]+$/.test(text) ? text.trim() : manufacturer
}
