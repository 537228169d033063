/** Makes the quotes of a TPM that does not exist, good ones and ones that no TPM would make, for tests of the verifier. */
import { constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { fromBase64Url, fromHex } from '../../shared/bytes/bytes.ts'
import { ByteWriter } from '../../shared/bytes/writer.ts'
import type { HashAlgorithm } from '../../shared/crypto/crypto.ts'
import * as node from '../../shared/crypto/node.ts'
import { attestationKeyOf, qualifiedNameOfPrimary, type AttestationKey } from '../../shared/tpm/attestation-key.ts'
import { TPM_RH_ENDORSEMENT } from '../../shared/tpm/constants.ts'
import { encodePcrSelection, pcrDigest, type PcrSelection, type PcrValues } from '../../shared/tpm/pcr-selection.ts'
import { nameOf, type PublicArea, type SchemeName } from '../../shared/tpm/public.ts'
import { DEFAULT_QUOTE_POLICY, type QuoteInput } from '../../shared/tpm/quote.ts'
import { encodeSignature, type TpmSignature } from '../../shared/tpm/signature.ts'
import { attestationKeyTemplate } from '../../shared/tpm/templates.ts'

export const NONCE = fromHex('00112233445566778899aabbccddeeff')

function jwkBytes(key: KeyObject, name: 'x' | 'y' | 'n'): Uint8Array {
  return fromBase64Url(key.export({ format: 'jwk' })[name] ?? '')
}

export class SoftwareSigner {
  readonly area: PublicArea
  readonly attestationKey: AttestationKey
  readonly #scheme: SchemeName
  readonly #privateKey: KeyObject

  constructor(scheme: SchemeName, change: (area: PublicArea) => PublicArea = (area) => area) {
    const pair =
      scheme === 'ecdsa'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.#scheme = scheme
    this.#privateKey = pair.privateKey
    const template = attestationKeyTemplate(scheme === 'ecdsa' ? 'ecdsa-p256' : 'rsassa-2048', new Uint8Array(32))
    const { publicKey } = pair
    this.area = change(
      template.type === 'ecc'
        ? { ...template, unique: { x: jwkBytes(publicKey, 'x'), y: jwkBytes(publicKey, 'y') } }
        : { ...template, scheme: { scheme, hash: 'sha256' }, unique: jwkBytes(publicKey, 'n') },
    )
    const qualifiedName = qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, nameOf(this.area, node.hash), node.hash)
    this.attestationKey = attestationKeyOf(this.area, qualifiedName, node)
  }

  sign(message: Uint8Array, hash: HashAlgorithm = 'sha256'): TpmSignature {
    const scheme = this.#scheme
    const key = this.#privateKey
    if (scheme === 'ecdsa') {
      const signature = sign(hash, message, { key, dsaEncoding: 'ieee-p1363' })
      return { scheme, hash, r: signature.subarray(0, 32), s: signature.subarray(32) }
    }
    const padding = scheme === 'rsassa' ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_PSS_PADDING
    return { scheme, hash, signature: sign(hash, message, { key, padding }) }
  }
}

export interface QuoteFields {
  readonly magic: number
  readonly type: number
  readonly qualifiedSigner: Uint8Array
  readonly extraData: Uint8Array
  readonly safe: number
  readonly selection: PcrSelection
  readonly pcrDigest: Uint8Array
}

export function encodeAttest(fields: QuoteFields): Uint8Array {
  return new ByteWriter()
    .u32(fields.magic)
    .u16(fields.type)
    .sized16(fields.qualifiedSigner)
    .sized16(fields.extraData)
    .u64(123_456n)
    .u32(2)
    .u32(1)
    .u8(fields.safe)
    .u64(0x2019_1023_0016_3636n)
    .bytes(encodePcrSelection(fields.selection))
    .sized16(fields.pcrDigest)
    .finish()
}

export const pcrsOf = (bank: 'sha1' | 'sha256' | 'sha384', size: number, ...indices: number[]): PcrValues =>
  new Map([[bank, new Map(indices.map((index) => [index, new Uint8Array(size).fill(index + 1)]))]])

export const PCRS: PcrValues = pcrsOf('sha256', 32, 0, 1, 2, 7)
export const SELECTION: PcrSelection = [{ bank: 'sha256', pcrs: [0, 1, 2, 7] }]

/** Everything that `verifyQuote` takes, of a good quote with `change` put into it before it was signed. */
export function quoteInput(
  signer: SoftwareSigner,
  change: Partial<QuoteFields> = {},
  pcrs: PcrValues = PCRS,
  hash: HashAlgorithm = 'sha256',
): QuoteInput {
  const selection = change.selection ?? SELECTION
  const attest = encodeAttest({
    magic: 0xff544347,
    type: 0x8018,
    qualifiedSigner: signer.attestationKey.qualifiedName,
    extraData: NONCE,
    safe: 1,
    selection,
    pcrDigest: change.pcrDigest ?? pcrDigest(node.hash, hash, pcrs, selection),
    ...change,
  })
  return {
    attest,
    signature: encodeSignature(signer.sign(attest, hash)),
    signer: signer.attestationKey,
    expectedExtraData: NONCE,
    pcrs,
    policy: DEFAULT_QUOTE_POLICY,
    hash: node.hash,
  }
}
