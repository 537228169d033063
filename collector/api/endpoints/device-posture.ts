import * as v from 'valibot'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { decodeSection } from '../../../shared/posture/canonical.ts'
import { isSectionId } from '../../../shared/posture/sections.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest } from '../schemas.ts'
import { DeviceParams, existingDevice } from './devices.ts'
import { READERS } from './roles.ts'

const SectionJson = v.strictObject({
  id: v.string(),
  digest: Digest,
  /** `missing`: not sent yet. `unreadable`: of an agent that this collector does not understand. */
  status: v.picklist(['measured', 'not-supported', 'no-permission', 'failed', 'missing', 'unreadable']),
  /** Why there is no content. */
  reason: v.nullable(v.string()),
  /** As docs/sensors has it. */
  content: v.nullable(v.unknown()),
})

function sectionJson(id: string, digest: Uint8Array, bytes: Uint8Array | undefined): v.InferOutput<typeof SectionJson> {
  const same = { id, digest: toHex(digest), reason: null, content: null }
  if (bytes === undefined) return { ...same, status: 'missing' }
  if (!isSectionId(id)) return { ...same, status: 'unreadable' }
  try {
    const reading = decodeSection(id, bytes)
    if (reading.status === 'measured') return { ...same, status: 'measured', content: reading.content }
    return { ...same, status: reading.status, reason: 'reason' in reading ? reading.reason : reading.code }
  } catch (error) {
    if (error instanceof OutcomeError) return { ...same, status: 'unreadable', reason: error.code }
    throw error
  }
}

const show = defineEndpoint({
  method: 'GET',
  path: '/devices/:ueid/posture',
  operationId: 'getDevicePosture',
  summary: 'What a device reports of itself, section by section; said by its agent, and measured by no TPM',
  roles: READERS,
  scope: 'own',
  params: DeviceParams,
  /** Empty before the first fresh evidence. */
  response: v.strictObject({ postureDigest: v.nullable(Digest), sections: v.array(SectionJson) }),
  run: async ({ store }, { params }) => {
    const device = await existingDevice(store, params.ueid)
    const { postureDigest } = await store.devices.stateOf(device.id)
    const posture = postureDigest === null ? undefined : await store.postures.find(device.vendor, postureDigest)
    const sections = []
    for (const [id, digest] of posture ?? []) {
      sections.push(sectionJson(id, digest, await store.sections.find(device.vendor, digest)))
    }
    return { postureDigest: postureDigest === null ? null : toHex(postureDigest), sections }
  },
})

export const devicePostureEndpoints: readonly Endpoint[] = [show]
