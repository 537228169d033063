import * as v from 'valibot'
import { fromHex, toHex } from '../../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { EnrolmentToken } from '../../model/product.ts'
import { FINGERPRINT_KINDS, MAX_REGISTRATIONS } from '../../model/registration.ts'
import { makeId } from '../../store/ids.ts'
import type { Store } from '../../store/index.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, id, Name, nothing, pageOf, pageQuery, Time, toTime, toTimeOrNull } from '../schemas.ts'
import { FLEET, READERS } from './roles.ts'

/** Keys of TPMs that may enrol without a token: what a production line knows of its units before they boot. */

const DAY_SECONDS = 86_400

const Serial = v.pipe(Name, v.minLength(1), v.maxLength(128))
const Entry = v.strictObject({
  kind: v.picklist(FINGERPRINT_KINDS),
  /** SHA-256 of the public area, as the Name has it, or of the certificate in DER; `idevid`: of the IDevID's. */
  fingerprint: Digest,
  /** The serial number that the unit has to claim. */
  serial: v.optional(v.nullable(Serial), null),
})
type Entry = v.InferOutput<typeof Entry>

const Listed = v.strictObject({
  id: id('tok'),
  productId: id('prd'),
  kind: v.picklist(FINGERPRINT_KINDS),
  fingerprint: Digest,
  serial: v.nullable(v.string()),
  state: v.picklist(['unused', 'used', 'revoked', 'expired']),
  createdAt: Time,
  expiresAt: Time,
  usedAt: v.nullable(Time),
  usedByUeid: v.nullable(v.string()),
})

function stateOf({ usedAt, expiresAt, registration }: EnrolmentToken, now: number) {
  if (usedAt !== null) return 'used'
  if (registration?.revokedAt !== null) return 'revoked'
  return expiresAt <= now ? 'expired' : 'unused'
}

function toListed(token: EnrolmentToken, now: number): v.InferOutput<typeof Listed> {
  const { registration } = token
  if (registration === null) throw new KeepsealError('internal.failure', `${token.id} is no registration`)
  return {
    id: token.id,
    productId: token.productId,
    kind: registration.kind,
    fingerprint: toHex(registration.fingerprint),
    serial: registration.serial,
    state: stateOf(token, now),
    createdAt: toTime(token.createdAt),
    expiresAt: toTime(token.expiresAt),
    usedAt: toTimeOrNull(token.usedAt),
    usedByUeid: token.usedByUeid,
  }
}

/** One entry of an import. False where it was there, used or still good. */
async function register(store: Store, entry: Entry, token: EnrolmentToken): Promise<boolean> {
  const before = await store.registrations.ofProduct(token.productId, fromHex(entry.fingerprint))
  if (before !== undefined) {
    if (before.registration?.kind !== entry.kind) return false
    return store.registrations.renew(before.id, entry.serial, token.expiresAt, token.createdAt)
  }
  await store.enrolmentTokens.create(token)
  return true
}

const SHOWN = 5

const create = defineEndpoint({
  method: 'POST',
  path: '/registrations',
  operationId: 'importRegistrations',
  summary:
    'Register endorsement keys or IDevIDs, each of which enrols one device of a product without a token: all or none',
  roles: FLEET,
  scope: 'own',
  bodyBytes: 2 * 1024 * 1024,
  body: v.strictObject({
    productId: id('prd'),
    expiresInSeconds: v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(60), v.maxValue(366 * DAY_SECONDS)),
      90 * DAY_SECONDS,
    ),
    entries: v.pipe(v.array(Entry), v.minLength(1), v.maxLength(MAX_REGISTRATIONS)),
  }),
  status: 201,
  response: v.strictObject({ productId: id('prd'), registered: v.number(), expiresAt: Time }),
  run: async ({ store, clock, random }, { body, actor }) => {
    const now = clock()
    const { productId, entries } = body
    const expiresAt = now + body.expiresInSeconds * 1000
    if (new Set(entries.map(({ fingerprint }) => fingerprint)).size !== entries.length) {
      throw new KeepsealError('request.invalid', 'entries: a fingerprint is there twice')
    }
    await store.transaction(async (transaction) => {
      if ((await transaction.products.byId(productId)) === undefined) {
        throw new KeepsealError('request.not-found', `product ${productId}`)
      }
      const refused: string[] = []
      for (const entry of entries) {
        const token: EnrolmentToken = {
          id: makeId('tok', now, random),
          // Of nothing that anybody could send: the key is looked up by its fingerprint.
          tokenHash: random(32),
          productId,
          reenrolUeid: null,
          expiresAt,
          reservedUntil: null,
          reservedBy: null,
          usedAt: null,
          usedByUeid: null,
          createdAt: now,
          registration: {
            kind: entry.kind,
            fingerprint: fromHex(entry.fingerprint),
            serial: entry.serial,
            revokedAt: null,
          },
        }
        if (!(await register(transaction, entry, token))) refused.push(entry.fingerprint)
      }
      if (refused.length > 0) {
        const more = refused.length > SHOWN ? ` and ${refused.length - SHOWN} more` : ''
        const reason = `registered already, or used: ${refused.slice(0, SHOWN).join(', ')}${more}`
        throw new KeepsealError('request.conflict', reason, { remedy: 'keepseal registration list; nothing was taken' })
      }
      const detail = { productId, entries: entries.length, expiresAt }
      const entry = { at: now, actor: actor.id, action: 'registration.import', subject: productId, detail }
      await transaction.auditLog.append(entry)
    })
    return { productId, registered: entries.length, expiresAt: toTime(expiresAt) }
  },
})

const list = defineEndpoint({
  method: 'GET',
  path: '/registrations',
  operationId: 'listRegistrations',
  summary: 'List registered endorsement keys and IDevIDs, newest first',
  roles: READERS,
  scope: 'own',
  query: v.strictObject({ ...pageQuery, productId: v.optional(id('prd')) }),
  response: pageOf(Listed),
  run: async ({ store, clock }, { query: { productId, ...query } }) => {
    const page = await store.registrations.list(query, productId)
    return { ...page, items: page.items.map((token) => toListed(token, clock())) }
  },
})

const revoke = defineEndpoint({
  method: 'POST',
  path: '/registrations/:id/revoke',
  operationId: 'revokeRegistration',
  summary: 'Let a registered endorsement key or IDevID enrol nothing any more',
  roles: FLEET,
  scope: 'own',
  params: v.strictObject({ id: id('tok') }),
  body: nothing,
  response: Listed,
  run: async ({ store, clock }, { params, actor }) => {
    const now = clock()
    return store.transaction(async (transaction) => {
      const token = await transaction.registrations.byId(params.id)
      if (token === undefined) throw new KeepsealError('request.not-found', `registration ${params.id}`)
      if (!(await transaction.registrations.revoke(token.id, now))) {
        const reason = token.usedAt === null ? 'it was revoked before' : `it was used by ${token.usedByUeid}`
        throw new KeepsealError('request.conflict', reason, { remedy: 'keepseal registration list' })
      }
      const detail = { productId: token.productId }
      const entry = { at: now, actor: actor.id, action: 'registration.revoke', subject: token.id, detail }
      await transaction.auditLog.append(entry)
      const after = await transaction.registrations.byId(token.id)
      return toListed(after ?? token, now)
    })
  },
})

export const registrationEndpoints: readonly Endpoint[] = [create, list, revoke]
