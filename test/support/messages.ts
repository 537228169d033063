import { coseKeyThumbprint } from '../../shared/cose/key.ts'
import type { MacKey } from '../../shared/cose/mac0.ts'
import type { Signer } from '../../shared/cose/sign1.ts'
import { ed25519Key, hash, hmac } from '../../shared/crypto/node.ts'
import type { Challenge } from '../../shared/evidence/challenge.ts'
import type { Claims } from '../../shared/evidence/claims.ts'
import type { Receipt } from '../../shared/evidence/down.ts'
import type { EpochMessage } from '../../shared/evidence/epoch.ts'
import type { Successor } from '../../shared/evidence/succession.ts'
import type { RestorePointMessage } from '../../shared/evidence/restore-point.ts'
import { encodeClaims, signEvidence, type DeviceKey } from '../../shared/evidence/evidence.ts'
import { makeUeid, ueidBytes, type Ueid } from '../../shared/evidence/identifiers.ts'
import { postureDigestOf } from '../../shared/evidence/posture-digest.ts'
import type { SectionPart } from '../../shared/evidence/section-part.ts'
import type { TpmEvidence } from '../../shared/evidence/tpm-evidence.ts'
import { ed25519Signer } from './node-signer.ts'

/** Messages as a gateway and its collector exchange them, with keys that are the same in every run. */

/** `length` bytes that tell one value from another. */
export const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)

export interface KeyPair {
  readonly signer: Signer
  readonly key: DeviceKey
}

export function keyPair(seed: number): KeyPair {
  const { signer, x } = ed25519Signer(filled(32, seed))
  return { signer, key: { key: ed25519Key(x), thumbprint: coseKeyThumbprint({ curve: 'Ed25519', x }, hash) } }
}

export const device = keyPair(1)
export const otherDevice = keyPair(2)
export const collector = keyPair(3)
export const ueid: Ueid = makeUeid(filled(16, 0xa1))
export const otherUeid: Ueid = makeUeid(filled(16, 0xa2))
export const receiptKey: MacKey = { keyId: device.key.thumbprint, secret: filled(32, 9), hmac }

export const posture = new Map([
  ['boot', filled(32, 0x51)],
  ['packages', filled(32, 0x52)],
  ['sockets', filled(32, 0x53)],
  ['system', filled(32, 0x54)],
  ['update-channel', filled(32, 0x55)],
])

/** An hour after the start of the agent, nothing has changed. */
export const steadyClaims: Claims = {
  issuedAt: 1_781_234_567,
  nonce: filled(32, 0x11),
  challenge: null,
  ueid: ueidBytes(ueid),
  hardwareModel: 'GW-1 rev B',
  uptime: 4_000_000,
  bootCount: null,
  bootSeed: filled(16, 0x12),
  softwareName: 'keepseal-agent',
  softwareVersion: '0.1.0',
  session: filled(16, 0x13),
  sequence: 8_640,
  previous: filled(32, 0x14),
  postureDigest: postureDigestOf(posture, hash),
  posture: null,
  state: new Map<string, number | boolean | string>([
    ['update-channel.last-check-age', 43_210],
    ['update-channel.last-check-source', 'stamp'],
    ['sockets.own-addresses', 'tcp/192.168.1.10:22 udp/192.168.1.10:68'],
    ['sockets.replaced-executables', 2],
    ['outbox.waiting', 1],
    ['outbox.dropped', 0],
    ['outbox.refused', 0],
    ['agent.rss-kib', 48_120],
  ]),
}

/** By length what a TPM with an ECDSA P-256 attestation key gives: these are never read as TPM structures. */
export const steadyTpm: TpmEvidence = {
  attest: filled(145, 0x21),
  signature: filled(72, 0x22),
  pcrs: null,
  logs: { firmware: filled(32, 0x23), ima: null },
}

/** The first after a boot: everything that an evidence can carry. */
export const fullClaims: Claims = { ...steadyClaims, sequence: 0, previous: null, bootCount: 17, posture }

export const fullTpm: TpmEvidence = {
  ...steadyTpm,
  pcrs: new Map([
    ['sha1', new Map([[0, filled(20, 0x30)]])],
    ['sha256', new Map(Array.from({ length: 15 }, (_, pcr) => [pcr, filled(32, 0x31 + pcr)] as const))],
  ]),
  logs: { firmware: filled(32, 0x23), ima: { first: 1234, entries: filled(300, 0x24) } },
}

export const evidenceOf = (claims: Claims, tpm: TpmEvidence | null): Promise<Uint8Array> =>
  signEvidence({ ueid, claimsBytes: encodeClaims(claims), tpm }, device.signer)

export const sectionPart: SectionPart = {
  digest: filled(32, 0x51),
  size: 500,
  encoding: 1,
  index: 0,
  count: 1,
  part: filled(90, 0x61),
}

export const receipt: Receipt = {
  number: 42,
  sessions: [
    { session: filled(16, 0x13), contiguousTo: 8_639, extra: [8_641, 8_643] },
    { session: filled(16, 0x14), contiguousTo: -1, extra: [] },
  ],
  refused: [{ hash: filled(32, 0x71), code: 'link.previous-mismatch' }],
}

export const restorePoint: RestorePointMessage = {
  collectorId: filled(16, 0x81),
  number: 1_781_234_400_123,
  restoredAt: 1_781_234_400,
  newestReceiptAt: 1_781_230_000,
  firstEpoch: 1_781_234_400,
}

export const successor: Successor = {
  collectorId: filled(16, 0x81),
  number: 3,
  at: 1_781_234_000,
  key: filled(32, 0x21),
  authorities: [filled(430, 0x30), filled(430, 0x31)],
  mqttUrl: 'mqtts://broker.example:8883',
  collectorUrl: 'https://collector.example:8443',
}

export const challenge: Challenge = { number: 1_781_234_567_890, nonce: filled(32, 0x15), expiresAt: 1_781_320_967 }

export const epoch: EpochMessage = {
  collectorId: filled(16, 0x81),
  number: 1001,
  nonce: filled(32, 0x11),
  issuedAt: 1_781_234_500,
  period: 300,
}
