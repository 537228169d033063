import { KeepsealError } from '../../../shared/errors.ts'
import type { ProductIdentity } from '../../../shared/evidence/enrolment.ts'
import { isUeid } from '../../../shared/evidence/identifiers.ts'
import type { Device, Enrolment } from '../../model/device.ts'
import type { EnrolmentToken, Product } from '../../model/product.ts'
import type { Store } from '../../store/index.ts'
import { verifyEndorsement, type VerifiedEndorsement } from '../ek-chain.ts'
import type { EndorsementAuthorities } from '../ek-roots.ts'
import { idevidObjectionAt } from '../idevid.ts'
import type { EnrolmentClaims, TpmClaims } from './claims.ts'

/** Who may enrol, as what, and as whom. */

/** The product of the token, which the device must claim to be. Throws `enrol.product-mismatch`. */
export async function productOf(token: EnrolmentToken, claimed: ProductIdentity, store: Store): Promise<Product> {
  const product = await store.products.byId(token.productId)
  if (product === undefined) throw new KeepsealError('internal.failure', `token ${token.id} without a product`)
  if (product.vendor !== claimed.vendor || product.model !== claimed.model) {
    throw new KeepsealError('enrol.product-mismatch', `${product.vendor} ${product.model}`)
  }
  return product
}

export type AdmittedIdentity =
  | { readonly identity: 'tpm-endorsed'; readonly endorsement: VerifiedEndorsement }
  /** `reason`: why no root vouches for the TPM. */
  | { readonly identity: 'tpm-tofu'; readonly reason: string }
  | { readonly identity: 'software' }

function tpmIdentity(
  tpm: TpmClaims,
  authorities: EndorsementAuthorities,
  now: number,
): AdmittedIdentity | KeepsealError {
  if (tpm.ekCertificate === null) return new KeepsealError('enrol.ek-untrusted', 'it has no certificate')
  try {
    return { identity: 'tpm-endorsed', endorsement: verifyEndorsement(tpm.ekCertificate, tpm.ek, authorities, now) }
  } catch (error) {
    // Another key's certificate is no weaker proof but a false one: no policy excuses it.
    if (error instanceof KeepsealError && error.code === 'enrol.ek-untrusted') return error
    throw error
  }
}

/**
 * The strongest identity that the device can have, if the product's policy admits it: `endorsed` admits that alone,
 * `tofu` also an unknown TPM, `software` also none.
 * Throws `enrol.software-refused`, `enrol.ek-untrusted`, `enrol.ek-certificate-mismatch`.
 */
export function identityOf(
  { tpm }: EnrolmentClaims,
  { identityPolicy }: Product,
  authorities: EndorsementAuthorities,
  now: number,
): AdmittedIdentity {
  if (tpm === null) {
    if (identityPolicy !== 'software') throw new KeepsealError('enrol.software-refused')
    return { identity: 'software' }
  }
  const verdict = tpmIdentity(tpm, authorities, now)
  if (!(verdict instanceof KeepsealError)) return verdict
  if (identityPolicy !== 'tofu' && identityPolicy !== 'software') throw verdict
  return { identity: 'tpm-tofu', reason: verdict.message }
}

/**
 * What is shown has to hold, whatever the device enrols by: the certificate of an IDevID is of now, and of the unit that
 * the device claims to be. Throws `enrol.idevid-refused`, `enrol.product-mismatch`.
 */
export function assertIdevid({ tpm, product }: EnrolmentClaims, now: number): void {
  const idevid = tpm?.idevid ?? null
  if (idevid === null) return
  const objection = idevidObjectionAt(idevid, now)
  if (objection !== undefined) throw new KeepsealError('enrol.idevid-refused', objection)
  if (idevid.serial !== undefined && idevid.serial !== product.serial) {
    const remedy = 'Set product.serial to the one in the IDevID, where it is this unit.'
    throw new KeepsealError('enrol.product-mismatch', 'its IDevID is of a unit with another serial number', { remedy })
  }
}

function sameProduct(device: Device, claimed: ProductIdentity): boolean {
  return (
    device.vendor === claimed.vendor &&
    device.model === claimed.model &&
    device.hardwareRevision === claimed.hardwareRevision &&
    device.serial === claimed.serial
  )
}

/**
 * The enrolled device that this token is to enrol again, or null for a new one. Neither the TPM nor the device key
 * may belong to any other device.
 * Throws `enrol.ek-already-enrolled`, `enrol.key-in-use`, and for a re-enrolment `enrol.token-unknown` (no such
 * device), `enrol.product-mismatch` (another product or unit), `enrol.ek-conflict` (it had a TPM and now shows none).
 */
export async function deviceToReenrol(
  claims: EnrolmentClaims,
  token: EnrolmentToken,
  store: Store,
): Promise<Device | null> {
  let device: Device | undefined
  if (token.reenrolUeid !== null) {
    device = isUeid(token.reenrolUeid) ? await store.devices.byUeid(token.reenrolUeid) : undefined
    if (device === undefined) throw new KeepsealError('enrol.token-unknown', `no device ${token.reenrolUeid}`)
  }
  const chipOwner = claims.tpm === null ? undefined : await store.devices.byEkName(claims.tpm.chipName)
  if (chipOwner !== undefined && chipOwner.id !== device?.id) {
    throw new KeepsealError('enrol.ek-already-enrolled', chipOwner.ueid)
  }
  const keyOwner = await store.devices.byDeviceKeyThumbprint(claims.deviceKey.thumbprint)
  if (keyOwner !== undefined && keyOwner.id !== device?.id) throw new KeepsealError('enrol.key-in-use', keyOwner.ueid)
  if (device === undefined) return null
  if (!sameProduct(device, claims.product)) {
    throw new KeepsealError(
      'enrol.product-mismatch',
      'the token is for one device, which has another revision or serial',
    )
  }
  if (device.tpm !== null && claims.tpm === null) {
    const remedy = 'A device whose TPM is gone is another device: revoke it and enrol it as new.'
    throw new KeepsealError('enrol.ek-conflict', 'it now shows none', { remedy })
  }
  return device
}

/**
 * A new device waits for approval if the product wants that. A device that enrols again is never raised by it: who
 * was pending or revoked waits for a person.
 */
export function enrolmentAfter({ approvalPolicy }: Product, device: Device | null): Enrolment {
  if (approvalPolicy !== 'automatic') return 'pending'
  return device === null || device.enrolment === 'active' ? 'active' : 'pending'
}
