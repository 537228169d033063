import { generateKeyPairSync, sign } from 'node:crypto'
import { fromBase64Url } from '../../shared/bytes/bytes.ts'
import { ByteWriter } from '../../shared/bytes/writer.ts'
import { hash } from '../../shared/crypto/node.ts'
import { qualifiedNameOfPrimary } from '../../shared/tpm/attestation-key.ts'
import { TPM_GENERATED_VALUE, TPM_RH_ENDORSEMENT, TPM_ST_ATTEST_QUOTE } from '../../shared/tpm/constants.ts'
import { nameOf, type EccPublicArea } from '../../shared/tpm/public.ts'
import { encodeSignature } from '../../shared/tpm/signature.ts'
import { attestationKeyTemplate } from '../../shared/tpm/templates.ts'

export interface SoftwareQuote {
  /** TPMS_ATTEST and TPMT_SIGNATURE. */
  readonly attest: Uint8Array
  readonly signature: Uint8Array
}

/** An attestation key in software, for the same reasons as in ./software-ek.ts. */
export interface SoftwareAttestationKey {
  readonly area: EccPublicArea
  readonly name: Uint8Array
  /** A quote over PCR 0 to 7 of the SHA-256 bank, all zero. */
  quote(extraData: Uint8Array): SoftwareQuote
}

/** TPMS_ATTEST of a quote, Part 2 section 10.12.12. */
function attestation(qualifiedSigner: Uint8Array, extraData: Uint8Array): Uint8Array {
  return new ByteWriter()
    .u32(TPM_GENERATED_VALUE)
    .u16(TPM_ST_ATTEST_QUOTE)
    .sized16(qualifiedSigner)
    .sized16(extraData)
    .u64(123_456n)
    .u32(7)
    .u32(0)
    .u8(1)
    .u64(0x2019_1023n)
    .u32(1)
    .u16(0x000b)
    .u8(3)
    .bytes(Uint8Array.of(0xff, 0, 0))
    .sized16(hash('sha256', new Uint8Array(8 * 32)))
    .finish()
}

export function softwareAttestationKey(): SoftwareAttestationKey {
  const template = attestationKeyTemplate('ecdsa-p256', new Uint8Array(32))
  if (template.type !== 'ecc') throw new Error('not an ECC template')
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const area = { ...template, unique: { x: fromBase64Url(x), y: fromBase64Url(y) } }
  const name = nameOf(area, hash)
  return {
    area,
    name,
    quote: (extraData) => {
      const attest = attestation(qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, name, hash), extraData)
      const raw = sign('sha256', attest, { key: privateKey, dsaEncoding: 'ieee-p1363' })
      const signature = encodeSignature({
        scheme: 'ecdsa',
        hash: 'sha256',
        r: raw.subarray(0, 32),
        s: raw.subarray(32),
      })
      return { attest, signature }
    },
  }
}
