/** The quote of fixtures/vm-sb: one measured boot, its attestation key a child of the RSA endorsement key. */
import { createPublicKey } from 'node:crypto'
import { fromBase64Url } from '../../shared/bytes/bytes.ts'
import * as node from '../../shared/crypto/node.ts'
import { attestationKeyOf, qualifiedName, qualifiedNameOfPrimary } from '../../shared/tpm/attestation-key.ts'
import { TPM_RH_ENDORSEMENT } from '../../shared/tpm/constants.ts'
import type { PcrValues } from '../../shared/tpm/pcr-selection.ts'
import { nameOf, parsePublic, type PublicArea } from '../../shared/tpm/public.ts'
import { DEFAULT_QUOTE_POLICY, type QuoteInput } from '../../shared/tpm/quote.ts'
import { readFixture } from './fixtures.ts'
import { digestsOfPcrFile } from './pcr-file.ts'
import { NONCE } from './tpm-quote.ts'

/** The fixture has the key as PEM; the rest of its public area is what tpm2_createak makes by default. */
export function vmAttestationArea(): PublicArea {
  const { x = '', y = '' } = createPublicKey(readFixture('vm-sb', 'ak.pub')).export({ format: 'jwk' })
  return {
    type: 'ecc',
    nameAlg: 'sha256',
    attributes: new Set(['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'userWithAuth', 'restricted', 'sign']),
    authPolicy: new Uint8Array(0),
    symmetric: null,
    scheme: { scheme: 'ecdsa', hash: 'sha256' },
    curve: 'p256',
    unique: { x: fromBase64Url(x), y: fromBase64Url(y) },
  }
}

export function vmQuote(): QuoteInput {
  const area = vmAttestationArea()
  const ek = parsePublic(readFixture('vm-sb', 'ek.pub'))
  const ekQualifiedName = qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, nameOf(ek, node.hash), node.hash)
  const values = new Map(digestsOfPcrFile(readFixture('vm-sb', 'quote.pcrs')).entries())
  const pcrs: PcrValues = new Map([['sha256', values]])
  return {
    attest: readFixture('vm-sb', 'quote.msg'),
    signature: readFixture('vm-sb', 'quote.sig'),
    signer: attestationKeyOf(area, qualifiedName(ekQualifiedName, nameOf(area, node.hash), node.hash), node),
    expectedExtraData: NONCE,
    pcrs,
    policy: DEFAULT_QUOTE_POLICY,
    hash: node.hash,
  }
}
