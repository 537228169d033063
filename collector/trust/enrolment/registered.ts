import { equal } from '../../../shared/bytes/bytes.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { EnrolmentToken } from '../../model/product.ts'
import type { FingerprintKind, Registration } from '../../model/registration.ts'
import type { Store } from '../../store/index.ts'
import { DerError } from '../der.ts'
import { withoutPadding } from '../ek-chain.ts'
import { isKeyOf } from '../ek-key.ts'
import { parseX509 } from '../x509.ts'
import { readClaims, type EnrolmentClaims, type EnrolmentRequest, type TpmClaims } from './claims.ts'
import type { EnrolmentDependencies } from './dependencies.ts'

/** Enrolment without a token: a key of the TPM is on a list, and the two calls prove that this TPM holds it. */

/** The Name without its two bytes of algorithm is the SHA-256 of the public area, which is how production lines list it. */
const NAME_ALGORITHM_SIZE = 2

function fingerprintsOf(tpm: TpmClaims): readonly (readonly [FingerprintKind, Uint8Array])[] {
  const certificate = ownCertificate(tpm)
  return [
    ['ek', tpm.chipName.slice(NAME_ALGORITHM_SIZE)],
    ...(certificate === null ? [] : [['ek-certificate', sha256(certificate)] as const]),
    ...(tpm.idevid === null ? [] : [['idevid', tpm.idevid.fingerprint] as const]),
  ]
}

/** A certificate is no secret: whoever shows another key's has shown nothing. */
function ownCertificate({ ek, ekCertificate }: TpmClaims): Uint8Array | null {
  if (ekCertificate === null) return null
  try {
    const der = withoutPadding(ekCertificate)
    return isKeyOf(parseX509(der), ek) ? der : null
  } catch (error) {
    if (error instanceof DerError) return null
    throw error
  }
}

const isOf = ({ tpm }: EnrolmentClaims, { kind, fingerprint }: Registration): boolean =>
  tpm !== null && fingerprintsOf(tpm).some(([other, bytes]) => other === kind && equal(bytes, fingerprint))

/** Throws `enrol.ek-not-registered`, `enrol.product-mismatch`: nobody else is told which unit or product is expected. */
export function assertRegistered(token: EnrolmentToken, registration: Registration, claims: EnrolmentClaims): void {
  if (!isOf(claims, registration)) throw new KeepsealError('enrol.ek-not-registered')
  if (registration.serial !== null && registration.serial !== claims.product.serial) {
    throw new KeepsealError('enrol.product-mismatch', `${token.id} is for a unit with another serial number`)
  }
}

/** Those for the product that the device claims to be, of all that its keys are registered for. */
async function ofClaimedProduct(
  found: readonly EnrolmentToken[],
  { product }: EnrolmentClaims,
  store: Store,
): Promise<readonly EnrolmentToken[]> {
  const fitting: EnrolmentToken[] = []
  for (const token of found) {
    const registered = await store.products.byId(token.productId)
    if (registered?.vendor === product.vendor && registered.model === product.model) fitting.push(token)
  }
  if (fitting.length === 0)
    throw new KeepsealError('enrol.product-mismatch', 'this TPM is registered for another product')
  return fitting
}

/**
 * The registration of one of this device's keys. Where several are registered, each opens once; but one that was revoked
 * speaks against the unit, whatever else is known of it.
 * Throws `enrol.ek-not-registered`, `enrol.product-mismatch`, `enrol.ek-registration-used`, `-revoked`, `-expired`.
 */
export async function usableRegistration(
  request: EnrolmentRequest,
  { store, now }: EnrolmentDependencies,
): Promise<EnrolmentToken> {
  const claims = readClaims(request)
  if (claims.tpm === null) throw new KeepsealError('enrol.ek-not-registered', 'it shows no TPM')
  const fingerprints = fingerprintsOf(claims.tpm).map(([, bytes]) => bytes)
  const found = (await store.registrations.withFingerprint(fingerprints)).filter(
    ({ registration }) => registration !== null && isOf(claims, registration),
  )
  if (found.length === 0) throw new KeepsealError('enrol.ek-not-registered')
  const fitting = await ofClaimedProduct(found, claims, store)
  if (fitting.some(({ registration }) => registration?.revokedAt !== null)) {
    throw new KeepsealError('enrol.ek-registration-revoked')
  }
  const unused = fitting.filter(({ usedAt }) => usedAt === null)
  if (unused.length === 0) throw new KeepsealError('enrol.ek-registration-used')
  const usable = unused.find(({ expiresAt }) => expiresAt > now())
  if (usable === undefined) throw new KeepsealError('enrol.ek-registration-expired')
  return usable
}
