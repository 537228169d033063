import * as v from 'valibot'
import { equal, fromHex, toHex } from '../../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import {
  activateRelease,
  approveRelease,
  countersignRelease,
  existingRelease,
  plannedActivation,
  retireRelease,
  revokeRelease,
} from '../../releases/manage.ts'
import type { Store } from '../../store/index.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Time } from '../schemas.ts'
import { ReleaseJson, SEEN_DIGITS } from './release-json.ts'
import { decisionOf, ReleaseParams, shownRelease } from './releases.ts'
import { CERTIFIER, FLEET } from './roles.ts'

const Seen = v.strictObject({
  seen: v.pipe(v.string(), v.regex(/^([0-9a-f]{16}|[0-9a-f]{64})$/, 'the first 16, or all digits of the digest')),
})

/** The whole digest that a person has named by its beginning. Error: release.changed. */
async function seenDigest(store: Store, releaseId: string, seen: string): Promise<Uint8Array> {
  const { digest } = await existingRelease(store, releaseId)
  const whole =
    seen.length === SEEN_DIGITS ? toHex(digest).slice(0, SEEN_DIGITS) === seen : equal(fromHex(seen), digest)
  if (!whole) throw new KeepsealError('release.changed', 'its digest is another one')
  return digest
}

const approve = defineEndpoint({
  method: 'POST',
  path: '/releases/:id/approve',
  operationId: 'approveRelease',
  summary: 'Approve a draft that another person has written',
  roles: FLEET,
  scope: 'own',
  params: ReleaseParams,
  body: Seen,
  response: ReleaseJson,
  run: async (services, { params, body, actor }) => {
    const { store, clock } = services
    await approveRelease(store, params.id, await seenDigest(store, params.id, body.seen), decisionOf(actor, clock()))
    return shownRelease(services, params.id)
  },
})

const countersign = defineEndpoint({
  method: 'POST',
  path: '/releases/:id/countersign',
  operationId: 'countersignRelease',
  summary: 'Countersign a release of a certified product, as its certifier',
  roles: CERTIFIER,
  scope: 'own',
  params: ReleaseParams,
  body: Seen,
  response: ReleaseJson,
  run: async (services, { params, body, actor }) => {
    const { store, clock } = services
    await countersignRelease(
      store,
      params.id,
      await seenDigest(store, params.id, body.seen),
      decisionOf(actor, clock()),
    )
    return shownRelease(services, params.id)
  },
})

const activate = defineEndpoint({
  method: 'POST',
  path: '/releases/:id/activate',
  operationId: 'activateRelease',
  summary: 'Put an approved release in force, beside the one before it until that is closed',
  roles: FLEET,
  scope: 'own',
  params: ReleaseParams,
  body: v.strictObject({
    /** Until when the release that is active now stays accepted; needed where there is one. */
    acceptedUntil: v.optional(Time),
    /** Whether every earlier release is below the minimum from now on. */
    minimum: v.optional(v.boolean(), false),
    dryRun: v.optional(v.boolean(), false),
  }),
  response: ReleaseJson,
  run: async (services, { params, body, actor }) => {
    const { store, decisions, clock, judgeAgain } = services
    const acceptedUntil = body.acceptedUntil === undefined ? null : Date.parse(body.acceptedUntil)
    const release = await existingRelease(store, params.id)
    const isCertified = (await decisions.certificatesCovering(release.productId, clock())).length > 0
    const request = { acceptedUntil, isMinimum: body.minimum, isCertified }
    if (body.dryRun) await plannedActivation(store, release, request, clock())
    else {
      await activateRelease(store, params.id, request, decisionOf(actor, clock()))
      judgeAgain?.()
    }
    return shownRelease(services, params.id)
  },
})

const retire = defineEndpoint({
  method: 'POST',
  path: '/releases/:id/retire',
  operationId: 'retireRelease',
  summary: 'End the acceptance of a release, now or at a date sooner than the one that is set',
  roles: FLEET,
  scope: 'own',
  params: ReleaseParams,
  body: v.strictObject({ until: v.optional(Time) }),
  response: ReleaseJson,
  run: async (services, { params, body, actor }) => {
    const { store, clock, judgeAgain } = services
    const now = clock()
    const until = body.until === undefined ? now : Date.parse(body.until)
    await retireRelease(store, params.id, until, decisionOf(actor, now))
    judgeAgain?.()
    return shownRelease(services, params.id)
  },
})

const revoke = defineEndpoint({
  method: 'POST',
  path: '/releases/:id/revoke',
  operationId: 'revokeRelease',
  summary: 'Say that no device may run a release any more, or give up a draft',
  roles: FLEET,
  scope: 'own',
  params: ReleaseParams,
  body: v.strictObject({ reason: v.pipe(v.string(), v.minLength(1), v.maxLength(1000)) }),
  response: ReleaseJson,
  run: async (services, { params, body, actor }) => {
    const { store, clock, judgeAgain } = services
    await revokeRelease(store, params.id, body.reason, decisionOf(actor, clock()))
    judgeAgain?.()
    return shownRelease(services, params.id)
  },
})

export const releaseDecisionEndpoints: readonly Endpoint[] = [approve, countersign, activate, retire, revoke]
