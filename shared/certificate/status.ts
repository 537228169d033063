import * as v from 'valibot'
import { toHex } from '../bytes/bytes.ts'
import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import type { CborValue } from '../cbor/value.ts'
import { parseSign1, signSign1, verifySign1, type Signer } from '../cose/sign1.ts'
import type { VerificationKey } from '../crypto/crypto.ts'
import { CERTIFICATE_STATES, PUBLIC_CONFORMITY, standingOf, type Certificate } from '../decisions/certificate.ts'
import { cborToJson, jsonToCbor, type Json } from '../decisions/json-cbor.ts'
import { lineSchema, productsSchema } from '../decisions/products.ts'
import type { Register } from '../decisions/register.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'
import { contentType, messageAad } from '../evidence/roles.ts'

/** How long a status may be believed, unless it is told otherwise. */
export const STATUS_LIFETIME_SECONDS = 86_400

const seconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const names = v.array(v.string())

/** What a published status says, beside whose it is and how long it holds. */
const statusBody = v.strictObject({
  number: v.string(),
  state: v.picklist(CERTIFICATE_STATES),
  claimsAllowedFor: names,
  conditions: v.nullable(v.strictObject({ text: v.string(), until: seconds, extended: v.boolean() })),
  conditionsOverdue: v.boolean(),
  suspension: v.nullable(v.strictObject({ since: seconds, until: seconds, products: v.nullable(names) })),
  issuedAt: v.nullable(seconds),
  validFrom: seconds,
  validUntil: seconds,
  supportUntil: seconds,
  supersedes: v.nullable(v.string()),
  /** A certificate is never shown without its profile. */
  profile: v.strictObject({ id: v.string(), version: v.number(), digest }),
  targets: v.record(v.string(), v.strictObject({ level: v.number(), scope: v.string() })),
  /** Public limitations of the profile; null where its document is not with this collector. */
  limitations: v.nullable(
    v.array(
      v.strictObject({ id: v.string(), title: v.string(), reason: v.string(), compensation: v.nullable(v.string()) }),
    ),
  ),
  products: productsSchema,
  line: v.nullable(lineSchema),
  publicConformity: v.picklist(PUBLIC_CONFORMITY),
  /** Live conformity, as far as it was agreed to be public: null for not at all. */
  conformity: v.nullable(v.record(v.string(), v.string())),
  /**
   * Of the active units of each product that percentage which is covered; null: none is active. Absent where it is not
   * public, and in statuses of earlier versions.
   */
  coverage: v.optional(
    v.record(v.string(), v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100)))),
  ),
  /** Who operates the collector: a vendor who watches himself says so. */
  operator: v.string(),
  log: v.strictObject({ id: v.string(), index: v.number(), hash: digest }),
})
export type StatusBody = v.InferOutput<typeof statusBody>

export interface CertificateStatus {
  readonly certificate: string
  /** Seconds since 1970: when it was said, and until when it may be believed. */
  readonly issuedAt: number
  readonly expiresAt: number
  /** Its place in the list that has the statuses of many: draft-ietf-oauth-status-list. */
  readonly list: { readonly uri: string; readonly index: number }
  readonly body: StatusBody
}

export interface PublicExtras {
  /** Identity of the log. */
  readonly logId: Uint8Array
  readonly limitations: StatusBody['limitations']
  /** Of the certificate as `overall`, and of each practice; undefined while nobody computes it. */
  readonly conformity: Readonly<Record<string, string>> | undefined
  /** Percentage of the active units that are covered, by product. */
  readonly coverage?: Readonly<Record<string, number | null>> | undefined
}

