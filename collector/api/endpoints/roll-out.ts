import * as v from 'valibot'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id } from '../schemas.ts'
import { existingRelease } from '../../releases/manage.ts'
import { READERS } from './roles.ts'

const DAY_MS = 86_400_000
const dayOf = (number: number): string => new Date(number * DAY_MS).toISOString().slice(0, 10)

const show = defineEndpoint({
  method: 'GET',
  path: '/releases/:id/roll-out',
  operationId: 'getRollOut',
  summary: 'On which day the devices that run a release now have come to it (UTC)',
  roles: READERS,
  scope: 'own',
  params: v.strictObject({ id: id('rel') }),
  response: v.strictObject({
    deviceCount: v.number(),
    days: v.array(
      v.strictObject({
        day: v.string(),
        /** Devices that came on this day, and all that had by its end. */
        arrived: v.number(),
        total: v.number(),
      }),
    ),
  }),
  run: async ({ store }, { params }) => {
    const release = await existingRelease(store, params.id)
    let total = 0
    const days = (await store.fleetPage.arrivals(release.id)).map(({ day, count }) => {
      total += count
      return { day: dayOf(day), arrived: count, total }
    })
    return { deviceCount: total, days }
  },
})

export const rollOutEndpoints: readonly Endpoint[] = [show]
