import * as v from 'valibot'
import { ADVISORY_SEVERITIES } from '../../../shared/maturity/events/kinds.ts'
import type { RatedExposure } from '../../advisories/rating.ts'
import { exposuresOf, vulnerabilitiesOf } from '../../advisories/view.ts'
import { openVexOf } from '../../advisories/vex-document.ts'
import { EXPOSURE_REASONS, EXPOSURE_STATUSES, type Listener } from '../../model/advisory.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Time, toTime, toTimeOrNull } from '../schemas.ts'
import { DeviceParams, existingDevice } from './devices.ts'
import { existingProduct, ProductParams } from './products.ts'
import { READERS } from './roles.ts'
import { RulingJson, rulingJson } from './statement-json.ts'

/** Where the package itself listens; null: it does not, or nobody can tell. */
const ListenerJson = v.nullable(v.strictObject({ reach: v.picklist(['network', 'local']), ports: v.array(v.string()) }))
const listenerJson = (listener: Listener | null): v.InferOutput<typeof ListenerJson> =>
  listener === null ? null : { ...listener, ports: [...listener.ports] }

const ExposureJson = v.strictObject({
  advisory: v.string(),
  feed: v.string(),
  package: v.string(),
  architecture: v.nullable(v.string()),
  ecosystem: v.string(),
  /** What the package is built from. */
  source: v.string(),
  installed: v.string(),
  fixedIn: v.nullable(v.string()),
  status: v.picklist(EXPOSURE_STATUSES),
  reason: v.picklist(EXPOSURE_REASONS),
  justification: v.nullable(v.string()),
  disputedBy: v.array(v.string()),
  summary: v.string(),
  severity: v.nullable(v.picklist(ADVISORY_SEVERITIES)),
  /** CVSS; lowered to a local attack vector where the package listens to the device alone. */
  score: v.nullable(v.number()),
  listener: ListenerJson,
  published: v.nullable(Time),
  cves: v.array(v.string()),
  exploited: v.boolean(),
  /** That it will be used in attacks within 30 days, in millionths. null: nobody has estimated it. */
  probability: v.nullable(v.number()),
  /** Until when it was decided not to matter. */
  excludedUntil: v.nullable(Time),
  /** What was said of it for devices like this one; what it would be without. */
  ruling: RulingJson,
  unruled: v.picklist(EXPOSURE_STATUSES),
})

const exposureJson = ({
  published,
  excludedUntil,
  listener,
  ruling,
  scheme: _scheme,
  ...rest
}: RatedExposure): v.InferOutput<typeof ExposureJson> => ({
  ...rest,
  listener: listenerJson(listener),
  disputedBy: [...rest.disputedBy],
  cves: [...rest.cves],
  published: toTimeOrNull(published),
  excludedUntil: toTimeOrNull(excludedUntil),
  ruling: rulingJson(ruling),
})

const ofDevice = defineEndpoint({
  method: 'GET',
  path: '/devices/:ueid/vulnerabilities',
  operationId: 'getDeviceVulnerabilities',
  summary: 'What advisories mean for the packages of a device, each with why; the most urgent first',
  roles: READERS,
  scope: 'own',
  params: DeviceParams,
  response: v.strictObject({
    /** `no-packages`: the device does not report any. `pending`: nobody has looked at its newest report yet. */
    state: v.picklist(['known', 'no-packages', 'no-advisories', 'pending']),
    ecosystem: v.nullable(v.string()),
    packages: v.number(),
    /** False: packages are missing in the list. */
    isWhole: v.boolean(),
    incomparable: v.number(),
    items: v.array(ExposureJson),
  }),
  run: async ({ store, clock }, { params }) => {
    const device = await existingDevice(store, params.ueid)
    const found = await exposuresOf(store, device, clock())
    return { ...found, items: found.items.map(exposureJson) }
  },
})

