import * as v from 'valibot'
import { toBase64Url, toHex } from '../../../shared/bytes/bytes.ts'
import { EAR_DIALECTS, earToJson, signEarCwt, signEarJwt } from '../../../shared/result/ear.ts'
import { resultOf } from '../../tracking/result.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, HexBytes } from '../schemas.ts'
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
  run: async ({ store, livenessTime, version, keys: { signer } }, { params, query: { dialect } }) => {
    const device = await existingDevice(store, params.ueid)
    const content = await resultOf(store, device, livenessTime(), version)
    return {
      claims: earToJson(content, dialect),
      cwt: toBase64Url(await signEarCwt(content, dialect, signer)),
      jwt: await signEarJwt(content, dialect, signer),
      keyId: toHex(signer.keyId),
    }
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
    /** Thumbprint of the key (RFC 9679). */
    keyId: Digest,
    /** As JWK (RFC 8037). */
    key: v.strictObject({ kty: v.literal('OKP'), crv: v.literal('Ed25519'), x: v.string() }),
  }),
  run: async ({ version, keys: { collectorId, signer, publicKey } }) => ({
    collectorId: toHex(collectorId),
    version,
    keyId: toHex(signer.keyId),
    key: { kty: 'OKP' as const, crv: 'Ed25519' as const, x: toBase64Url(publicKey.x) },
  }),
})

export const resultEndpoints: readonly Endpoint[] = [result, collector]
