import { expect, it, vi } from 'vitest'
import type { AttestationChallenge } from '../../../collector/model/attestation-challenge.ts'
import { askDevice } from '../../../collector/tracking/challenges/ask.ts'
import { hmac, random, sha256 } from '../../../shared/crypto/node.ts'
import { createChallenge } from '../../../shared/evidence/challenge.ts'
import { decodeEvidence } from '../../../shared/evidence/evidence.ts'
import { approved, useGatewaySite } from '../../support/gateway-site.ts'

/** The agent and the collector as they run, broker and all: a gateway is asked for evidence at once. */

const open = useGatewaySite('challenge')

it('what was measured before a challenge came is no answer to it', async () => {
  const { bench, gateway } = await open()
  const { ueid } = gateway.device
  const device = (await bench.store.devices.byUeid(ueid)) ?? expect.fail()
  const secret = bench.keys.receiptKeyOf(ueid, device.deviceKeyThumbprint)
  const message = { number: 1, nonce: random(32), expiresAt: Math.floor(Date.now() / 1000) + 600 }
  const measuring = gateway.agent.measure()
  await gateway.agent.downArrived(
    createChallenge(ueid, message, { keyId: device.deviceKeyThumbprint, secret, hmac }),
    false,
  )
  await measuring
  expect(gateway.agent.challengeDueMs).toBe(0)
  await gateway.agent.measure()
  expect(gateway.agent.challengeDueMs).toBeNull()
}, 60_000)

it('a gateway answers what it is asked, also what it was asked while it was away, and nothing twice', async () => {
  const site = await open('receipts.min_interval_seconds=0')
  const { bench, gateway } = site
  const { store, keys } = bench
  await gateway.report()
  await gateway.receipted()
  const { ueid } = gateway.device
  const { id } = (await store.devices.byUeid(ueid)) ?? expect.fail()
  await approved(site)
  // In the past, so that the second question need not wait for its minute.
  const ask = (agoMs: number): Promise<AttestationChallenge> =>
    askDevice(store, { ueid, actor: 'api_x', now: Date.now() - agoMs, validMs: 3_600_000, random })
  const answered = (challenge: AttestationChallenge): Promise<AttestationChallenge> =>
    vi.waitFor(
      async () => {
        const now = await store.attestationChallenges.byId(id, challenge.id)
        return now?.answer == null ? expect.fail('not answered') : now
      },
      { timeout: 25_000, interval: 100 },
    )
  const reports = async (): Promise<number> => (await bench.counted(gateway.device)).length

  const first = await answered(await ask(600_000))
  expect(first).toMatchObject({ tries: 1, answer: { fresh: true, verdict: 'affirming' } })
  const kept = (await store.evidence.latestFresh(id)) ?? expect.fail()
  expect(new Uint8Array(sha256(kept.bytes))).toEqual(new Uint8Array(first.answer?.evidenceHash ?? []))
  expect(decodeEvidence(kept.bytes).claims.challenge).toEqual(new Uint8Array(first.nonce))

  // Whoever has kept the message can send it again: it is known, restarts included.
  const before = await reports()
  const device = (await store.devices.byUeid(ueid)) ?? expect.fail()
  const secret = keys.receiptKeyOf(ueid, device.deviceKeyThumbprint)
  const message = { number: first.number, nonce: first.nonce, expiresAt: Math.floor(first.expiresAt / 1000) }
  const replayed = createChallenge(ueid, message, { keyId: device.deviceKeyThumbprint, secret, hmac })
  await gateway.agent.downArrived(replayed, true)
  expect(gateway.agent.challengeDueMs).toBeNull()

  await gateway.stop()
  const asked = await ask(30_000)
  await vi.waitFor(
    async () => expect(await store.attestationChallenges.newest(id)).toMatchObject({ id: asked.id, tries: 1 }),
    { timeout: 10_000, interval: 100 },
  )
  await gateway.start()
  await gateway.agent.downArrived(replayed, true)
  expect(gateway.agent.challengeDueMs).toBeNull()
  expect(await reports()).toBe(before)
  // What was sent while it was away is lost; some time after that its next report is answered with it.
  await new Promise((resolve) => setTimeout(resolve, 21_000))
  await gateway.report()
  expect(await answered(asked)).toMatchObject({ tries: 2, answer: { fresh: true, verdict: 'affirming' } })
}, 90_000)
