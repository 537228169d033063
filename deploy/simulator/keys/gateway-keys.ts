import { sign, type KeyObject } from 'node:crypto'
import { toHex } from '../../../shared/bytes/bytes.ts'
import type { Signer } from '../../../shared/cose/sign1.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { makeUeid, type Ueid } from '../../../shared/evidence/identifiers.ts'
import { qualifiedNameOfPrimary } from '../../../shared/tpm/attestation-key.ts'
import { TPM_RH_ENDORSEMENT } from '../../../shared/tpm/constants.ts'
import { nameOf, type EccPublicArea } from '../../../shared/tpm/public.ts'
import { encodeSignature } from '../../../shared/tpm/signature.ts'
import { attestationKeyTemplate } from '../../../shared/tpm/templates.ts'
import { ed25519Signer } from './ed25519.ts'
import { endorsementArea, softwareEndorsementKey, type SoftwareEndorsementKey } from './endorsement-key.ts'
import { p256Key } from './p256.ts'
import type { FleetSeed } from './seed.ts'

/** The attestation key that a TPM would hold, in software. */
export interface SimulatedAttestationKey {
  readonly area: EccPublicArea
  readonly name: Uint8Array
  readonly qualifiedName: Uint8Array
  /** TPMT_SIGNATURE, ECDSA with SHA-256. Another one each time, as OpenSSL chooses its nonces at random. */
  sign(attest: Uint8Array): Uint8Array
}

const name = (index: number, what: string): string => `gateway ${index} ${what}`

export const serialOf = (index: number): string => `SIM-${String(index).padStart(7, '0')}`

/** Of a gateway that is enrolled straight into a store; one that enrols over HTTPS is given its own. */
export const ueidOf = (seed: FleetSeed, index: number): Ueid =>
  makeUeid(seed.bytes(name(index, 'ueid')).subarray(0, 16))

export function deviceKeyOf(seed: FleetSeed, index: number): { signer: Signer; x: Uint8Array } {
  return ed25519Signer(seed.bytes(name(index, 'device key')))
}

/** Where a TPM has the seed of its endorsement hierarchy, a simulated gateway has that of its fleet and its number. */
export function attestationKeyOf(
  seed: FleetSeed,
  index: number,
  keySeed: Uint8Array = new Uint8Array(32),
): SimulatedAttestationKey {
  const template = attestationKeyTemplate('ecdsa-p256', keySeed)
  if (template.type !== 'ecc') throw new Error('not a template of an elliptic curve')
  const pair = p256Key(seed.bytes(name(index, `attestation key ${toHex(keySeed)}`)))
  const area: EccPublicArea = { ...template, unique: { x: pair.x, y: pair.y } }
  const keyName = nameOf(area, hash)
  let input: { key: KeyObject; dsaEncoding: 'ieee-p1363' } | undefined
  return {
    area,
    name: keyName,
    qualifiedName: qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, keyName, hash),
    sign(attest) {
      input ??= { key: pair.privateKey, dsaEncoding: 'ieee-p1363' }
      const signature = sign('sha256', attest, input)
      return encodeSignature({
        scheme: 'ecdsa',
        hash: 'sha256',
        r: signature.subarray(0, 32),
        s: signature.subarray(32),
      })
    },
  }
}

/** Name of the endorsement key: the identity of the chip. */
export function endorsementNameOf(seed: FleetSeed, index: number): Uint8Array {
  const { x, y } = p256Key(seed.bytes(name(index, 'endorsement key')))
  return nameOf(endorsementArea({ x, y }), hash)
}

export function endorsementKeyOf(seed: FleetSeed, index: number): SoftwareEndorsementKey {
  return softwareEndorsementKey(p256Key(seed.bytes(name(index, 'endorsement key'))))
}