const ofProduct = defineEndpoint({
  method: 'GET',
  path: '/products/:id/vulnerabilities',
  operationId: 'getProductVulnerabilities',
  summary: 'Advisories that concern devices of a product: the most urgent first, and the updates that fix the most',
  roles: READERS,
  scope: 'own',
  params: ProductParams,
  response: v.strictObject({
    devices: v.number(),
    /** Devices whose packages nobody knows: any of these may concern them. */
    unknownDevices: v.number(),
    items: v.array(
      v.strictObject({
        advisory: v.string(),
        summary: v.string(),
        severity: v.nullable(v.picklist(ADVISORY_SEVERITIES)),
        exploited: v.boolean(),
        probability: v.nullable(v.number()),
        score: v.nullable(v.number()),
        listener: ListenerJson,
        published: v.nullable(Time),
        packages: v.array(v.string()),
        fixedIn: v.nullable(v.string()),
        status: v.picklist(EXPOSURE_STATUSES),
        devices: v.number(),
        /** Of these, those that a limitation of the profile leaves without the fix. */
        limited: v.number(),
        excludedUntil: v.nullable(Time),
        ruling: RulingJson,
        unruled: v.picklist(EXPOSURE_STATUSES),
        disputedBy: v.array(v.string()),
      }),
    ),
    /** What to ship next: the update that settles the worst, and the most of it, first. */
    updates: v.array(
      v.strictObject({
        ecosystem: v.string(),
        source: v.string(),
        version: v.string(),
        packages: v.array(v.string()),
        advisories: v.array(v.string()),
        exploited: v.number(),
        severity: v.nullable(v.picklist(ADVISORY_SEVERITIES)),
        probability: v.nullable(v.number()),
        ports: v.array(v.string()),
        oldest: v.nullable(Time),
        devices: v.number(),
      }),
    ),
    /** From publication until each device had the fix. */
    patching: v.array(
      v.strictObject({
        advisory: v.string(),
        severity: v.picklist(ADVISORY_SEVERITIES),
        published: Time,
        known: Time,
        exposed: Time,
        fixKnown: v.nullable(Time),
        release: v.nullable(v.strictObject({ name: v.string(), created: Time, activated: v.nullable(Time) })),
        patched: v.nullable(Time),
      }),
    ),
  }),
  run: async ({ store, clock }, { params }) => {
    const product = await existingProduct(store, params.id)
    const { items, patching, ...rest } = await vulnerabilitiesOf(store, product.id, clock())
    return {
      ...rest,
      updates: rest.updates.map(({ packages, advisories, ports, oldest, ...update }) => ({
        ...update,
        packages: [...packages],
        advisories: [...advisories],
        ports: [...ports],
        oldest: toTimeOrNull(oldest),
      })),
      items: items.map(({ published, excludedUntil, packages, listener, ruling, disputedBy, ...item }) => ({
        ...item,
        packages: [...packages],
        listener: listenerJson(listener),
        published: toTimeOrNull(published),
        excludedUntil: toTimeOrNull(excludedUntil),
        ruling: rulingJson(ruling),
        disputedBy: [...disputedBy],
      })),
      patching: patching.map(({ tracked, release }) => ({
        advisory: tracked.advisory,
        severity: tracked.severity,
        published: toTime(tracked.publishedAt),
        known: toTime(tracked.knownAt),
        exposed: toTime(tracked.exposedAt),
        fixKnown: toTimeOrNull(tracked.fixKnownAt),
        release: release && {
          name: release.name,
          created: toTime(release.createdAt),
          activated: toTimeOrNull(release.activatedAt),
        },
        patched: toTimeOrNull(tracked.patchedAt),
      })),
    }
  },
})

const vex = defineEndpoint({
  method: 'GET',
  path: '/products/:id/vex',
  operationId: 'getProductVex',
  summary: 'What is known of the vulnerabilities of a product, as an OpenVEX document for others',
  roles: READERS,
  scope: 'own',
  params: ProductParams,
  response: v.looseObject({ '@context': v.string() }),
  run: async ({ store, clock, publicUrl }, { params }) =>
    openVexOf(store, await existingProduct(store, params.id), { now: clock(), publicUrl }),
})

export const vulnerabilityEndpoints: readonly Endpoint[] = [ofDevice, ofProduct, vex]
