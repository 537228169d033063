import * as v from 'valibot'
import { findings } from '../../../shared/codes/findings.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, Time, toTime } from '../schemas.ts'
import { FindingCodes, Severities } from './finding-json.ts'
import { existingProduct, ProductParams } from './products.ts'
import { READERS } from './roles.ts'

const MAX_GROUPS = 500
const Count = v.pipe(v.number(), v.integer(), v.minValue(0))

const summary = defineEndpoint({
  method: 'GET',
  path: '/products/:id/finding-summary',
  operationId: 'summarizeFindings',
  summary: 'On how many active devices of each release of a product the same was found',
  roles: READERS,
  scope: 'own',
  params: ProductParams,
  query: v.strictObject({
    /** Tell values of one subject apart. */
    by: v.optional(v.literal('value')),
    code: v.optional(FindingCodes),
    releaseId: v.optional(id('rel')),
  }),
  response: v.strictObject({
    productId: id('prd'),
    at: Time,
    /** Active devices, in all and of each release; `releaseId` null: those that conform to none. */
    deviceCount: Count,
    releases: v.array(
      v.strictObject({ releaseId: v.nullable(id('rel')), name: v.nullable(v.string()), deviceCount: Count }),
    ),
    /** Findings that are not resolved, the most widespread first. Suppressed and acknowledged ones are among them. */
    items: v.array(
      v.strictObject({
        releaseId: v.nullable(id('rel')),
        release: v.nullable(v.string()),
        code: FindingCodes,
        title: v.string(),
        severity: Severities,
        subject: v.string(),
        value: v.nullable(v.string()),
        deviceCount: Count,
        ofDevices: Count,
        suppressedCount: Count,
        acknowledgedCount: Count,
      }),
    ),
    /** Items that are less widespread than these. */
    omitted: Count,
    exceptionCount: Count,
  }),
  run: async ({ store, clock }, { params, query }) => {
    const product = await existingProduct(store, params.id)
    const now = clock()
    const request = { productId: product.id, now, byValue: query.by === 'value' }
    const { devices, groups } = await store.findingSummary(request)
    const names = new Map((await store.releases.ofProduct(product.id)).map((release) => [release.id, release.name]))
    const policies = await store.findingPolicies.ofProduct(product.id)
    const active = await store.findingExceptions.list({ limit: 500 }, { productId: product.id, activeAt: now })
    const { code, releaseId } = query
    const asked = groups.filter(
      (group) =>
        (code === undefined || group.code === code) && (releaseId === undefined || group.releaseId === releaseId),
    )
    const nameOf = (release: string | null): string | null => (release === null ? null : (names.get(release) ?? null))
    return {
      productId: product.id,
      at: toTime(now),
      deviceCount: [...devices.values()].reduce((sum, count) => sum + count, 0),
      releases: [...devices].map(([release, deviceCount]) => ({
        releaseId: release,
        name: nameOf(release),
        deviceCount,
      })),
      items: asked.slice(0, MAX_GROUPS).map((group) => ({
        releaseId: group.releaseId,
        release: nameOf(group.releaseId),
        code: group.code,
        title: findings[group.code].title,
        severity: policies.get(group.code)?.severity ?? findings[group.code].severity,
        subject: group.subject,
        value: group.value,
        deviceCount: group.devices,
        ofDevices: devices.get(group.releaseId) ?? group.devices,
        suppressedCount: group.suppressed,
        acknowledgedCount: group.acknowledged,
      })),
      omitted: Math.max(0, asked.length - MAX_GROUPS),
      exceptionCount: active.items.length,
    }
  },
})

export const findingSummaryEndpoints: readonly Endpoint[] = [summary]
