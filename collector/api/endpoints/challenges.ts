import * as v from 'valibot'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { CHALLENGE_STATUSES, type AttestationChallenge } from '../../model/attestation-challenge.ts'
import { askDevice } from '../../tracking/challenges/ask.ts'
import { statusOf } from '../../tracking/challenges/challenge.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, id, pageOf, pageQuery, Time, toTime } from '../schemas.ts'
import { Verdicts } from './device-json.ts'
import { DeviceParams, existingDevice } from './devices.ts'
import { FLEET, READERS } from './roles.ts'

const DAY_SECONDS = 86_400

const ChallengeJson = v.strictObject({
  id: id('chl'),
  status: v.picklist(CHALLENGE_STATUSES),
  /** Stands in the eat_nonce of the answer. */
  nonce: Digest,
  askedAt: Time,
  /** Id of who asked. */
  askedBy: v.string(),
  expiresAt: Time,
  /** How often it was sent; 0 while no process that speaks to devices has taken it. */
  tries: v.number(),
  sentAt: v.nullable(Time),
  answer: v.nullable(
    v.strictObject({
      at: Time,
      evidenceHash: Digest,
      /** By its epoch besides: an answer that was long on its way is none of now. */
      fresh: v.boolean(),
      /** What is concluded from this evidence, at first or when its content had arrived. */
      verdict: Verdicts,
      code: v.nullable(v.string()),
    }),
  ),
})

function challengeJson(challenge: AttestationChallenge, now: number): v.InferOutput<typeof ChallengeJson> {
  const { nonce, askedAt, askedBy, expiresAt, tries, sentAt, answer } = challenge
  return {
    id: challenge.id,
    status: statusOf(challenge, now),
    nonce: toHex(nonce),
    askedAt: toTime(askedAt),
    askedBy,
    expiresAt: toTime(expiresAt),
    tries,
    sentAt: sentAt === null ? null : toTime(sentAt),
    answer: answer && { ...answer, at: toTime(answer.at), evidenceHash: toHex(answer.evidenceHash) },
  }
}

const ask = defineEndpoint({
  method: 'POST',
  path: '/devices/:ueid/challenges',
  operationId: 'challengeDevice',
  summary: 'Ask a device for evidence at once, made after this; it takes the place of a question that still waits',
  roles: FLEET,
  scope: 'own',
  params: DeviceParams,
  body: v.strictObject({
    /** How long an answer is waited for: a device that is away answers when it is back. */
    validSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(60), v.maxValue(7 * DAY_SECONDS)), DAY_SECONDS),
  }),
  status: 201,
  response: ChallengeJson,
  run: async ({ store, clock, random }, { params, body, actor }) => {
    const now = clock()
    const validMs = body.validSeconds * 1000
    return challengeJson(await askDevice(store, { ueid: params.ueid, actor: actor.id, now, validMs, random }), now)
  },
})

const list = defineEndpoint({
  method: 'GET',
  path: '/devices/:ueid/challenges',
  operationId: 'listChallenges',
  summary: 'What a device was asked for at once, and its answers, newest first; the newest 50 are kept',
  roles: READERS,
  scope: 'own',
  params: DeviceParams,
  query: v.strictObject(pageQuery),
  response: pageOf(ChallengeJson),
  run: async ({ store, clock }, { params, query }) => {
    const device = await existingDevice(store, params.ueid)
    const page = await store.attestationChallenges.list(device.id, query)
    return { ...page, items: page.items.map((challenge) => challengeJson(challenge, clock())) }
  },
})

const show = defineEndpoint({
  method: 'GET',
  path: '/devices/:ueid/challenges/:id',
  operationId: 'getChallenge',
  summary: 'One question to a device, and its answer',
  roles: READERS,
  scope: 'own',
  params: v.strictObject({ ...DeviceParams.entries, id: id('chl') }),
  response: ChallengeJson,
  run: async ({ store, clock }, { params }) => {
    const device = await existingDevice(store, params.ueid)
    const challenge = await store.attestationChallenges.byId(device.id, params.id)
    if (challenge === undefined) throw new KeepsealError('request.not-found', `challenge ${params.id}`)
    return challengeJson(challenge, clock())
  },
})

export const challengeEndpoints: readonly Endpoint[] = [ask, list, show]
