import type { CborKey, CborMap, CborValue } from '../cbor/value.ts'
import { stateToCbor, type State } from './state.ts'

/**
 * Claim keys of the evidence's claims-set: registered EAT claims (RFC 9711, CWT claims registry) and our private-use
 * ones. The whole set is in ./keepseal.cddl.
 */
export const claimKey = {
  issuedAt: 6,
  nonce: 10,
  ueid: 256,
  hardwareModel: 259,
  uptime: 261,
  profile: 265,
  bootCount: 267,
  bootSeed: 268,
  softwareName: 270,
  softwareVersion: 271,
  session: -70001,
  sequence: -70002,
  previous: -70003,
  postureDigest: -70004,
  posture: -70005,
  state: -70006,
} as const satisfies Record<string, CborKey>

/**
 * eat_profile as an object identifier (RFC 9711 section 4.3.2), here 2.25.{UUID} (ITU-T X.667), which needs no
 * registration: the content octets of the OID, without tag and length.
 * UUID f3c1a0de-5b8e-4d0a-9c57-6b6565707365 names version 1 of the format in keepseal.cddl.
 */
export const evidenceProfile: Uint8Array = oidOfUuid('f3c1a0de5b8e4d0a9c576b6565707365')

/** Base-128 encoding of the arcs 2.25.{uuid} (X.690 section 8.19). `uuid`: 32 hexadecimal digits. */
export function oidOfUuid(uuid: string): Uint8Array {
  const septets: number[] = []
  for (let rest = BigInt(`0x${uuid}`); ; rest >>= 7n) {
    septets.unshift(Number(rest & 0x7fn) | (septets.length === 0 ? 0 : 0x80))
    if (rest < 0x80n) break
  }
  return Uint8Array.from([2 * 40 + 25, ...septets])
}

/** What an agent claims in one evidence. Nothing here was measured by a TPM; times in seconds. */
export interface Claims {
  readonly issuedAt: number
  /** 32 bytes: the nonce of the newest epoch that the device knows. */
  readonly nonce: Uint8Array
  /** 32 bytes: the nonce of the challenge that this answers, if it answers one. */
  readonly challenge: Uint8Array | null
  /** 17 bytes. */
  readonly ueid: Uint8Array
  readonly hardwareModel: string | null
  readonly uptime: number
  readonly bootCount: number | null
  /** The kernel's boot id. */
  readonly bootSeed: Uint8Array
  readonly softwareName: string
  readonly softwareVersion: string
  /** 16 random bytes, one per agent start. */
  readonly session: Uint8Array
  readonly sequence: number
  readonly previous: Uint8Array | null
  readonly postureDigest: Uint8Array
  readonly posture: PostureMap | null
  readonly state: State
}

/** Section id to SHA-256 of the section's canonical content. */
export type PostureMap = ReadonlyMap<string, Uint8Array>

export function claimsToCbor(claims: Claims): CborMap {
  const map = new Map<CborKey, CborValue>([
    [claimKey.issuedAt, claims.issuedAt],
    // RFC 9711 section 4.1: one nonce, or an array of at least two.
    [claimKey.nonce, claims.challenge === null ? claims.nonce : [claims.nonce, claims.challenge]],
    [claimKey.ueid, claims.ueid],
    [claimKey.uptime, claims.uptime],
    [claimKey.profile, evidenceProfile],
    [claimKey.bootSeed, claims.bootSeed],
    [claimKey.softwareName, claims.softwareName],
    [claimKey.softwareVersion, [claims.softwareVersion]],
    [claimKey.session, claims.session],
    [claimKey.sequence, claims.sequence],
    [claimKey.previous, claims.previous],
    [claimKey.postureDigest, claims.postureDigest],
    [claimKey.state, stateToCbor(claims.state)],
  ])
  if (claims.hardwareModel !== null) map.set(claimKey.hardwareModel, new TextEncoder().encode(claims.hardwareModel))
  if (claims.bootCount !== null) map.set(claimKey.bootCount, claims.bootCount)
  if (claims.posture !== null) map.set(claimKey.posture, claims.posture)
  return map
}
