import { expect, test } from 'vitest'
import { makeEvidence } from '../../../agent/attest/make-evidence.ts'
import { AttestationSession } from '../../../agent/attest/session.ts'
import { random } from '../../../shared/crypto/node.ts'
import { decodeEvidence } from '../../../shared/evidence/evidence.ts'
import { makeUeid } from '../../../shared/evidence/identifiers.ts'
import { MAX_STATE_ENTRIES } from '../../../shared/evidence/state.ts'
import { ed25519Signer } from '../../support/node-signer.ts'

test('whatever sensors tell of state, the counters of the agent itself are told', async () => {
  const { signer } = ed25519Signer(random(32))
  const of = (name: string, count: number) =>
    new Map(Array.from({ length: count }, (_, index) => [`${name}.${index}`, index] as const))
  const own = new Map([['outbox.dropped', 7]])
  const { bytes } = await makeEvidence({
    ueid: makeUeid(random(16)),
    collectorId: random(16),
    signer,
    session: new AttestationSession(random(16), random(32)),
    nonce: random(32),
    posture: {
      sections: new Map(),
      measurements: new Map(),
      posture: new Map([['system', random(32)]]),
      postureDigest: random(32),
      state: of('x', MAX_STATE_ENTRIES),
      bootId: random(16),
      uptimeSeconds: 1,
    },
    state: own,
    hardwareModel: null,
    software: { name: 'keepseal-agent', version: '1' },
    issuedAt: 1_800_000_000,
    quote: null,
    firmwareLogDigest: null,
    acknowledged: { postureDigest: null, pcrDigest: null },
  })
  const { claims } = decodeEvidence(bytes)
  expect(claims.state.size).toBe(MAX_STATE_ENTRIES)
  expect(claims.state.get('outbox.dropped')).toBe(7)
})
