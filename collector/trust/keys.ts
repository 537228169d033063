import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { fromBase64Url, fromHex, toHex } from '../../shared/bytes/bytes.ts'
import { encodeCbor } from '../../shared/cbor/codec.ts'
import { encodeStrings } from '../../shared/cbor/strings.ts'
import { COSE_ALGORITHM } from '../../shared/cose/algorithms.ts'
import { coseKeyThumbprint, type CoseKey } from '../../shared/cose/key.ts'
import type { Signer } from '../../shared/cose/sign1.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { hash, hmac } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { ueidBytes, type Ueid } from '../../shared/evidence/identifiers.ts'
import type { KeyHistory } from '../../shared/evidence/key-history.ts'
import {
  createCertificateAuthority,
  parseCertificateAuthority,
  type CertificateAuthority,
} from './certificate-authority.ts'
import { assertPrivateDirectory, createSecretDirectory, exists, readSecretFile } from './key-files.ts'
import { finishRotation } from './rotation-files.ts'
import { keyHistoryOf, readSuccession, type Succession } from './succession.ts'

/** What makes this collector itself: made once, at the first start, and then kept for its life. */
export interface CollectorKeys {
  /** Where they are: `${data}/keys`. */
  readonly directory: string
  /** 16 random bytes; not a key. */
  readonly collectorId: Uint8Array
  /** The key that signs epochs, and its public half. */
  readonly signer: Signer
  readonly publicKey: CoseKey
  readonly authority: CertificateAuthority
  /** PEM of all authorities that hold: the one above, and former ones whose certificates are still out there. */
  readonly authorities: string
  /** How devices that trust an earlier key or authority get to these; null before the first rotation. */
  readonly succession: Succession | null
  /** The same for those who are no devices. */
  readonly keyHistory: KeyHistory
  /**
   * The 32-byte key that authenticates receipts and requests to one device. It is derived, so that no database and
   * no backup of one holds a secret; a new device key brings a new one.
   */
  receiptKeyOf(ueid: Ueid, deviceKeyThumbprint: Uint8Array): Uint8Array
  /** 32 bytes: authenticates challenges of our own, which any replica can then check without a table. */
  readonly challengeKey: Uint8Array
  /** The 20-byte secret of a person's one-time codes, derived for the same reason; a new salt brings a new one. */
  totpSecretOf(accountId: string, salt: Uint8Array): Uint8Array
}

export const KEY_FILES = {
  collectorId: 'collector-id',
  signingKey: 'signing-key.pem',
  receiptMaster: 'receipt-master',
  authorityKey: 'device-ca-key.pem',
  authorityCertificate: 'device-ca.pem',
  /** Absent before there is one. */
  formerAuthorities: 'former-device-cas.pem',
  succession: 'succession.cbor',
  /** Public half of the key that has signed the first statement of it. */
  firstKey: 'first-key',
} as const

export const privatePem = (key: KeyObject): Buffer => Buffer.from(key.export({ format: 'pem', type: 'pkcs8' }))

async function create(directory: string, now: number, random: RandomFunction): Promise<void> {
  const authority = await createCertificateAuthority(now, random)
  const files = new Map<string, Uint8Array>([
    [KEY_FILES.collectorId, Buffer.from(`${toHex(random(16))}\n`)],
    [KEY_FILES.signingKey, privatePem(generateKeyPairSync('ed25519').privateKey)],
    [KEY_FILES.receiptMaster, Buffer.from(`${toHex(random(32))}\n`)],
    [KEY_FILES.authorityKey, privatePem(authority.privateKey)],
    [KEY_FILES.authorityCertificate, Buffer.from(authority.certificate)],
  ])
  await createSecretDirectory(directory, files)
}

/** A file of one line of hexadecimal. */
async function readHex(path: string, length: number): Promise<Uint8Array> {
  const text = (await readSecretFile(path)).toString('latin1').trim()
  if (text.length !== length * 2 || !/^[0-9a-f]*$/.test(text)) throw new KeepsealError('state.unreadable', path)
  return fromHex(text)
}

async function readSigningKey(path: string): Promise<{ signer: Signer; publicKey: CoseKey }> {
  const pem = await readSecretFile(path)
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch (cause) {
    throw new KeepsealError('state.unreadable', path, { cause })
  }
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  if (key.asymmetricKeyType !== 'ed25519' || x === undefined) throw new KeepsealError('state.unreadable', path)
  const publicKey: CoseKey = { curve: 'Ed25519', x: fromBase64Url(x) }
  const keyId = coseKeyThumbprint(publicKey, hash)
  return {
    publicKey,
    signer: { algorithm: COSE_ALGORITHM.Ed25519, keyId, sign: (message) => sign(null, message, key) },
  }
}

async function load(directory: string): Promise<CollectorKeys> {
  await assertPrivateDirectory(directory)
  await finishRotation(directory)
  const master = await readHex(join(directory, KEY_FILES.receiptMaster), 32)
  const { signer, publicKey } = await readSigningKey(join(directory, KEY_FILES.signingKey))
  const collectorId = await readHex(join(directory, KEY_FILES.collectorId), 16)
  const authority = parseCertificateAuthority(
    (await readSecretFile(join(directory, KEY_FILES.authorityKey))).toString('latin1'),
    (await readSecretFile(join(directory, KEY_FILES.authorityCertificate))).toString('latin1'),
  )
  const former = join(directory, KEY_FILES.formerAuthorities)
  const chain = join(directory, KEY_FILES.succession)
  const succession = (await exists(chain))
    ? readSuccession(chain, await readSecretFile(chain), collectorId, publicKey)
    : null
  const first = join(directory, KEY_FILES.firstKey)
  return {
    directory,
    collectorId,
    signer,
    publicKey,
    authority,
    authorities:
      authority.certificate + ((await exists(former)) ? (await readSecretFile(former)).toString('latin1') : ''),
    succession,
    keyHistory: keyHistoryOf(succession, publicKey, (await exists(first)) ? await readHex(first, 32) : null),
    receiptKeyOf: (ueid, deviceKeyThumbprint) =>
      hmac('sha256', master, encodeStrings(['keepseal-receipt-key-v1', ueidBytes(ueid), deviceKeyThumbprint])),
    challengeKey: hmac('sha256', master, encodeCbor(['keepseal-challenge-key-v1'])),
    totpSecretOf: (accountId, salt) =>
      Uint8Array.from(hmac('sha256', master, encodeCbor(['keepseal-totp-v1', accountId, salt])).subarray(0, 20)),
  }
}

/**
 * Loads the collector's keys from `${dataDirectory}/keys`, and makes them where that does not exist yet: all in one
 * step, so a missing file later is damage (`state.unreadable`) and never silently a new identity, which no device
 * would know. Throws `state.insecure-permissions` when others can read one of them, `state.disk-full`.
 */
export async function loadOrCreateKeys(options: {
  readonly dataDirectory: string
  readonly now: number
  readonly random: RandomFunction
}): Promise<CollectorKeys> {
  const directory = join(options.dataDirectory, 'keys')
  if (!(await exists(directory))) await create(directory, options.now, options.random)
  return load(directory)
}
