import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { equal, fromHex, fromUtf8, toHex, utf8 } from '../../shared/bytes/bytes.ts'
import { coseKeyThumbprint, decodeCoseKey, encodeCoseKey, type CoseKey } from '../../shared/cose/key.ts'
import type { MacKey } from '../../shared/cose/mac0.ts'
import { ed25519Key, hash, hmac } from '../../shared/crypto/node.ts'
import { KeepsealError, OutcomeError } from '../../shared/errors.ts'
import { EnrolmentGrant, ProductIdentity } from '../../shared/evidence/enrolment.ts'
import type { DeviceKey } from '../../shared/evidence/evidence.ts'
import { isUeid, type Ueid } from '../../shared/evidence/identifiers.ts'
import type { AttestationKeyRequest } from '../tpm/attestation-key.ts'
import { deviceSigner, DEVICE_KEY_SEED_SIZE, type DeviceSigner } from './device-key.ts'
import {
  assertPrivateDirectory,
  currentDirectory,
  ensurePrivateDirectory,
  readPrivateFile,
  switchDirectory,
  TEMPORARY_SUFFIX,
} from './files.ts'
import { statePaths } from './paths.ts'
import { decodeTrust, encodeTrust, FIRST_TRUST, type Trust } from './trust.ts'

export type IdentityAssurance = EnrolmentGrant['identity']

/** What an enrolment made: who this device is, to which collector. */
export interface Identity {
  readonly ueid: Ueid
  readonly assurance: IdentityAssurance
  readonly product: ProductIdentity
  /** Seconds since 1970, by the device's clock. */
  readonly enrolledAt: number
  /** Signs evidence. */
  readonly signer: DeviceSigner
  /** The attestation key; null for a device without a TPM. */
  readonly attestationKey: AttestationKeyRequest | null
  readonly collector: EnrolledCollector
  /** Authenticates receipts and requests. */
  readonly receiptKey: MacKey
  readonly tls: TlsIdentity
  /** How the collector's key and authorities came to be what they are. */
  readonly trust: Trust
}

export interface EnrolledCollector {
  readonly url: string
  readonly mqttUrl: string
  /** 16 bytes. */
  readonly id: Uint8Array
  /** Signs epochs. */
  readonly key: DeviceKey
  readonly publicKey: CoseKey
  /** They have signed what is stored, and sign nothing any more. */
  readonly formerKeys: readonly DeviceKey[]
}

/** All PEM. The authorities are what broker and collector are checked with; the first certifies devices. */
export interface TlsIdentity {
  readonly privateKey: string
  readonly certificate: string
  readonly certificateAuthority: string
}

/** What is stored: an identity, with its secrets in the open. */
export interface IdentityMaterial extends Omit<Identity, 'signer' | 'receiptKey' | 'collector' | 'trust'> {
  /** 32 bytes. */
  readonly deviceKeySeed: Uint8Array
  /** 32 bytes. */
  readonly receiptSecret: Uint8Array
  readonly collector: Omit<EnrolledCollector, 'key' | 'formerKeys'>
  /** As at the enrolment with a collector that never changed, where it is absent. */
  readonly trust?: Trust
}

const FILES = {
  deviceKey: 'device-key',
  receiptKey: 'receipt-key',
  tlsKey: 'tls-key.pem',
  tlsCertificate: 'tls-certificate.pem',
  certificateAuthority: 'ca.pem',
  enrolment: 'enrolment.json',
  /** Absent before the first change; unknown to versions before. */
  trust: 'trust.json',
} as const

const MAX_BYTES = 64 * 1024

const hex = (length: number) => v.pipe(v.string(), v.regex(/^[0-9a-f]*$/), v.length(length * 2), v.transform(fromHex))

const StoredEnrolment = v.strictObject({
  version: v.literal(1),
  ueid: v.pipe(v.string(), v.check(isUeid)),
  identity: EnrolmentGrant.entries.identity,
  product: ProductIdentity,
  enrolledAt: v.pipe(v.number(), v.safeInteger()),
  deviceKeyThumbprint: hex(32),
  attestationKey: v.nullable(v.strictObject({ kind: v.picklist(['ecdsa-p256', 'rsassa-2048']), seed: hex(32) })),
  collectorUrl: v.string(),
  collectorId: hex(16),
  collectorKey: v.pipe(v.string(), v.regex(/^([0-9a-f]{2})+$/), v.transform(fromHex)),
  mqttUrl: v.string(),
})

function filesOf(material: IdentityMaterial): Map<string, Uint8Array> {
  const { collector, attestationKey, tls, trust } = material
  const enrolment: v.InferInput<typeof StoredEnrolment> = {
    version: 1,
    ueid: material.ueid,
    identity: material.assurance,
    product: material.product,
    enrolledAt: material.enrolledAt,
    deviceKeyThumbprint: toHex(deviceSigner(material.deviceKeySeed).keyId),
    attestationKey: attestationKey === null ? null : { kind: attestationKey.kind, seed: toHex(attestationKey.seed) },
    collectorUrl: collector.url,
    collectorId: toHex(collector.id),
    collectorKey: toHex(encodeCoseKey(collector.publicKey)),
    mqttUrl: collector.mqttUrl,
  }
  return new Map([
    [FILES.deviceKey, utf8(`${toHex(material.deviceKeySeed)}\n`)],
    [FILES.receiptKey, utf8(`${toHex(material.receiptSecret)}\n`)],
    [FILES.tlsKey, utf8(tls.privateKey)],
    [FILES.tlsCertificate, utf8(tls.certificate)],
    [FILES.certificateAuthority, utf8(tls.certificateAuthority)],
    [FILES.enrolment, utf8(`${JSON.stringify(enrolment, null, 2)}\n`)],
    ...(trust === undefined ? [] : [[FILES.trust, encodeTrust(trust)] as const]),
  ])
}

