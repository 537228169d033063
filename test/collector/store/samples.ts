import { createHash } from 'node:crypto'
import { fromHex } from '../../../shared/bytes/bytes.ts'
import { encodePublicArea, type PublicArea } from '../../../shared/tpm/public.ts'
import { attestationKeyTemplate } from '../../../shared/tpm/templates.ts'
import { makeUeid } from '../../../shared/evidence/identifiers.ts'
import type { Device, DeviceTpm } from '../../../collector/model/device.ts'
import type { EvidenceRecord } from '../../../collector/model/evidence.ts'
import type { ReassessmentCase } from '../../../collector/model/case.ts'
import type { Finding } from '../../../collector/model/finding.ts'
import type { EnrolmentToken, Product } from '../../../collector/model/product.ts'
import { makeId, type IdPrefix } from '../../../collector/store/ids.ts'
import type { Store } from '../../../collector/store/index.ts'

/** A public area that can be imported: the template with the base point of P-256 as its key (SEC 2, section 2.4.2). */
const attestationKeyArea: Uint8Array = encodePublicArea({
  ...attestationKeyTemplate('ecdsa-p256', new Uint8Array(32)),
  unique: {
    x: fromHex('6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'),
    y: fromHex('4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5'),
  },
} as PublicArea)

export const NOW = Date.UTC(2026, 4, 1)

/** Bytes that are a function of their label, so that a failure names them. */
export const bytes = (label: string, length = 32): Uint8Array =>
  Uint8Array.from(createHash('sha512').update(label).digest().subarray(0, length))

let serial = 0
export const id = (prefix: IdPrefix, at = NOW): string => makeId(prefix, at, (length) => bytes(`id${serial++}`, length))

export const product = (over: Partial<Product> = {}): Product => ({
  id: id('prd'),
  vendor: 'Acme',
  model: 'Gate 7',
  identityPolicy: 'tofu',
  approvalPolicy: 'manual',
  createdAt: NOW,
  ...over,
})

export const token = (productId: string, over: Partial<EnrolmentToken> = {}): EnrolmentToken => ({
  id: id('tok'),
  tokenHash: bytes(`token${serial++}`),
  productId,
  reenrolUeid: null,
  expiresAt: NOW + 3_600_000,
  reservedUntil: null,
  reservedBy: null,
  usedAt: null,
  usedByUeid: null,
  createdAt: NOW,
  registration: null,
  ...over,
})

export const tpm = (label: string): DeviceTpm => ({
  ekName: bytes(`ek ${label}`, 34),
  ekCertificate: bytes(`certificate ${label}`, 60),
  akPublic: attestationKeyArea,
  akName: bytes(`ak name ${label}`, 34),
})

export const device = (productId: string, label: string, over: Partial<Device> = {}): Omit<Device, 'id'> => ({
  ueid: makeUeid(bytes(label, 16)),
  productId,
  vendor: 'Acme',
  model: 'Gate 7',
  hardwareRevision: 'B',
  serial: label,
  enrolment: 'active',
  identity: 'tpm-tofu',
  deviceKey: bytes(`key ${label}`),
  deviceKeyThumbprint: bytes(`thumbprint ${label}`),
  tlsKeyHash: bytes(`tls ${label}`),
  certificateNotAfter: NOW + 1e10,
  tpm: tpm(label),
  enrolledAt: NOW,
  revokedAt: null,
  ...over,
})

export const evidence = (deviceId: number, seq: number, over: Partial<EvidenceRecord> = {}): EvidenceRecord => ({
  deviceId,
  session: bytes('session', 16),
  seq,
  hash: bytes(`evidence ${deviceId} ${seq}`),
  previous: seq === 0 ? null : bytes(`evidence ${deviceId} ${seq - 1}`),
  epoch: 1,
  receivedAt: NOW + seq,
  fresh: true,
  outcome: null,
  verdict: 'affirming',
  postureDigest: bytes('posture'),
  pcrDigest: bytes('pcrs'),
  bytes: bytes(`message ${deviceId} ${seq}`, 64),
  ...over,
})

export const finding = (deviceId: number, over: Partial<Finding> = {}): Finding => ({
  id: id('fnd'),
  deviceId,
  code: 'sockets.listener-added',
  subject: 'tcp/0.0.0.0:4444',
  before: null,
  after: 'nc',
  severity: 'high',
  state: 'open',
  openedAt: NOW,
  lastSeenAt: NOW,
  resolvedAt: null,
  firstOpenedAt: over.openedAt ?? NOW,
  openings: 1,
  evidenceHash: bytes('evidence'),
  hysteresis: null,
  acknowledgement: null,
  ...over,
})

/** A case that nobody has decided about. */
export const reassessment = (productId: string, over: Partial<ReassessmentCase> = {}): ReassessmentCase => ({
  id: id('cas'),
  productId,
  certificateId: 'crt_1',
  releaseId: null,
  cause: 'sockets.listener-added',
  subject: '',
  trigger: 'T3',
  isOnce: false,
  severity: 'high',
  state: 'triggered',
  openedAt: NOW,
  detectedAt: NOW,
  triageBy: NOW + 7 * 86_400_000,
  facts: { cause: 'sockets.listener-added', summary: 'a listener' },
  ...over,
})

export async function storedProduct(store: Store, over: Partial<Product> = {}): Promise<Product> {
  const made = product(over)
  await store.products.create(made)
  return made
}

/** An enrolled device, of the given product or of a new one. */
export async function storedDevice(
  store: Store,
  label = 'one',
  productId?: string,
  over: Partial<Device> = {},
): Promise<Device> {
  const owner = productId ?? (await storedProduct(store, { model: `model of ${label}` })).id
  return store.devices.insert(device(owner, label, over))
}

/** Follows the cursors to the end. */
export async function everyPage<T>(
  list: (cursor: string | null) => Promise<{ items: readonly T[]; nextCursor: string | null }>,
): Promise<readonly (readonly T[])[]> {
  const pages: (readonly T[])[] = []
  let cursor: string | null = null
  do {
    const page: { items: readonly T[]; nextCursor: string | null } = await list(cursor)
    pages.push(page.items)
    cursor = page.nextCursor
  } while (cursor !== null)
  return pages
}
