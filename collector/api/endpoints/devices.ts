import * as v from 'valibot'
import { fromHex } from '../../../shared/bytes/bytes.ts'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import { CoverageReader } from '../../decisions/coverage.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { Device } from '../../model/device.ts'
import type { DeviceFilter, DeviceWithState } from '../../store/devices.ts'
import type { Store } from '../../store/index.ts'
import type { Page, PageRequest } from '../../store/paging.ts'
import { acceptDevice, rejectDevice } from '../../tracking/admission.ts'
import { approveDevice, revokeDevice } from '../../tracking/approval.ts'
import { livenessOf } from '../../tracking/liveness.ts'
import { reviewOf } from '../../tracking/review.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, id, pageOf, pageQuery, UeidText } from '../schemas.ts'
import { DeviceDetail, deviceDetails, DeviceJson, deviceJson, Enrolments, Livenesses } from './device-json.ts'
import { alikeIn, CoverageAsked, isOfCoverage } from './coverage-filter.ts'
import { deviceFilter, deviceQuery } from './device-selector.ts'
import { findingJson, viewOf } from './finding-json.ts'
import { FLEET, READERS } from './roles.ts'

export const DeviceParams = v.strictObject({ ueid: UeidText })

/** Error: request.not-found. */
export async function existingDevice(store: Store, ueid: Ueid): Promise<Device> {
  const device = await store.devices.byUeid(ueid)
  if (device === undefined) throw new KeepsealError('request.not-found', `device ${ueid}`)
  return device
}

const MAX_READS = 20

/**
 * A page of those that `isAsked` is true of. A page that is not full but has a next one has looked at as many devices as
 * one request may.
 */
async function listWhere(
  store: Store,
  { limit, cursor }: PageRequest,
  filter: DeviceFilter,
  isAsked: (device: DeviceWithState) => Promise<boolean>,
): Promise<Page<DeviceWithState>> {
  const found: DeviceWithState[] = []
  let next = cursor ?? null
  for (let read = 0; read < MAX_READS && (read === 0 || next !== null) && found.length < limit; read++) {
    const page = await store.devices.list({ limit, cursor: next }, filter)
    next = page.nextCursor
    const asked: DeviceWithState[] = []
    for (const each of page.items) if (await isAsked(each)) asked.push(each)
    const room = limit - found.length
    found.push(...asked.slice(0, room))
    if (asked.length > room) next = String(found.at(-1)?.device.id)
  }
  return { items: found, nextCursor: next }
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
    ...deviceQuery,
    /** By the clock of this moment, so that it is looked at device by device. */
    liveness: v.optional(Livenesses),
    /** Whether a certificate covers it, or why none does. */
    coverage: v.optional(CoverageAsked),
  }),
  response: pageOf(DeviceJson),
  run: async (services, { query }) => {
    const { store, decisions, clock, livenessTime } = services
    const { limit, cursor, liveness, coverage: wanted, ...asked } = query
    const at = livenessTime()
    const reader = new CoverageReader(store, decisions)
    const isAsked = async ({ device, state }: DeviceWithState): Promise<boolean> => {
      if (liveness !== undefined && livenessOf(state, at).liveness !== liveness) return false
      return wanted === undefined || isOfCoverage(await reader.of(device, state, clock()), wanted)
    }
    const alike = wanted === undefined ? undefined : await alikeIn(services, asked, wanted)
    const filter = { ...(await deviceFilter(store, asked)), alike }
    const page = await listWhere(store, { limit, cursor }, filter, isAsked)
    const ids = page.items.map(({ device }) => device.id)
    const counts = await store.findings.unresolvedCounts(ids)
    const suppressed = await store.findingExceptions.suppressedCounts(ids, clock())
    const countsOf = (id: number) => ({ findingCount: counts.get(id) ?? 0, suppressedCount: suppressed.get(id) ?? 0 })
    const items = []
    for (const { device, state } of page.items) {
      const coverage = await reader.of(device, state, clock())
      items.push(deviceJson({ device, state, ...countsOf(device.id), coverage }, at))
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
    const view = await viewOf(
      store,
      open.map((finding) => finding.id),
      clock(),
    )
    return {
      ...deviceJson(
        { device, state, findingCount: open.length, suppressedCount: view.suppressed.size, coverage },
        livenessTime(),
      ),
      ...deviceDetails({ device, state }),
      review: reviewOf(state, open),
      labels: { ...(await store.deviceLabels.of([device.id])).get(device.id) },
      findings: open.map((finding) => findingJson(finding, device, view)),
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

const accept = defineEndpoint({
  method: 'POST',
  path: '/devices/:ueid/accept',
  operationId: 'acceptDevice',
  summary: "Let a pending device take part; what it reports becomes nobody's reference values",
  roles: FLEET,
  scope: 'own',
  params: DeviceParams,
  response: v.strictObject({ ueid: UeidText, enrolment: Enrolments }),
  run: async ({ store, clock, deviceChanged, judgeAgain }, { params, actor }) => {
    await acceptDevice(store, { ueid: params.ueid, actor: actor.id, now: clock() })
    deviceChanged?.(params.ueid)
    judgeAgain?.()
    return { ueid: params.ueid, enrolment: 'active' as const }
  },
})

const reject = defineEndpoint({
  method: 'POST',
  path: '/devices/:ueid/reject',
  operationId: 'rejectDevice',
  summary: 'Turn a pending device away: its evidence is refused from now on',
  roles: FLEET,
  scope: 'own',
  params: DeviceParams,
  response: v.strictObject({ ueid: UeidText, enrolment: Enrolments }),
  run: async ({ store, clock, deviceChanged }, { params, actor }) => {
    await rejectDevice(store, { ueid: params.ueid, actor: actor.id, now: clock() })
    deviceChanged?.(params.ueid)
    return { ueid: params.ueid, enrolment: 'revoked' as const }
  },
})

export const deviceEndpoints: readonly Endpoint[] = [list, show, approve, revoke, accept, reject]