/**
 * Puts an identity in force, in place of any earlier one, in one step: a crash leaves the earlier one or none.
 * Throws `state.disk-full`, `state.unwritable`, `state.insecure-permissions`.
 */
export async function saveIdentity(stateDirectory: string, material: IdentityMaterial): Promise<Identity> {
  await ensurePrivateDirectory(stateDirectory)
  await switchDirectory(statePaths(stateDirectory).identity, filesOf(material))
  await removeLeftovers(stateDirectory)
  return loadIdentity(stateDirectory)
}

/** Former identities, and what an interrupted save has left. */
async function removeLeftovers(stateDirectory: string): Promise<void> {
  const { identity } = statePaths(stateDirectory)
  const current = await currentDirectory(identity)
  for (const name of await readdir(stateDirectory)) {
    const leftover = name === `identity${TEMPORARY_SUFFIX}` || (name.startsWith('identity-') && name !== current)
    if (leftover) await rm(join(stateDirectory, name), { recursive: true, force: true })
  }
}

/**
 * Throws `agent.not-enrolled` where there is no identity, `state.insecure-permissions` when others may read it, and
 * `state.unreadable` when a part of it is missing, damaged or does not belong to the others.
 */
export async function loadIdentity(stateDirectory: string): Promise<Identity> {
  const { identity } = statePaths(stateDirectory)
  if ((await currentDirectory(identity)) === undefined) throw new KeepsealError('agent.not-enrolled')
  await assertPrivateDirectory(stateDirectory)
  await assertPrivateDirectory(identity)
  try {
    return identityOf(await readMaterial(identity))
  } catch (cause) {
    if (cause instanceof KeepsealError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new KeepsealError('state.unreadable', `${identity}: ${reason}`, { cause })
  }
}

/** What is stored. Throws `state.unreadable`, and any other error for what does not read as it was written. */
export async function readMaterial(directory: string): Promise<IdentityMaterial> {
  const readIfThere = async (name: string): Promise<string | undefined> => {
    const content = await readPrivateFile(join(directory, name), MAX_BYTES)
    return content === undefined ? undefined : fromUtf8(content)
  }
  const read = async (name: string): Promise<string> => {
    const content = await readIfThere(name)
    if (content === undefined) throw new KeepsealError('state.unreadable', `${join(directory, name)} is missing`)
    return content
  }
  const deviceKeySeed = v.parse(hex(DEVICE_KEY_SEED_SIZE), (await read(FILES.deviceKey)).trim())
  const stored = v.parse(StoredEnrolment, JSON.parse(await read(FILES.enrolment)))
  const trust = await readIfThere(FILES.trust)
  // Any 32 bytes are a key: only this tells a damaged one.
  if (!equal(deviceSigner(deviceKeySeed).keyId, stored.deviceKeyThumbprint)) throw new Error('another device key')
  return {
    ueid: stored.ueid as Ueid,
    assurance: stored.identity,
    product: stored.product,
    enrolledAt: stored.enrolledAt,
    deviceKeySeed,
    receiptSecret: v.parse(hex(32), (await read(FILES.receiptKey)).trim()),
    attestationKey: stored.attestationKey,
    collector: {
      url: stored.collectorUrl,
      mqttUrl: stored.mqttUrl,
      id: stored.collectorId,
      publicKey: decodeCoseKey(stored.collectorKey),
    },
    tls: {
      privateKey: await read(FILES.tlsKey),
      certificate: await read(FILES.tlsCertificate),
      certificateAuthority: await read(FILES.certificateAuthority),
    },
    ...(trust === undefined ? {} : { trust: decodeTrust(trust) }),
  }
}

/** Throws Error for parts that do not belong together. */
function identityOf({ deviceKeySeed, receiptSecret, collector, ...material }: IdentityMaterial): Identity {
  const { ueid, tls, trust = FIRST_TRUST } = material
  const certificate = new X509Certificate(tls.certificate)
  if (!certificate.checkPrivateKey(createPrivateKey(tls.privateKey))) throw new Error('another TLS key')
  if (certificate.subject !== `CN=${ueid}`) throw new Error('the certificate is for another device')
  void new X509Certificate(tls.certificateAuthority)
  const signer = deviceSigner(deviceKeySeed)
  return {
    ...material,
    trust,
    signer,
    receiptKey: { keyId: signer.keyId, secret: receiptSecret, hmac },
    collector: {
      ...collector,
      key: collectorKeyOf(collector.publicKey),
      formerKeys: trust.formerKeys.map(collectorKeyOf),
    },
  }
}

/** The key with which a collector signs epochs. Throws OutcomeError `cose.key-malformed` for any but Ed25519. */
export function collectorKeyOf(publicKey: CoseKey): DeviceKey {
  if (publicKey.curve !== 'Ed25519') throw new OutcomeError('cose.key-malformed', 'not an Ed25519 key')
  return { key: ed25519Key(publicKey.x), thumbprint: coseKeyThumbprint(publicKey, hash) }
}
