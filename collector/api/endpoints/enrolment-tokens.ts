import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import type { EnrolmentToken } from '../../model/product.ts'
import { makeId } from '../../store/ids.ts'
import { makeToken } from '../authentication.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, pageOf, pageQuery, Time, toTime, toTimeOrNull, UeidText } from '../schemas.ts'
import { FLEET, READERS } from './roles.ts'

const DAY_SECONDS = 86_400

const TokenState = v.picklist(['unused', 'reserved', 'used', 'expired'])

const tokenFields = {
  id: id('tok'),
  productId: id('prd'),
  /** Set when the token is for the re-enrolment of one known device. */
  reenrolUeid: v.nullable(v.string()),
  expiresAt: Time,
  createdAt: Time,
}
const Listed = v.strictObject({
  ...tokenFields,
  state: TokenState,
  usedAt: v.nullable(Time),
  usedByUeid: v.nullable(v.string()),
})
/** `token` is shown here and never again. */
const Created = v.strictObject({ ...tokenFields, token: v.string() })

const common = (token: EnrolmentToken) => ({
  id: token.id,
  productId: token.productId,
  reenrolUeid: token.reenrolUeid,
  expiresAt: toTime(token.expiresAt),
  createdAt: toTime(token.createdAt),
})

function stateOf(token: EnrolmentToken, now: number): v.InferOutput<typeof TokenState> {
  if (token.usedAt !== null) return 'used'
  if (token.reservedUntil !== null && token.reservedUntil > now) return 'reserved'
  return token.expiresAt <= now ? 'expired' : 'unused'
}

const create = defineEndpoint({
  method: 'POST',
  path: '/enrolment-tokens',
  operationId: 'createEnrolmentToken',
  summary: 'Make a one-time token with which one device of a product can enrol',
  roles: FLEET,
  scope: 'own',
  body: v.strictObject({
    productId: id('prd'),
    expiresInSeconds: v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(60), v.maxValue(30 * DAY_SECONDS)),
      DAY_SECONDS,
    ),
    reenrolUeid: v.optional(UeidText),
  }),
  status: 201,
  response: Created,
  run: async ({ store, clock, random }, { body, actor }) => {
    const now = clock()
    const secret = makeToken('kse', random)
    const token: EnrolmentToken = {
      id: makeId('tok', now, random),
      tokenHash: secret.hash,
      productId: body.productId,
      reenrolUeid: body.reenrolUeid ?? null,
      expiresAt: now + body.expiresInSeconds * 1000,
      reservedUntil: null,
      reservedBy: null,
      usedAt: null,
      usedByUeid: null,
      createdAt: now,
      registration: null,
    }
    await store.transaction(async (transaction) => {
      const product = await transaction.products.byId(token.productId)
      if (product === undefined) throw new KeepsealError('request.not-found', `product ${token.productId}`)
      if (body.reenrolUeid !== undefined) {
        const device = await transaction.devices.byUeid(body.reenrolUeid)
        if (device === undefined) throw new KeepsealError('request.not-found', `device ${body.reenrolUeid}`)
        if (device.productId !== product.id)
          throw new KeepsealError('request.conflict', 'the device is of another product')
      }
      await transaction.enrolmentTokens.create(token)
      const detail = { productId: product.id, reenrolUeid: token.reenrolUeid, expiresAt: token.expiresAt }
      const entry = { at: now, actor: actor.id, action: 'enrolment-token.create', subject: token.id, detail }
      await transaction.auditLog.append(entry)
    })
    return { ...common(token), token: secret.text }
  },
})

const list = defineEndpoint({
  method: 'GET',
  path: '/enrolment-tokens',
  operationId: 'listEnrolmentTokens',
  summary: 'List enrolment tokens, newest first, without their secrets',
  roles: READERS,
  scope: 'own',
  query: v.strictObject(pageQuery),
  response: pageOf(Listed),
  run: async ({ store, clock }, { query }) => {
    const page = await store.enrolmentTokens.list(query)
    const items = page.items.map((token) => ({
      ...common(token),
      state: stateOf(token, clock()),
      usedAt: toTimeOrNull(token.usedAt),
      usedByUeid: token.usedByUeid,
    }))
    return { ...page, items }
  },
})

export const enrolmentTokenEndpoints: readonly Endpoint[] = [create, list]
