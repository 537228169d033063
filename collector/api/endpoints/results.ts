import * as v from 'valibot'
import { toBase64Url, toHex } from '../../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { encodeKeyHistory } from '../../../shared/evidence/key-history.ts'
import { EAR_DIALECTS, earToJson, signEarCwt, signEarJwt } from '../../../shared/result/ear.ts'
import { TRANSITION_AXES } from '../../model/transition.ts'
import { resultOf } from '../../tracking/result.ts'
import { CborBytes, defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, HexBytes, pageOf, pageQuery, Time, toTime } from '../schemas.ts'
import { DeviceParams, existingDevice } from './devices.ts'
import { READERS } from './roles.ts'

const result = defineEndpoint({
  method: 'GET',
  path: '/devices/:ueid/result',
  operationId: 'getAttestationResult',
  summary: 'What is concluded about a device now, as a signed EAT attestation result',
  roles: READERS,
  scope: 'own',
  params: DeviceParams,
  query: v.strictObject({
    /** Names of claims: those of the current draft, or of its first versions, which Veraison reads. */
    dialect: v.optional(v.picklist(EAR_DIALECTS), 'current'),
  }),
  response: v.strictObject({
    claims: v.record(v.string(), v.unknown()),
    /** COSE_Sign1 without external data, in base64url. */
    cwt: v.string(),
    jwt: v.string(),
    /** Thumbprint of the key that signed: see getCollector. */
    keyId: Digest,
  }),
  run: async ({ store, decisions, livenessTime, version, keys: { signer } }, { params, query: { dialect } }) => {
    const device = await existingDevice(store, params.ueid)
    const content = await resultOf(store, device, livenessTime(), { version, decisions })
    return {
      claims: earToJson(content, dialect),
      cwt: toBase64Url(await signEarCwt(content, dialect, signer)),
      jwt: await signEarJwt(content, dialect, signer),
      keyId: toHex(signer.keyId),
    }
  },
})

const signed = defineEndpoint({
  method: 'GET',
  path: '/devices/:ueid/results',
  operationId: 'listAttestationResults',
  summary: 'Results that were signed when a device changed, newest first; the newest 100 are kept',
  roles: READERS,
  scope: 'own',
  params: DeviceParams,
  query: v.strictObject(pageQuery),
  response: pageOf(
    v.strictObject({
      /** Number of the change that it is about. */
      number: v.number(),
      issuedAt: Time,
      /** What changed last before it was signed. */
      axis: v.picklist(TRANSITION_AXES),
      to: v.string(),
      cause: v.nullable(v.string()),
      /** COSE_Sign1 without external data, in base64url. */
      cwt: v.string(),
      keyId: Digest,
    }),
  ),
  run: async ({ store }, { params, query }) => {
    const { id } = await existingDevice(store, params.ueid)
    const page = await store.signedResults.list(id, query)
    const items = page.items.map(({ transitionId, issuedAt, axis, to, cause, cwt, keyId }) => ({
      number: transitionId,
      issuedAt: toTime(issuedAt),
      axis,
      to,
      cause,
      cwt: toBase64Url(cwt),
      keyId: toHex(keyId),
    }))
    return { ...page, items }
  },
})

const newest = defineEndpoint({
  method: 'GET',
  path: '/devices/:ueid/results/newest',
  operationId: 'getNewestAttestationResult',
  summary: 'The result that was signed last, for a change or by its age; nothing is signed for this',
  roles: READERS,
  scope: 'own',
  params: DeviceParams,
  response: v.strictObject({
    issuedAt: Time,
    /** COSE_Sign1 without external data, in base64url. */
    cwt: v.string(),
    keyId: Digest,
  }),
  run: async ({ store }, { params }) => {
    const { id } = await existingDevice(store, params.ueid)
    const result = await store.newestResults.of(id)
    if (result === undefined) throw new KeepsealError('request.not-found', `no result of ${params.ueid} is signed yet`)
    return { issuedAt: toTime(result.issuedAt), cwt: toBase64Url(result.cwt), keyId: toHex(result.keyId) }
  },
})

const collector = defineEndpoint({
  method: 'GET',
  path: '/collector',
  operationId: 'getCollector',
  summary: 'The collector itself: its id, its version, and the key that signs its results',
  roles: READERS,
  scope: 'common',
  response: v.strictObject({
    collectorId: HexBytes,
    version: v.string(),
    /** Of the machine that answers: by how much it was stepped, which is not followed; 0 while it is trusted. */
    clockStepSeconds: v.number(),
    /** Thumbprint of the key (RFC 9679). */
    keyId: Digest,
    /** As JWK (RFC 8037). */
    key: v.strictObject({ kty: v.literal('OKP'), crv: v.literal('Ed25519'), x: v.string() }),
  }),
  run: async ({ version, clockStep, keys: { collectorId, signer, publicKey } }) => ({
    collectorId: toHex(collectorId),
    version,
    clockStepSeconds: Math.round((clockStep?.()?.offsetMs ?? 0) / 1000),
    keyId: toHex(signer.keyId),
    key: { kty: 'OKP' as const, crv: 'Ed25519' as const, x: toBase64Url(publicKey.x) },
  }),
})

const keyHistory = defineEndpoint({
  method: 'GET',
  path: '/collector/key-history',
  operationId: 'getCollectorKeyHistory',
  summary: 'Statements by which each of its keys has named the next one: docs/protocol.md, succession',
  roles: READERS,
  scope: 'common',
  response: CborBytes,
  run: ({ keys }) => Promise.resolve(encodeKeyHistory(keys.keyHistory)),
})

export const resultEndpoints: readonly Endpoint[] = [result, signed, newest, collector, keyHistory]
