import * as v from 'valibot'
import type { ProductUnits } from '../../model/practice.ts'
import { DEFAULT_RETIRE_AFTER_DAYS } from '../../tracking/practices/fleet-signals.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Time, toTimeOrNull } from '../schemas.ts'
import { existingProduct, ProductParams } from './products.ts'
import { FLEET, READERS } from './roles.ts'

const whole = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))
/** null: shares are of the enrolled units. */
const Declared = v.nullable(whole(0, 1_000_000_000))
const RetireAfterDays = whole(1, 3650)

const UnitsJson = v.strictObject({
  declared: Declared,
  /** A unit that was not seen for so long is in no denominator, and counted apart. */
  retireAfterDays: RetireAfterDays,
  /** null: nobody has said anything. */
  setAt: v.nullable(Time),
})

const toJson = (units: ProductUnits | undefined) => ({
  declared: units?.declared ?? null,
  retireAfterDays: units?.retireAfterDays ?? DEFAULT_RETIRE_AFTER_DAYS,
  setAt: toTimeOrNull(units?.setAt ?? null),
})

const show = defineEndpoint({
  method: 'GET',
  path: '/products/:id/units',
  operationId: 'getProductUnits',
  summary: 'How many units of a product are in use, as its vendor declares',
  roles: READERS,
  scope: 'own',
  params: ProductParams,
  response: UnitsJson,
  run: async ({ store }, { params }) =>
    toJson(await store.practices.units((await existingProduct(store, params.id)).id)),
})

const set = defineEndpoint({
  method: 'PUT',
  path: '/products/:id/units',
  operationId: 'setProductUnits',
  summary: 'Declare how many units of a product are in use: what shares are of',
  roles: FLEET,
  scope: 'own',
  params: ProductParams,
  body: v.strictObject({ declared: Declared, retireAfterDays: v.optional(RetireAfterDays) }),
  response: UnitsJson,
  run: async ({ store, clock }, { params, body, actor }) => {
    const now = clock()
    const product = await existingProduct(store, params.id)
    return store.transaction(async (transaction) => {
      const before = await transaction.practices.units(product.id)
      const retireAfterDays = body.retireAfterDays ?? before?.retireAfterDays ?? DEFAULT_RETIRE_AFTER_DAYS
      const units = { declared: body.declared, retireAfterDays, setAt: now, setBy: actor.id }
      await transaction.practices.setUnits(product.id, units)
      const detail = { declared: body.declared, retireAfterDays, before: before?.declared ?? null }
      const entry = { at: now, actor: actor.id, action: 'product.units', subject: product.id, detail }
      await transaction.auditLog.append(entry)
      return toJson(units)
    })
  },
})

export const productUnitsEndpoints: readonly Endpoint[] = [show, set]
