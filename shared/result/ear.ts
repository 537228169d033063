import { toBase64Url, utf8 } from '../bytes/bytes.ts'
import { encodeCbor } from '../cbor/codec.ts'
import type { CborMap, CborValue } from '../cbor/value.ts'
import { signSign1, type Signer } from '../cose/sign1.ts'
import { ueidBytes, type Ueid } from '../evidence/identifiers.ts'
import { statusOf, TIER, VECTOR_CLAIMS, vectorOf, type Concluded } from './vector.ts'

/** An attestation result in the making: what was concluded, about whom, on which evidence, until when. */
export interface ResultContent extends Concluded {
  readonly ueid: Ueid
  /** Nonce of the evidence that it stands on; null for a device that was never heard. */
  readonly nonce: Uint8Array | null
  /** Seconds since 1970. */
  readonly issuedAt: number
  readonly expiresAt: number
  /** Who concluded it. */
  readonly verifier: { readonly developer: string; readonly build: string }
  /** What the device was held against: a release, or the values that a person approved. */
  readonly policies: readonly string[]
  readonly latch: string
  readonly liveness: string
  /** Fresh only because the verifier's own downtime extended the time for which evidence is. */
  readonly freshnessExtended: boolean
  /** `covered`, or why no certificate covers it; and the certificate that does, or nearly does. */
  readonly coverage: string
  readonly certificate: string | null
}

/**
 * Which names the claims have. `current`: draft-ietf-rats-ear-04. `veraison`: those of the draft's first versions, which
 * Veraison's tools read.
 */
export const EAR_DIALECTS = ['current', 'veraison'] as const
export type EarDialect = (typeof EAR_DIALECTS)[number]

const PROFILE: Readonly<Record<EarDialect, string>> = {
  current: 'tag:ietf.org,2026:rats/ear#04',
  veraison: 'tag:github.com,2023:veraison/ear',
}

export const EAR_CONTENT_TYPE = 'application/eat+cwt'

/** A result is a statement about a moment: whoever holds one asks again after this time. */
export const MAX_RESULT_LIFETIME_SECONDS = 3600

/** Name of the one submodule: the gateway as a whole. */
const SUBMODULE = 'gateway'

/** CBOR labels: CWT and EAT claims registries, draft-ietf-rats-ear section 3, and our private ones. */
export const EAR_LABEL = {
  exp: 4,
  iat: 6,
  nonce: 10,
  ueid: 256,
  profile: 265,
  submods: 266,
  status: 1000,
  vector: 1001,
  policies: 1003,
  verifier: 1004,
  attesterClaims: 1005,
  verifierClaims: 1006,
  reasons: -70020,
  identity: -70021,
  bootCoverage: -70022,
  latch: -70023,
  liveness: -70024,
  files: -70025,
  freshnessExtended: -70026,
  coverage: -70027,
  certificate: -70028,
} as const

/** Our reasons, worst first: the code that the verdict stands on, then the findings. */
function reasonsOf({ verdictCode, findings }: ResultContent): readonly string[] {
  return [...new Set([...(verdictCode === null ? [] : [verdictCode]), ...findings])]
}

