import * as v from 'valibot'
import { compareReleases } from '../../releases/compare.ts'
import { fleetChange } from '../../releases/fleet.ts'
import { plannedAsActive } from '../../releases/lifecycle.ts'
import { existingRelease } from '../../releases/manage.ts'
import { readRelease } from '../../releases/read.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, UeidText } from '../schemas.ts'
import { Verdicts } from './device-json.ts'
import { FindingCodes } from './finding-json.ts'
import { ReleaseParams } from './releases.ts'
import { READERS } from './roles.ts'

const Change = v.strictObject({
  part: v.string(),
  about: v.picklist(['rule', 'captured', 'value']),
  subject: v.string(),
  before: v.nullable(v.string()),
  after: v.nullable(v.string()),
})

const diff = defineEndpoint({
  method: 'GET',
  path: '/releases/:id/diff',
  operationId: 'diffRelease',
  summary: 'What a release expects otherwise than another one, which was before it',
  roles: READERS,
  scope: 'own',
  params: ReleaseParams,
  query: v.strictObject({ before: v.optional(id('rel')) }),
  response: v.strictObject({ changes: v.array(Change) }),
  run: async ({ store }, { params, query }) => {
    const { compiled: after } = await readRelease(store, await existingRelease(store, params.id))
    const earlier = query.before === undefined ? null : await existingRelease(store, query.before)
    const before = earlier === null ? null : (await readRelease(store, earlier)).compiled
    return { changes: compareReleases(before, after).map((change) => ({ ...change })) }
  },
})

const Counts = v.array(
  v.strictObject({ code: FindingCodes, subject: v.string(), devices: v.number(), example: UeidText }),
)
const FleetJson = v.strictObject({
  devices: v.number(),
  unknown: v.number(),
  truncated: v.boolean(),
  verdicts: v.array(v.strictObject({ before: Verdicts, after: Verdicts, devices: v.number() })),
  opens: Counts,
  closes: Counts,
})

const fleet = defineEndpoint({
  method: 'GET',
  path: '/releases/:id/fleet-diff',
  operationId: 'diffFleet',
  summary: 'What would be otherwise for the fleet if this release were active; nothing is stored',
  roles: READERS,
  scope: 'own',
  params: ReleaseParams,
  /** `closed`: as it will be when the window of the release before it has closed. */
  query: v.strictObject({ closed: v.optional(v.picklist(['true', 'false']), 'false') }),
  response: FleetJson,
  run: async ({ store, clock }, { params, query }) => {
    const release = await existingRelease(store, params.id)
    const all = await store.releases.ofProduct(release.productId)
    const planned = plannedAsActive(release, all, clock(), query.closed === 'true')
    const found = await fleetChange(store, release.productId, planned, clock())
    return {
      ...found,
      verdicts: [...found.verdicts],
      opens: [...found.opens],
      closes: [...found.closes],
    }
  },
})

export const releaseDiffEndpoints: readonly Endpoint[] = [diff, fleet]
