import * as v from 'valibot'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { EvidenceRecord } from '../../model/evidence.ts'
import { CborBytes, defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, HexBytes, pageOf, pageQuery, Time, toTime } from '../schemas.ts'
import { DeviceParams, existingDevice } from './devices.ts'
import { READERS } from './roles.ts'

const EvidenceJson = v.strictObject({
  hash: Digest,
  /** Hash of what it says to follow. */
  previous: v.nullable(Digest),
  session: HexBytes,
  sequence: v.number(),
  epoch: v.nullable(v.number()),
  receivedAt: Time,
  fresh: v.boolean(),
  verdict: v.string(),
  /** Code of what failed in the appraisal. */
  outcome: v.nullable(v.string()),
  postureDigest: Digest,
  pcrDigest: v.nullable(HexBytes),
  /** Bytes of the message. */
  size: v.number(),
})

function toJson(record: EvidenceRecord): v.InferOutput<typeof EvidenceJson> {
  return {
    hash: toHex(record.hash),
    previous: record.previous === null ? null : toHex(record.previous),
    session: toHex(record.session),
    sequence: record.seq,
    epoch: record.epoch,
    receivedAt: toTime(record.receivedAt),
    fresh: record.fresh,
    verdict: record.verdict,
    outcome: record.outcome,
    postureDigest: toHex(record.postureDigest),
    pcrDigest: record.pcrDigest === null ? null : toHex(record.pcrDigest),
    size: record.bytes.length,
  }
}

const list = defineEndpoint({
  method: 'GET',
  path: '/devices/:ueid/evidence',
  operationId: 'listEvidence',
  summary: 'List the accepted evidence of a device that is kept, last arrived first',
  roles: READERS,
  scope: 'own',
  params: DeviceParams,
  query: v.strictObject(pageQuery),
  response: pageOf(EvidenceJson),
  run: async ({ store }, { params, query }) => {
    const device = await existingDevice(store, params.ueid)
    const page = await store.evidence.list(device.id, query)
    return { ...page, items: page.items.map(toJson) }
  },
})

const latest = defineEndpoint({
  method: 'GET',
  path: '/devices/:ueid/evidence/latest',
  operationId: 'getLatestEvidence',
  summary: 'The newest fresh evidence as it was received, or without any the last that arrived',
  roles: READERS,
  scope: 'own',
  params: DeviceParams,
  response: CborBytes,
  run: async ({ store }, { params }) => {
    const device = await existingDevice(store, params.ueid)
    const fresh = await store.evidence.latestFresh(device.id)
    const record = fresh ?? (await store.evidence.list(device.id, { limit: 1 })).items[0]
    if (record === undefined) throw new KeepsealError('request.not-found', 'the device has sent no evidence')
    return record.bytes
  },
})

export const evidenceEndpoints: readonly Endpoint[] = [list, latest]