/** The claims-set in CBOR, draft-ietf-rats-ear section 3. */
export function earToCbor(content: ResultContent, dialect: EarDialect): CborMap {
  const { ueid, nonce, issuedAt, expiresAt, verifier, policies } = content
  const { identity, bootCoverage, latch, liveness, files, freshnessExtended, coverage, certificate } = content
  const vector = vectorOf(content)
  const claims = VECTOR_CLAIMS.flatMap((claim, label) => {
    const value = vector[claim]
    return value === undefined ? [] : [[label, value] as const]
  })
  const ours: [number, CborValue][] = [
    [EAR_LABEL.reasons, reasonsOf(content)],
    [EAR_LABEL.identity, identity],
    [EAR_LABEL.bootCoverage, bootCoverage],
    [EAR_LABEL.latch, latch],
    [EAR_LABEL.liveness, liveness],
    [EAR_LABEL.files, files],
    [EAR_LABEL.freshnessExtended, freshnessExtended],
    [EAR_LABEL.coverage, coverage],
    ...(certificate === null ? [] : [[EAR_LABEL.certificate, certificate] as [number, CborValue]]),
  ]
  const isCurrent = dialect === 'current'
  const appraisal = new Map<number, CborValue>([
    [EAR_LABEL.status, TIER[statusOf(content, vector)]],
    ...(claims.length === 0 ? [] : [[EAR_LABEL.vector, new Map(claims)] as const]),
    ...(policies.length === 0 ? [] : [[EAR_LABEL.policies, isCurrent ? policies : policies.join(' ')] as const]),
    ...(isCurrent
      ? [
          [EAR_LABEL.attesterClaims, new Map([[EAR_LABEL.ueid, ueidBytes(ueid)]])] as const,
          [EAR_LABEL.verifierClaims, new Map(ours)] as const,
        ]
      : [[EAR_LABEL.ueid, ueidBytes(ueid)] as const, ...ours]),
  ])
  return new Map<number, CborValue>([
    [EAR_LABEL.profile, PROFILE[dialect]],
    [EAR_LABEL.iat, issuedAt],
    [EAR_LABEL.exp, expiresAt],
    [EAR_LABEL.verifier, new Map([verifier.developer, verifier.build].entries())],
    [EAR_LABEL.submods, new Map([[SUBMODULE, appraisal]])],
    ...(nonce === null ? [] : [[EAR_LABEL.nonce, nonce] as const]),
  ])
}

/** The same claims-set in JSON. Byte strings are base64url. */
export function earToJson(content: ResultContent, dialect: EarDialect): Record<string, unknown> {
  const { ueid, nonce, issuedAt, expiresAt, verifier, policies } = content
  const { identity, bootCoverage, latch, liveness, files, freshnessExtended, coverage, certificate } = content
  const vector = vectorOf(content)
  const isCurrent = dialect === 'current'
  const ear = (name: string): string => (isCurrent ? `ear_${name.replaceAll('-', '_')}` : `ear.${name}`)
  const ours = {
    keepseal_reasons: reasonsOf(content),
    keepseal_identity: identity,
    keepseal_boot_coverage: bootCoverage,
    keepseal_latch: latch,
    keepseal_liveness: liveness,
    keepseal_files: files,
    keepseal_freshness_extended: freshnessExtended,
    keepseal_coverage: coverage,
    ...(certificate === null ? {} : { keepseal_certificate: certificate }),
  }
  const device = { ueid: toBase64Url(ueidBytes(ueid)) }
  const policy = isCurrent
    ? { [ear('appraisal-policy-ids')]: policies }
    : { [ear('appraisal-policy-id')]: policies.join(' ') }
  return {
    eat_profile: PROFILE[dialect],
    iat: issuedAt,
    exp: expiresAt,
    [ear('verifier-id')]: { ...verifier },
    ...(nonce === null ? {} : { eat_nonce: toBase64Url(nonce) }),
    submods: {
      [SUBMODULE]: {
        [ear('status')]: statusOf(content, vector),
        ...(Object.keys(vector).length === 0 ? {} : { [ear('trustworthiness-vector')]: vector }),
        ...(policies.length === 0 ? {} : policy),
        ...(isCurrent ? { [ear('attester-claims')]: device, [ear('verifier-claims')]: ours } : { ...device, ...ours }),
      },
    },
  }
}

/**
 * As CWT (RFC 8392), which any COSE library verifies: there is no context beside the message, since the claims name
 * the device themselves.
 */
export function signEarCwt(content: ResultContent, dialect: EarDialect, signer: Signer): Promise<Uint8Array> {
  return signSign1({
    payload: encodeCbor(earToCbor(content, dialect)),
    contentType: EAR_CONTENT_TYPE,
    externalAad: new Uint8Array(0),
    signer,
  })
}

/** As JWT (RFC 7519) with Ed25519 (RFC 8037). */
export async function signEarJwt(content: ResultContent, dialect: EarDialect, signer: Signer): Promise<string> {
  const part = (value: object): string => toBase64Url(utf8(JSON.stringify(value)))
  const header = part({ alg: 'EdDSA', typ: 'eat+jwt', kid: toBase64Url(signer.keyId) })
  const signed = `${header}.${part(earToJson(content, dialect))}`
  return `${signed}.${toBase64Url(await signer.sign(utf8(signed)))}`
}
