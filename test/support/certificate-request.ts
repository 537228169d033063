import { sign, type KeyObject } from 'node:crypto'
import { bitString, commonName, der, integer, objectIdentifier, sequence } from './der-writer.ts'

export interface RequestSignature {
  readonly algorithm: string
  sign(info: Uint8Array): Uint8Array
}

function signatureOf(key: KeyObject): RequestSignature {
  if (key.asymmetricKeyType === 'ed25519') return { algorithm: '1.3.101.112', sign: (info) => sign(null, info, key) }
  if (key.asymmetricKeyType === 'ed448') return { algorithm: '1.3.101.113', sign: (info) => sign(null, info, key) }
  const algorithm = key.asymmetricKeyType === 'rsa' ? '1.2.840.113549.1.1.11' : '1.2.840.10045.4.3.2'
  return { algorithm, sign: (info) => sign('sha256', info, key) }
}

/** A PKCS #10 request (RFC 2986), DER. */
export function certificateRequest(
  { privateKey, publicKey }: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  subject: Uint8Array = commonName('gateway'),
  signature: RequestSignature = signatureOf(privateKey),
): Uint8Array {
  const info = sequence(integer(0), subject, publicKey.export({ format: 'der', type: 'spki' }), der(0xa0))
  return sequence(info, sequence(objectIdentifier(signature.algorithm)), bitString(signature.sign(info)))
}