/** `at`: seconds since 1970. */
export function statusBodyOf(
  certificate: Certificate,
  register: Register,
  at: number,
  extras: PublicExtras,
): StatusBody {
  const { head, operator, profiles } = register
  if (head === null) throw new Error('a certificate without a log')
  const { number, conditions, suspension, issuedAt, validFrom, validUntil, supportUntil, supersedes } = certificate
  const { state, claimsAllowedFor, conditionsOverdue } = standingOf(certificate, at)
  const { profile, products, line, agreement } = certificate
  const version = profiles.get(profile.id)?.find((each) => each.version === profile.version)
  return {
    number,
    state,
    claimsAllowedFor: [...claimsAllowedFor],
    conditions: conditions === null ? null : { ...conditions },
    conditionsOverdue,
    suspension:
      suspension === null ? null : { ...suspension, products: suspension.products && [...suspension.products] },
    issuedAt,
    validFrom,
    validUntil,
    supportUntil,
    supersedes,
    profile: { ...profile },
    targets: { ...version?.targets },
    limitations: extras.limitations,
    products: [...products],
    line,
    publicConformity: agreement.publicConformity,
    conformity: publicConformity(agreement.publicConformity, extras.conformity),
    ...(agreement.publicConformity === 'full' && extras.coverage !== undefined
      ? { coverage: { ...extras.coverage } }
      : {}),
    operator,
    log: { id: toHex(extras.logId), index: head.index, hash: toHex(head.hash) },
  }
}

/** Without a computed conformity it is `unknown`, never left out: silence would look good. */
function publicConformity(
  shown: StatusBody['publicConformity'],
  known: PublicExtras['conformity'],
): StatusBody['conformity'] {
  if (shown === 'none') return null
  const all = { overall: 'unknown', ...known }
  return shown === 'full' ? all : { overall: all.overall }
}

/** CWT claims (RFC 8392): sub, exp, iat, the reference of draft-ietf-oauth-status-list, and a private one. */
const LABEL = { sub: 2, exp: 4, iat: 6, reference: 65_535, status: -70030 } as const
const AAD = messageAad('certificate-status', null)
const LIMITS = { maxBytes: 262_144, maxDepth: 12, maxItems: 16_384 }

/** certificate.cddl, certificate-status: a COSE_Sign1 by the key of the collector. */
export function signStatus(
  { certificate, issuedAt, expiresAt, list, body }: CertificateStatus,
  signer: Signer,
): Promise<Uint8Array> {
  const claims = new Map<number, CborValue>([
    [LABEL.sub, certificate],
    [LABEL.exp, expiresAt],
    [LABEL.iat, issuedAt],
    [
      LABEL.reference,
      new Map([
        [
          'status_list',
          new Map<string, CborValue>([
            ['idx', list.index],
            ['uri', list.uri],
          ]),
        ],
      ]),
    ],
    [LABEL.status, jsonToCbor(body as Json)],
  ])
  return signSign1({
    payload: encodeCbor(claims),
    contentType: contentType('certificate-status'),
    externalAad: AAD,
    signer,
  })
}

export interface StatusKey {
  readonly key: VerificationKey
  readonly thumbprint: Uint8Array
}

/** Throws KeepsealError `certificate.status-invalid`, which names the place, unless this key has signed exactly this. */
export function openStatus(bytes: Uint8Array, { key, thumbprint }: StatusKey): CertificateStatus {
  try {
    const message = parseSign1(bytes, LIMITS)
    const { payload } = verifySign1(message, {
      key,
      keyId: thumbprint,
      externalAad: AAD,
      contentType: contentType('certificate-status'),
    })
    const claims = field(decodeCbor(payload, LIMITS), 'claims.malformed', 'status').requireOnly(Object.values(LABEL))
    const body = v.safeParse(statusBody, cborToJson(claims.at(LABEL.status, 'status').value))
    if (!body.success) {
      const [issue] = body.issues
      throw new KeepsealError('certificate.status-invalid', `${v.getDotPath(issue) ?? 'status'}: ${issue.message}`)
    }
    const list = claims
      .at(LABEL.reference, 'reference')
      .requireOnly(['status_list'])
      .at('status_list')
      .requireOnly(['idx', 'uri'])
    return {
      certificate: claims.at(LABEL.sub, 'sub').text({ min: 1, max: 128 }),
      issuedAt: claims.at(LABEL.iat, 'iat').uint(),
      expiresAt: claims.at(LABEL.exp, 'exp').uint(),
      list: { uri: list.at('uri').text({ min: 1, max: 2048 }), index: list.at('idx').uint() },
      body: body.output,
    }
  } catch (cause) {
    const isBad = cause instanceof OutcomeError || (cause instanceof KeepsealError && cause.code === 'log.malformed')
    if (isBad) throw new KeepsealError('certificate.status-invalid', cause.message, { cause })
    throw cause
  }
}
