import { KeepsealError } from '../../../shared/errors.ts'
import type { ImaPolicy, ImaSigner } from '../../../shared/ima/policy.ts'
import type { ImaPolicyDocument } from '../../model/ima-policy.ts'
import { imaSigner } from './signer.ts'

/** A policy ready for judging. Throws `request.invalid` for a signer whose key cannot be used. */
export function compileImaPolicy({ allow, signers, excludes }: ImaPolicyDocument): ImaPolicy {
  return {
    allow: new Map(Object.entries(allow).map(([path, digests]) => [path, new Set(digests)])),
    signers: signers.map(({ keyId, publicKey }): ImaSigner => {
      const signer = imaSigner(keyId, publicKey)
      if (signer !== undefined) return signer
      throw new KeepsealError('request.invalid', `the key of signer ${keyId} is not RSA of 2048 bits, P-256 or P-384`)
    }),
    excludes,
  }
}
