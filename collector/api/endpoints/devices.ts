import * as v from 'valibot'
import { fromHex } from '../../../shared/bytes/bytes.ts'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import { CoverageReader } from '../../decisions/coverage.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { Device } from '../../model/device.ts'
import type { Store } from '../../store/index.ts'
import { approveDevice, revokeDevice } from '../../tracking/approval.ts'
import { reviewOf } from '../../tracking/review.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, id, pageOf, pageQuery, UeidText } from '../schemas.ts'
import { DeviceDetail, deviceDetails, DeviceJson, deviceJson, Enrolments, Verdicts } from './device-json.ts'
import { findingJson } from './finding-json.ts'
import { FLEET, READERS } from './roles.ts'

export const DeviceParams = v.strictObject({ ueid: UeidText })

/** Error: request.not-found. */
export async function existingDevice(store: Store, ueid: Ueid): Promise<Device> {
  const device = await store.devices.byUeid(ueid)
  if (device === undefined) throw new KeepsealError('request.not-found', `device ${ueid}`)
  return device
}

const list = defineEndpoint({
  method: 'GET',
  path: '/devices',
  operationId: 'listDevices',
  summary: 'List devices, last enrolled first',
  roles: READERS,
  scope: 'own',
  query: v.strictObject({
    ...pageQuery,
    productId: v.optional(id('prd')),
    enrolment: v.optional(Enrolments),
    verdict: v.optional(Verdicts),
  }),
  response: pageOf(DeviceJson),
  run: async ({ store, decisions, clock, livenessTime }, { query }) => {
    const page = await store.devices.list(query, query)
    const counts = await store.findings.unresolvedCounts(page.items.map(({ device }) => device.id))
    const reader = new CoverageReader(store, decisions)
    const items = []
    for (const { device, state } of page.items) {
      const coverage = await reader.of(device, state, clock())
      items.push(deviceJson({ device, state, findingCount: counts.get(device.id) ?? 0, coverage }, livenessTime()))
    }
    return { ...page, items }
  },
})

const show = defineEndpoint({
  method: 'GET',
  path: '/devices/:ueid',
  operationId: 'getDevice',
  summary: 'One device with its unresolved findings',
  roles: READERS,
  scope: 'own',
  params: DeviceParams,
  response: DeviceDetail,
  run: async ({ store, decisions, clock, livenessTime }, { params }) => {
    const device = await existingDevice(store, params.ueid)
    const state = await store.devices.stateOf(device.id)
    const coverage = await new CoverageReader(store, decisions).of(device, state, clock())
    const open = await store.findings.openOf(device.id)
    return {
      ...deviceJson({ device, state, findingCount: open.length, coverage }, livenessTime()),
      ...deviceDetails({ device, state }),
      review: reviewOf(state, open),
      findings: open.map((finding) => findingJson(finding, device)),
      refusals: Object.fromEntries(await store.refusals.countsByCode({ ueid: device.ueid })),
    }
  },
})

const approve = defineEndpoint({
  method: 'POST',
  path: '/devices/:ueid/approve',
  operationId: 'approveDevice',
  summary: 'Accept a device, and what it reports now as its (unreviewed) reference values',
  roles: FLEET,
  scope: 'own',
  params: DeviceParams,
  body: v.strictObject({
    scope: v.optional(v.picklist(['device', 'product']), 'device'),
    /** Refuse when the device reports something else by now. */
    expectedPostureDigest: v.optional(Digest),
    /** `review` of the device as it was looked at; asked for where a failure is latched. */
    expectedReview: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/))),
    /** With the scope `product`: further devices whose boots are good, and `rules` as their comparison gave it. */
    golden: v.optional(
      v.strictObject({ ueids: v.pipe(v.array(UeidText), v.minLength(1), v.maxLength(15)), rules: Digest }),
    ),
  }),
  response: v.strictObject({
    ueid: UeidText,
    activated: v.boolean(),
    referenceId: v.nullable(id('ref')),
    resolvedFindings: v.array(id('fnd')),
    withoutBaseline: v.nullable(v.string()),
  }),
  run: async ({ store, clock, random, deviceChanged, judgeAgain }, { params, body, actor }) => {
    const { scope, expectedPostureDigest: expected, expectedReview, golden } = body
    if (golden !== undefined && scope !== 'product') {
      throw new KeepsealError('request.invalid', 'golden devices need the scope product')
    }
    const approval = await approveDevice(store, {
      ueid: params.ueid,
      scope,
      actor: actor.id,
      now: clock(),
      random,
      expectedPostureDigest: expected === undefined ? undefined : fromHex(expected),
      expectedReview,
      ...(golden === undefined ? {} : { golden: { ueids: golden.ueids, rules: fromHex(golden.rules) } }),
      reviewed: true,
    })
    deviceChanged?.(params.ueid)
    judgeAgain?.()
    return { ueid: params.ueid, ...approval, resolvedFindings: [...approval.resolvedFindings] }
  },
})

const revoke = defineEndpoint({
  method: 'POST',
  path: '/devices/:ueid/revoke',
  operationId: 'revokeDevice',
  summary: 'Take a device out of service: its evidence is refused from now on',
  roles: FLEET,
  scope: 'own',
  params: DeviceParams,
  response: v.strictObject({ ueid: UeidText, enrolment: Enrolments }),
  run: async ({ store, clock, deviceChanged }, { params, actor }) => {
    await revokeDevice(store, { ueid: params.ueid, actor: actor.id, now: clock() })
    deviceChanged?.(params.ueid)
    return { ueid: params.ueid, enrolment: 'revoked' as const }
  },
})

export const deviceEndpoints: readonly Endpoint[] = [list, show, approve, revoke]
