import * as v from 'valibot'
import { fromBase64Url, toBase64Url, toHex } from '../../../shared/bytes/bytes.ts'
import { standingOf, type Certificate } from '../../../shared/decisions/certificate.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, HexBytes, Time, toTime, toTimeOrNull } from '../schemas.ts'
import { CERTIFIER, READERS } from './roles.ts'

const EntryText = v.pipe(v.string(), v.maxLength(100_000), v.regex(/^[\w-]+$/, 'base64url'))
const Index = v.pipe(v.string(), v.regex(/^[0-9]{1,9}$/), v.transform(Number))
const PAGE = 500

const next = defineEndpoint({
  method: 'GET',
  path: '/decisions/next',
  operationId: 'getNextDecision',
  summary: 'Where the next entry of the decision log belongs, for whoever signs it',
  roles: READERS,
  scope: 'common',
  response: v.strictObject({
    /** null before the first entry, which brings it. */
    log: v.nullable(HexBytes),
    index: v.number(),
    previous: v.nullable(Digest),
  }),
  run: async ({ decisions }) => {
    const { log, index, previous } = await decisions.next()
    return { log: log === null ? null : toHex(log), index, previous: previous === null ? null : toHex(previous) }
  },
})

const append = defineEndpoint({
  method: 'POST',
  path: '/decisions',
  operationId: 'appendDecision',
  summary: 'Append a signed decision: its signature says who decides, whatever the token',
  roles: READERS,
  scope: 'own',
  body: v.strictObject({ entry: EntryText }),
  bodyBytes: 128 * 1024,
  status: 201,
  response: v.strictObject({ index: v.number(), hash: Digest, author: v.string() }),
  run: async ({ decisions, clock }, { body, actor }) => {
    // The first entry is signed by the key that it brings: there is nobody yet whose signature says anything.
    if ((await decisions.next()).log === null && !CERTIFIER.includes(actor.role)) {
      throw new KeepsealError('auth.forbidden', `role ${actor.role} begins no log`)
    }
    const { index, hash, author } = await decisions.append(fromBase64Url(body.entry), Math.floor(clock() / 1000))
    return { index, hash: toHex(hash), author: author.id }
  },
})

const list = defineEndpoint({
  method: 'GET',
  path: '/decisions',
  operationId: 'listDecisions',
  summary: 'Entries of the decision log as they were signed, in order',
  roles: READERS,
  scope: 'unbound',
  query: v.strictObject({ from: v.optional(Index, '0') }),
  response: v.strictObject({ entries: v.array(EntryText), nextFrom: v.nullable(v.number()) }),
  run: async ({ store }, { query: { from } }) => {
    const entries = await store.decisions.from(from, PAGE)
    return { entries: entries.map(toBase64Url), nextFrom: entries.length < PAGE ? null : from + PAGE }
  },
})

const PersonJson = v.strictObject({
  id: v.string(),
  name: v.string(),
  role: v.string(),
  keyId: Digest,
  revokedAt: v.nullable(Time),
})

const people = defineEndpoint({
  method: 'GET',
  path: '/people',
  operationId: 'listPeople',
  summary: 'Who may sign decisions, as the log says',
  roles: READERS,
  scope: 'own',
  response: v.strictObject({ operator: v.string(), items: v.array(PersonJson) }),
  run: async ({ decisions }) => {
    const { operator, people: known } = await decisions.register()
    const items = [...known.values()].map(({ id, name, role, keyId, revokedAt }) => ({
      id,
      name,
      role,
      keyId,
      revokedAt: revokedAt === null ? null : toTime(revokedAt * 1000),
    }))
    return { operator, items }
  },
})

export const CertificateStanding = v.strictObject({
  id: v.string(),
  number: v.string(),
  /** Never without its profile. */
  profile: v.strictObject({ id: v.string(), version: v.number(), digest: Digest }),
  products: v.array(v.string()),
  state: v.string(),
  reason: v.string(),
  expired: v.boolean(),
  conditionsOverdue: v.boolean(),
  suspensionOverdue: v.boolean(),
  conditions: v.nullable(v.strictObject({ text: v.string(), until: Time, extended: v.boolean() })),
  suspension: v.nullable(v.strictObject({ since: Time, until: Time, products: v.nullable(v.array(v.string())) })),
  claimsAllowedFor: v.array(v.string()),
  issuedAt: v.nullable(Time),
  validFrom: Time,
  validUntil: Time,
  supportUntil: Time,
  supersedes: v.nullable(v.string()),
})

export function certificateStandingJson(
  certificate: Certificate,
  now: number,
): v.InferOutput<typeof CertificateStanding> {
  const at = (seconds: number): string => toTime(seconds * 1000)
  const { isExpired: expired, conditionsOverdue, suspensionOverdue, claimsAllowedFor } = standingOf(certificate, now)
  const { id, number, profile, products, state, reason, conditions, suspension, supersedes } = certificate
  return {
    id,
    number,
    profile: { ...profile },
    products: [...products],
    state,
    reason,
    expired,
    conditionsOverdue,
    suspensionOverdue,
    conditions: conditions === null ? null : { ...conditions, until: at(conditions.until) },
    suspension:
      suspension === null
        ? null
        : {
            since: at(suspension.since),
            until: at(suspension.until),
            products: suspension.products === null ? null : [...suspension.products],
          },
    claimsAllowedFor: [...claimsAllowedFor],
    issuedAt: toTimeOrNull(certificate.issuedAt === null ? null : certificate.issuedAt * 1000),
    validFrom: at(certificate.validFrom),
    validUntil: at(certificate.validUntil),
    supportUntil: at(certificate.supportUntil),
    supersedes,
  }
}

const certificates = defineEndpoint({
  method: 'GET',
  path: '/certificates',
  operationId: 'listCertificateStandings',
  summary: 'All certificates of the decision log with their standing now, newest last',
  roles: READERS,
  scope: 'own',
  response: v.strictObject({ items: v.array(CertificateStanding) }),
  run: async ({ decisions, clock }) => {
    const { certificates: known } = await decisions.register()
    return { items: [...known.values()].map((each) => certificateStandingJson(each, Math.floor(clock() / 1000))) }
  },
})

const certificate = defineEndpoint({
  method: 'GET',
  path: '/certificates/:id',
  operationId: 'getCertificateStanding',
  summary: 'One certificate with its standing now',
  roles: READERS,
  scope: 'own',
  params: v.strictObject({ id: v.pipe(v.string(), v.maxLength(128)) }),
  response: CertificateStanding,
  run: async ({ decisions, clock }, { params }) => {
    const found = (await decisions.register()).certificates.get(params.id)
    if (found === undefined) throw new KeepsealError('request.not-found', `certificate ${params.id}`)
    return certificateStandingJson(found, Math.floor(clock() / 1000))
  },
})

export const decisionEndpoints: readonly Endpoint[] = [next, append, list, people, certificates, certificate]
