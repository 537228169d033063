import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import type { Actor } from '../../model/product.ts'
import type { Person } from '../../model/release.ts'
import { captureRelease } from '../../releases/capture.ts'
import { digestOfDocument, MAX_RELEASE_BYTES, ReleaseFile } from '../../releases/document.ts'
import { splitFile } from '../../releases/file.ts'
import { goldenDevice } from '../../releases/golden.ts'
import { existingRelease, writeDraft, type Decision } from '../../releases/manage.ts'
import { presentReleases } from '../../releases/release-set.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { readRelease } from '../../releases/read.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, id, toTime, Time, UeidText } from '../schemas.ts'
import type { ApiServices } from '../services.ts'
import { existingProduct, ProductParams } from './products.ts'
import { ReleaseJson, releaseJson } from './release-json.ts'
import { FLEET, READERS } from './roles.ts'

export const ReleaseParams = v.strictObject({ id: id('rel') })

const personOf = ({ id: tokenId, name }: Actor): Person => ({ tokenId, name })
export const decisionOf = (actor: Actor, now: number): Decision => ({ by: personOf(actor), now })

/** A release as the API shows it, with what it counts for now. */
export async function shownRelease({ store, clock }: ApiServices, releaseId: string) {
  const release = await existingRelease(store, releaseId)
  const set = presentReleases(await store.releases.ofProduct(release.productId), clock())
  return releaseJson(release, set, await store.releases.deviceCounts(release.productId))
}

const list = defineEndpoint({
  method: 'GET',
  path: '/products/:id/releases',
  operationId: 'listReleases',
  summary: 'Releases of a product, newest first, with how many devices run each',
  roles: READERS,
  scope: 'own',
  params: ProductParams,
  response: v.strictObject({
    items: v.array(ReleaseJson),
    /** Active devices that conform to none as a whole, or have not reported yet. */
    otherDevices: v.number(),
  }),
  run: async ({ store, clock }, { params }) => {
    const { id: productId } = await existingProduct(store, params.id)
    const releases = await store.releases.ofProduct(productId)
    const set = presentReleases(releases, clock())
    const counts = await store.releases.deviceCounts(productId)
    return { items: releases.map((each) => releaseJson(each, set, counts)), otherDevices: counts.get(null) ?? 0 }
  },
})

const Written = v.strictObject({
  /** null with `dryRun`. */
  release: v.nullable(ReleaseJson),
  digest: Digest,
  /** What was let vary between golden devices, in words. */
  tolerances: v.array(v.string()),
})

const write = defineEndpoint({
  method: 'POST',
  path: '/products/:id/releases',
  operationId: 'importRelease',
  summary: 'Write a release as a draft, or another version of a draft',
  roles: FLEET,
  scope: 'own',
  params: ProductParams,
  body: v.strictObject({ file: ReleaseFile, dryRun: v.optional(v.boolean(), false) }),
  bodyBytes: MAX_RELEASE_BYTES,
  status: 201,
  response: Written,
  run: async (services, { params, body, actor }) => {
    const product = await existingProduct(services.store, params.id)
    return written(services, product.id, body.file as ReleaseFile, body.dryRun, actor, [])
  },
})

const capture = defineEndpoint({
  method: 'POST',
  path: '/products/:id/releases/capture',
  operationId: 'captureRelease',
  summary: 'Write a release as a draft from what good devices report',
  roles: FLEET,
  scope: 'own',
  params: ProductParams,
  body: v.strictObject({
    name: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
    ueids: v.pipe(v.array(UeidText), v.minLength(1), v.maxLength(16)),
    dryRun: v.optional(v.boolean(), false),
  }),
  status: 201,
  response: Written,
  run: async (services, { params, body, actor }) => {
    const { store } = services
    const product = await existingProduct(store, params.id)
    const devices = []
    for (const ueid of new Set(body.ueids)) devices.push(await goldenDevice(store, product, ueid))
    const { file, tolerances } = captureRelease(product, body.name, devices)
    const checked = v.safeParse(ReleaseFile, file)
    if (!checked.success) throw new KeepsealError('request.invalid', `name: ${checked.issues[0].message}`)
    return written(services, product.id, file, body.dryRun, actor, tolerances)
  },
})

/** Stores a draft, or only looks whether it could be stored. */
async function written(
  services: ApiServices,
  productId: string,
  file: ReleaseFile,
  dryRun: boolean,
  actor: Actor,
  tolerances: readonly string[],
) {
  const { store, clock, random } = services
  const product = await existingProduct(store, productId)
  const digest = toHex(digestOfDocument(splitFile(file).document))
  if (!dryRun) {
    const { id: releaseId } = await writeDraft(store, product, file, decisionOf(actor, clock()), random)
    return { release: await shownRelease(services, releaseId), digest, tolerances: [...tolerances] }
  }
  // Everything is done as it would be, and undone: a dry run that says yes has to be right.
  const undone = new Error('a dry run')
  await store
    .transaction(async (transaction) => {
      await writeDraft(transaction, product, file, decisionOf(actor, clock()), random)
      throw undone
    })
    .catch((error: unknown) => {
      if (error !== undone) throw error
    })
  return { release: null, digest, tolerances: [...tolerances] }
}

const show = defineEndpoint({
  method: 'GET',
  path: '/releases/:id',
  operationId: 'getRelease',
  summary: 'One release with what was decided about it',
  roles: READERS,
  scope: 'own',
  params: ReleaseParams,
  response: v.strictObject({
    ...ReleaseJson.entries,
    history: v.array(v.strictObject({ at: Time, action: v.string(), person: v.string(), digest: v.string() })),
  }),
  run: async (services, { params }) => {
    const release = await shownRelease(services, params.id)
    const { items } = await services.store.auditLog.list({ limit: 100 }, { subject: params.id })
    const text = (value: unknown): string => (typeof value === 'string' ? value : '')
    const history = items.map(({ at, action, detail }) => {
      return { at: toTime(at), action, person: text(detail['person']), digest: text(detail['digest']) }
    })
    return { ...release, history: history.reverse() }
  },
})

const exported = defineEndpoint({
  method: 'GET',
  path: '/releases/:id/file',
  operationId: 'exportRelease',
  summary: 'A release with all of its content, as it can be imported elsewhere',
  roles: READERS,
  scope: 'own',
  params: ReleaseParams,
  response: v.strictObject({ file: ReleaseFile }),
  run: async ({ store }, { params }) => {
    const { file } = await readRelease(store, await existingRelease(store, params.id))
    return { file: file as v.InferOutput<typeof ReleaseFile> }
  },
})

export const releaseEndpoints: readonly Endpoint[] = [list, write, capture, show, exported]
