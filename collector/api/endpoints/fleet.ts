import * as v from 'valibot'
import { coverageOf } from '../../../shared/decisions/coverage.ts'
import { CoverageReader, running } from '../../decisions/coverage.ts'
import { DEVICE_STANDINGS, type DeviceStanding } from '../../../shared/result/standing.ts'
import { TRANSITION_AXES } from '../../model/transition.ts'
import type { CoverageGroup, StandingGroup } from '../../store/fleet-page.ts'
import { deadlinesAt } from '../../tracking/liveness.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import type { ApiServices } from '../services.ts'
import { id, Time, toTime, UeidText } from '../schemas.ts'
import { DeviceJson, deviceJson } from './device-json.ts'
import { READERS } from './roles.ts'

const Standings = v.picklist(DEVICE_STANDINGS)
const Count = v.pipe(v.number(), v.integer(), v.minValue(0))
const DAY_MS = 86_400_000
const MAX_CHANGES = 200
const SHOWN_CHANGES = 12

const ProductCounts = v.strictObject({
  productId: id('prd'),
  vendor: v.string(),
  model: v.string(),
  standings: v.record(Standings, Count),
  /** `name` null: those that conform to none. */
  releases: v.array(v.strictObject({ id: v.nullable(id('rel')), name: v.nullable(v.string()), deviceCount: Count })),
})

const Change = v.strictObject({
  ueid: UeidText,
  model: v.string(),
  serial: v.string(),
  at: Time,
  axis: v.picklist(TRANSITION_AXES),
  from: v.nullable(v.string()),
  to: v.string(),
  cause: v.nullable(v.string()),
})

/** Whether groups are covered as long as they do not fail. */
async function coveredGroups(
  { store, decisions, clock }: ApiServices,
  groups: readonly StandingGroup[],
): Promise<readonly CoverageGroup[]> {
  const register = await decisions.register()
  const known = new Map<string, CoverageGroup>()
  for (const { productId, vendor, model, hardwareRevision, releaseId } of groups) {
    const key = JSON.stringify([productId, hardwareRevision, releaseId])
    if (known.has(key)) continue
    const release = releaseId === null ? undefined : await store.releases.byId(releaseId)
    const unit = { vendor, model, hardwareRevision, isFailing: false }
    const asked = { ...unit, release: release === undefined ? null : running(release) }
    if (coverageOf(register, asked, Math.floor(clock() / 1000)).coverage === 'covered') {
      known.set(key, { productId, vendor, model, hardwareRevision, releaseId })
    }
  }
  return [...known.values()]
}

const sameGroup = (a: CoverageGroup, b: CoverageGroup): boolean =>
  a.productId === b.productId && a.hardwareRevision === b.hardwareRevision && a.releaseId === b.releaseId

const sum = (groups: readonly StandingGroup[]): number => groups.reduce((total, { count }) => total + count, 0)

function countsOf(groups: readonly StandingGroup[]): Record<DeviceStanding, number> {
  const of = (standing: DeviceStanding) => sum(groups.filter((group) => group.standing === standing))
  return Object.fromEntries(DEVICE_STANDINGS.map((standing) => [standing, of(standing)])) as Record<
    DeviceStanding,
    number
  >
}

const TAKES_NO_PART: readonly DeviceStanding[] = ['pending', 'revoked']

const overview = defineEndpoint({
  method: 'GET',
  path: '/fleet',
  operationId: 'getFleet',
  summary: 'The whole fleet in numbers: how much of it is proven good, by what, and what changed since yesterday',
  roles: READERS,
  scope: 'own',
  response: v.strictObject({
    at: Time,
    /** Devices that take part; neither pending nor revoked ones. */
    deviceCount: Count,
    good: Count,
    /** Of the good ones: those whose TPM its maker has certified. */
    goodWithCertifiedTpm: Count,
    notCovered: Count,
    standings: v.record(Standings, Count),
    products: v.array(ProductCounts),
    changes: v.strictObject({
      since: Time,
      /** By axis and what devices became; of the newest ${MAX_CHANGES} where there are more. */
      counts: v.array(v.strictObject({ axis: v.picklist(TRANSITION_AXES), to: v.string(), count: Count })),
      truncated: v.boolean(),
      newest: v.array(Change),
    }),
  }),
  run: async (services) => {
    const { store, clock, livenessTime } = services
    const now = clock()
    const groups = await store.fleetPage.groups(deadlinesAt(livenessTime()))
    const active = groups.filter(({ standing }) => !TAKES_NO_PART.includes(standing))
    const good = active.filter(({ standing }) => standing === 'good')
    const covered = await coveredGroups(services, active)
    const isCovered = (group: StandingGroup): boolean =>
      group.standing !== 'failed' && covered.some((each) => sameGroup(each, group))
    const since = now - DAY_MS
    const changes = await store.fleetPage.changes(since, MAX_CHANGES)
    return {
      at: toTime(now),
      deviceCount: sum(active),
      good: sum(good),
      goodWithCertifiedTpm: sum(good.filter(({ identity }) => identity === 'tpm-endorsed')),
      notCovered: sum(active.filter((group) => !isCovered(group))),
      standings: countsOf(groups),
      products: await productCounts(services, groups),
      changes: {
        since: toTime(since),
        counts: changeCounts(changes),
        truncated: changes.length === MAX_CHANGES,
        newest: changes.slice(0, SHOWN_CHANGES).map(({ at, ...change }) => ({ ...change, at: toTime(at) })),
      },
    }
  },
})

