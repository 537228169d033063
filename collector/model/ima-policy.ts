import * as v from 'valibot'

/**
 * What the files that devices of a product measure may be, as people write it: a file of JSON. `allow`: paths with the
 * digests that are known for them. `signers`: whose signature allows any file. `excludes`: patterns of paths at which
 * deviations are let pass, and counted for all to see.
 */
const Path = v.pipe(v.string(), v.minLength(1), v.maxLength(4096))
const Digest = v.pipe(
  v.string(),
  v.regex(/^(verity:)?[a-z0-9-]{1,64}:([0-9a-f]{2}){16,64}$/, 'algorithm and digest, such as sha256:00ff…'),
)
const Signer = v.strictObject({
  keyId: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/, '8 lower-case hexadecimal digits')),
  publicKey: v.pipe(v.string(), v.maxLength(8192), v.startsWith('-----BEGIN PUBLIC KEY-----', 'a public key in PEM')),
})

export const ImaPolicyDocument = v.strictObject({
  version: v.literal(1),
  allow: v.record(Path, v.pipe(v.array(Digest), v.minLength(1), v.maxLength(256))),
  signers: v.pipe(v.array(Signer), v.maxLength(32)),
  excludes: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(1024))), v.maxLength(256)),
})
export type ImaPolicyDocument = v.InferOutput<typeof ImaPolicyDocument>

export const MAX_IMA_POLICY_BYTES = 16 * 1024 * 1024
