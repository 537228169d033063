import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { equal, fromBase64Url, toHex } from '../../shared/bytes/bytes.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { MAX_AUTHORITIES, MAX_URL_LENGTH, signSuccessor } from '../../shared/evidence/succession.ts'
import { certificatesIn } from '../../shared/text/pem.ts'
import { createCertificateAuthority } from './certificate-authority.ts'
import { KEY_FILES, privatePem, type CollectorKeys } from './keys.ts'
import { replaceTogether } from './rotation-files.ts'
import { collectorKeyOf, extended } from './succession.ts'

export interface RotationOrder {
  readonly keys: CollectorKeys
  /** Makes a new key that signs epochs, results and renewals. */
  readonly signingKey: boolean
  /** Makes a new authority; the one before holds on for what it has certified. */
  readonly authority: boolean
  /** Authorities of before do not hold any more. */
  readonly dropFormer: boolean
  readonly mqttUrl: string
  readonly collectorUrl: string
  /** Milliseconds since 1970. */
  readonly now: number
  readonly random: RandomFunction
}

export interface Rotation {
  readonly number: number
  /** Oldest statements that found no room: devices that trust only what was before them have to be enrolled anew. */
  readonly dropped: number
}

/**
 * Changes what devices trust, and signs the statement by which they follow, with the key in force so far. All of it is
 * on disk afterwards, or nothing; collectors that run take it up when they are started again.
 * Throws `usage.invalid` for an address that is too long, `request.conflict`, `state.disk-full`, `state.unreadable`.
 */
export async function rotate(order: RotationOrder): Promise<Rotation> {
  const { keys, mqttUrl, collectorUrl, now } = order
  for (const url of [mqttUrl, collectorUrl]) {
    if (url.length > MAX_URL_LENGTH) throw new KeepsealError('usage.invalid', `an address of ${url.length} characters`)
  }
  const files = new Map<string, Uint8Array>()
  let { x } = keys.publicKey
  if (order.signingKey) {
    const { privateKey } = generateKeyPairSync('ed25519')
    files.set(KEY_FILES.signingKey, privatePem(privateKey))
    x = fromBase64Url(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '')
  }
  const authorities = await authoritiesAfter(order, files)
  const number = (keys.succession?.newest.number ?? 0) + 1
  const statement = await signSuccessor(
    {
      collectorId: keys.collectorId,
      number,
      at: Math.floor(now / 1000),
      key: x,
      authorities: authorities.map((pem) => new Uint8Array(new X509Certificate(pem).raw)),
      mqttUrl,
      collectorUrl,
    },
    keys.signer,
  )
  const { bytes, dropped, firstBy } = extended(keys.succession, statement, keys.signer.keyId)
  files.set(KEY_FILES.succession, bytes)
  const first = publicKeyOf(firstBy, keys)
  if (first !== undefined) files.set(KEY_FILES.firstKey, Buffer.from(`${toHex(first)}\n`))
  await replaceTogether(keys.directory, files)
  return { number, dropped }
}

/** The key with this thumbprint, of those that the chain so far has had; undefined for the first of an old chain. */
function publicKeyOf(
  thumbprint: Uint8Array,
  { publicKey, keyHistory: { first }, succession }: CollectorKeys,
): Uint8Array | undefined {
  const named = succession?.statements.map(({ key }) => key) ?? []
  const known = [publicKey.x, ...named, ...(first === null ? [] : [first])]
  return known.find((x) => equal(collectorKeyOf(x).thumbprint, thumbprint))
}

/** PEM of those that hold then, the one that certifies first. What changes on disk goes `into` the files. */
async function authoritiesAfter(order: RotationOrder, into: Map<string, Uint8Array>): Promise<string[]> {
  const { keys, authority, dropFormer, now, random } = order
  const before = certificatesIn(keys.authorities)
  const kept = dropFormer ? before.slice(0, 1) : before
  if (!authority) {
    if (dropFormer) into.set(KEY_FILES.formerAuthorities, new Uint8Array(0))
    return kept
  }
  if (kept.length >= MAX_AUTHORITIES) {
    throw new KeepsealError('request.conflict', `${kept.length} authorities hold already`, {
      remedy: 'Drop the former ones first: keepseal-collector keys rotate --drop-former-authorities',
    })
  }
  const made = await createCertificateAuthority(now, random)
  into.set(KEY_FILES.authorityKey, privatePem(made.privateKey))
  into.set(KEY_FILES.authorityCertificate, Buffer.from(made.certificate))
  into.set(KEY_FILES.formerAuthorities, Buffer.from(kept.join('')))
  return [made.certificate, ...kept]
}