function changeCounts(changes: readonly { axis: (typeof TRANSITION_AXES)[number]; to: string }[]) {
  const counts = new Map<string, { axis: (typeof TRANSITION_AXES)[number]; to: string; count: number }>()
  for (const { axis, to } of changes) {
    const known = counts.get(`${axis} ${to}`) ?? { axis, to, count: 0 }
    counts.set(`${axis} ${to}`, { ...known, count: known.count + 1 })
  }
  return [...counts.values()].sort((a, b) => b.count - a.count)
}

async function productCounts({ store }: ApiServices, groups: readonly StandingGroup[]) {
  const ids = [...new Set(groups.map(({ productId }) => productId))].sort()
  const result = []
  for (const productId of ids) {
    const own = groups.filter((group) => group.productId === productId)
    const names = new Map((await store.releases.ofProduct(productId)).map((release) => [release.id, release.name]))
    const taking = own.filter(({ standing }) => !TAKES_NO_PART.includes(standing))
    const releases = [...new Set(taking.map(({ releaseId }) => releaseId))].map((releaseId) => ({
      id: releaseId,
      name: releaseId === null ? null : (names.get(releaseId) ?? null),
      deviceCount: sum(taking.filter((group) => group.releaseId === releaseId)),
    }))
    const { vendor = '', model = '' } = own[0] ?? {}
    result.push({
      productId,
      vendor,
      model,
      standings: countsOf(own),
      releases: releases.sort((a, b) => b.deviceCount - a.deviceCount),
    })
  }
  return result
}

const whole = (max: number) =>
  v.pipe(v.string(), v.regex(/^[0-9]{1,9}$/, 'a whole number'), v.transform(Number), v.number(), v.maxValue(max))

const MAX_ROWS = 200

const list = defineEndpoint({
  method: 'GET',
  path: '/fleet/devices',
  operationId: 'listFleet',
  summary: 'Devices by what needs an act, from any place of the list',
  roles: READERS,
  scope: 'own',
  query: v.strictObject({
    offset: v.optional(whole(10_000_000), '0'),
    limit: v.optional(whole(MAX_ROWS), '50'),
    standing: v.optional(Standings),
    productId: v.optional(id('prd')),
    releaseId: v.optional(id('rel')),
    coverage: v.optional(v.picklist(['covered', 'not-covered'])),
    /** Part of the serial number, of the model or of the device id. */
    q: v.optional(v.pipe(v.string(), v.maxLength(64))),
  }),
  response: v.strictObject({ total: Count, offset: Count, items: v.array(DeviceJson) }),
  run: async (services, { query }) => {
    const { store, decisions, clock, livenessTime } = services
    const { offset, limit, standing, productId, releaseId, q, coverage } = query
    const at = livenessTime()
    const deadlines = deadlinesAt(at)
    const groups = coverage === undefined ? [] : await coveredGroups(services, await store.fleetPage.groups(deadlines))
    const filter = {
      standing,
      productId,
      releaseId,
      text: q,
      coverage: coverage === undefined ? undefined : { covered: coverage === 'covered', groups },
    }
    const total = await store.fleetPage.count(filter, deadlines)
    const ueids = await store.fleetPage.ueids(filter, deadlines, { offset, limit })
    const found = ueids.length === 0 ? [] : await store.devices.select({ ueids }, ueids.length)
    const byUeid = new Map(found.map((each) => [each.device.ueid, each]))
    const ids = found.map(({ device }) => device.id)
    const counts = await store.findings.unresolvedCounts(ids)
    const suppressed = await store.findingExceptions.suppressedCounts(ids, clock())
    const reader = new CoverageReader(store, decisions)
    const items = []
    for (const ueid of ueids) {
      const each = byUeid.get(ueid)
      if (each === undefined) continue
      const { device, state } = each
      const findingCount = counts.get(device.id) ?? 0
      const suppressedCount = suppressed.get(device.id) ?? 0
      const cover = await reader.of(device, state, clock())
      items.push(deviceJson({ device, state, findingCount, suppressedCount, coverage: cover }, at))
    }
    return { total, offset, items }
  },
})

export const fleetEndpoints: readonly Endpoint[] = [overview, list]
