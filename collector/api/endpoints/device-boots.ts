import * as v from 'valibot'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { OutcomeError, outcomeOf } from '../../../shared/errors.ts'
import { decodeEvidence } from '../../../shared/evidence/evidence.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, HexBytes, Time, toTime } from '../schemas.ts'
import { DeviceParams, existingDevice } from './devices.ts'
import { READERS } from './roles.ts'

const MOST = 200

const list = defineEndpoint({
  method: 'GET',
  path: '/devices/:ueid/boots',
  operationId: 'listBoots',
  summary: 'Boots of a device, newest first, as far as the first evidence of its agent after each is kept',
  roles: READERS,
  scope: 'own',
  params: DeviceParams,
  response: v.strictObject({
    items: v.array(
      v.strictObject({
        /** The kernel's boot id. */
        bootId: HexBytes,
        /** When the first evidence of this boot arrived: it booted before. */
        firstReceivedAt: Time,
        /** Starts of the agent in it that are known. */
        agentStarts: v.number(),
        /** Of that evidence. */
        evidenceHash: Digest,
      }),
    ),
  }),
  run: async ({ store }, { params }) => {
    const device = await existingDevice(store, params.ueid)
    const boots = new Map<string, { firstReceivedAt: number; agentStarts: number; evidenceHash: string }>()
    // Oldest first, so that a boot is known by its first evidence.
    for (const { bytes, hash, receivedAt } of (await store.evidence.firstOfSessions(device.id, MOST)).toReversed()) {
      const evidence = outcomeOf(() => decodeEvidence(bytes))
      // Of an earlier version, which this one cannot read.
      if (evidence instanceof OutcomeError) continue
      const bootId = toHex(evidence.claims.bootSeed)
      const known = boots.get(bootId) ?? { firstReceivedAt: receivedAt, agentStarts: 0, evidenceHash: toHex(hash) }
      boots.set(bootId, { ...known, agentStarts: known.agentStarts + 1 })
    }
    const items = [...boots].map(([bootId, { firstReceivedAt, ...boot }]) => {
      return { bootId, firstReceivedAt: toTime(firstReceivedAt), ...boot }
    })
    return { items: items.reverse() }
  },
})

export const deviceBootsEndpoints: readonly Endpoint[] = [list]
