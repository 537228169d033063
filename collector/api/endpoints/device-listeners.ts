import * as v from 'valibot'
import { decodeSection } from '../../../shared/posture/canonical.ts'
import { OutcomeError, outcomeOf } from '../../../shared/errors.ts'
import { loadRelease } from '../../ingest/known-releases.ts'
import type { Device, DeviceState } from '../../model/device.ts'
import type { Release } from '../../model/release.ts'
import { explainListeners } from '../../releases/explain-listeners.ts'
import { presentReleases } from '../../releases/release-set.ts'
import type { Store } from '../../store/index.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id } from '../schemas.ts'
import { DeviceParams, existingDevice } from './devices.ts'
import { READERS } from './roles.ts'

const show = defineEndpoint({
  method: 'GET',
  path: '/devices/:ueid/listeners',
  operationId: 'explainListeners',
  summary: 'What lets each listener of a device pass by its release: a rule, or that it was captured so; or nothing',
  roles: READERS,
  scope: 'own',
  params: DeviceParams,
  response: v.strictObject({
    /** That it runs, or else the newest one that is accepted; null where the product has none in force. */
    release: v.nullable(v.strictObject({ id: id('rel'), name: v.string() })),
    /** Empty without a release, or while the device has not told them. */
    items: v.array(
      v.strictObject({
        subject: v.string(),
        allowedBy: v.nullable(v.picklist(['rule', 'captured'])),
        rule: v.nullable(v.string()),
      }),
    ),
  }),
  run: async ({ store, clock }, { params }) => {
    const device = await existingDevice(store, params.ueid)
    const state = await store.devices.stateOf(device.id)
    const release = await comparedWith(store, device, state, clock())
    if (release === undefined) return { release: null, items: [] }
    const named = { id: release.id, name: release.name }
    const compiled = await loadRelease(store, device.vendor, release)
    const content = await socketsOf(store, device, state)
    if (compiled === undefined || content === undefined) return { release: named, items: [] }
    const items = explainListeners(content, compiled.sections.get('sockets'))
    return { release: named, items: items.map((each) => ({ ...each })) }
  },
})

async function comparedWith(
  store: Store,
  { productId }: Device,
  { release: { current } }: DeviceState,
  now: number,
): Promise<Release | undefined> {
  const running = current === null ? undefined : await store.releases.byId(current)
  if (running !== undefined) return running
  const present = presentReleases(await store.releases.ofProduct(productId), now)
  return present.find(({ standing }) => standing === 'accepted')?.release
}

async function socketsOf(store: Store, { vendor }: Device, { postureDigest }: DeviceState) {
  const posture = postureDigest === null ? undefined : await store.postures.find(vendor, postureDigest)
  const digest = posture?.get('sockets')
  const bytes = digest === undefined ? undefined : await store.sections.find(vendor, digest)
  const reading = bytes === undefined ? undefined : outcomeOf(() => decodeSection('sockets', bytes))
  return reading === undefined || reading instanceof OutcomeError || reading.status !== 'measured'
    ? undefined
    : reading.content
}

export const deviceListenerEndpoints: readonly Endpoint[] = [show]
