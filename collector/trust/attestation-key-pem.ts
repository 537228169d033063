import { createPublicKey } from 'node:crypto'
import { toBase64Url } from '../../shared/bytes/bytes.ts'
import { parsePublicArea, rsaExponent } from '../../shared/tpm/public.ts'
import { atCurveWidth } from '../../shared/tpm/signature.ts'

/** The public key of a TPMT_PUBLIC as SubjectPublicKeyInfo in PEM, which other tools take. */
export function attestationKeyPem(publicArea: Uint8Array): string {
  const area = parsePublicArea(publicArea)
  const jwk: Record<string, string> =
    area.type === 'ecc'
      ? {
          kty: 'EC',
          crv: area.curve === 'p256' ? 'P-256' : 'P-384',
          x: toBase64Url(atCurveWidth(area.unique.x, area.curve)),
          y: toBase64Url(atCurveWidth(area.unique.y, area.curve)),
        }
      : { kty: 'RSA', n: toBase64Url(area.unique), e: toBase64Url(exponentBytes(rsaExponent(area))) }
  return createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'pem', type: 'spki' }).toString()
}

function exponentBytes(exponent: number): Uint8Array {
  const hex = exponent.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}
