import { equal } from '../../shared/bytes/bytes.ts'
import type { HashFunction } from '../../shared/crypto/crypto.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { CURVE_SIZE } from '../../shared/tpm/constants.ts'
import { nameOf, rsaExponent, type PublicArea } from '../../shared/tpm/public.ts'
import { ENDORSEMENT_KEY_PROFILES } from '../../shared/tpm/templates.ts'
import { parseSubjectPublicKey } from './subject-public-key.ts'
import type { X509 } from './x509.ts'

/** Big-endian number at a fixed width: TPMs may drop leading zeros of a coordinate. Undefined when it is too wide. */
function atWidth(number: Uint8Array, width: number): Uint8Array | undefined {
  if (number.length > width) return undefined
  const padded = new Uint8Array(width)
  padded.set(number, width - number.length)
  return padded
}

/** Whether the certificate is for the key of this TPM public area. Throws DerError when its key cannot be read. */
export function isKeyOf({ publicKeyInfo }: X509, area: PublicArea): boolean {
  const key = parseSubjectPublicKey(publicKeyInfo)
  if (area.type === 'rsa') {
    return key.type === 'rsa' && key.exponent === rsaExponent(area) && equal(key.modulus, area.unique)
  }
  if (key.type !== 'ec' || key.curve !== area.curve) return false
  const [x, y] = [atWidth(area.unique.x, key.x.length), atWidth(area.unique.y, key.y.length)]
  return x !== undefined && y !== undefined && equal(key.x, x) && equal(key.y, y)
}

const refused = (reason: string): KeepsealError => new KeepsealError('enrol.ek-untrusted', `endorsement key: ${reason}`)

/**
 * The identity of the chip: the Name that this key has under the TCG EK Credential Profile's first template for its
 * kind. Equal to its real Name for a key of that template, which is nearly always; but the rest of the public area is
 * only claimed (neither certificate nor MakeCredential covers policy and attributes), and whoever varied it could
 * enrol one chip many times under its real Name.
 * Throws KeepsealError `enrol.ek-untrusted` for a kind of key that the profile does not have.
 */
export function chipName(area: PublicArea, hash: HashFunction): Uint8Array {
  for (const { template } of ENDORSEMENT_KEY_PROFILES) {
    if (template.type === 'rsa' && area.type === 'rsa' && template.keyBits === area.keyBits) {
      if (rsaExponent(area) !== rsaExponent(template)) throw refused('public exponent')
      if (area.unique.length !== area.keyBits / 8 || (area.unique[0] ?? 0) < 0x80) throw refused('modulus')
      return nameOf({ ...template, unique: area.unique }, hash)
    }
    if (template.type === 'ecc' && area.type === 'ecc' && template.curve === area.curve) {
      const width = CURVE_SIZE[area.curve]
      const [x, y] = [atWidth(area.unique.x, width), atWidth(area.unique.y, width)]
      if (x === undefined || y === undefined) throw refused('coordinates')
      return nameOf({ ...template, unique: { x, y } }, hash)
    }
  }
  throw refused('a kind of key that the TCG EK Credential Profile does not have')
}
