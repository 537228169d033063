import { describe, expect, it } from 'vitest'
import { storedGateway } from '../../../deploy/simulator/enrol/into-store.ts'
import type { SimulatedGateway } from '../../../deploy/simulator/gateway.ts'
import { FleetSeed } from '../../../deploy/simulator/keys/seed.ts'
import { releaseOf } from '../../../deploy/simulator/posture/release.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import { createReceipt, createRequest, type Receipt } from '../../../shared/evidence/down.ts'
import { decodeEvidence } from '../../../shared/evidence/evidence.ts'
import { parseQuoteAttest } from '../../../shared/tpm/attest.ts'
import { epoch, filled, receiptKey } from '../../support/messages.ts'

const START = Date.UTC(2026, 5, 1)
const SECRET = filled(32, 9)
const product = { id: 'prd_1', vendor: 'Acme', model: 'GW-1' }
const keys = { collectorId: epoch.collectorId, receiptKeyOf: () => SECRET }

function gatewayAt(index = 1): SimulatedGateway {
  const fleet = { seed: new FleetSeed('one'), product, now: START }
  const gateway = storedGateway(fleet, index, keys, releaseOf(1), START)
  gateway.learn(epoch)
  return gateway
}

/** The evidence that it makes at this time, as it reads. */
async function made(gateway: SimulatedGateway, now = START) {
  expect(await gateway.report(now)).toBe(true)
  const report = gateway.outbox.waiting.at(-1)
  if (report === undefined) throw new Error('no report')
  const { claims, tpm } = decodeEvidence(report.bytes)
  if (tpm === null) throw new Error('no quote')
  return { report, claims, tpm, quote: parseQuoteAttest(tpm.attest) }
}

const receiptOf = (gateway: SimulatedGateway, over: Partial<Receipt> = {}): Uint8Array => {
  const sessions = gateway.outbox.waiting.map(({ session, sequence }) => ({
    session,
    contiguousTo: sequence,
    extra: [],
  }))
  return createReceipt(gateway.ueid, { number: 1, sessions, refused: [], ...over }, gateway.identity.receiptKey)
}

describe('a simulated gateway', () => {
  it('makes nothing before it knows an epoch, and answers no older one than it knows', async () => {
    const gateway = gatewayAt()
    const newer = { ...epoch, number: epoch.number + 1, issuedAt: epoch.issuedAt + 300, nonce: filled(32, 0x77) }
    expect([gateway.learn(newer), gateway.learn(epoch), gateway.learn(newer)]).toEqual([true, false, false])
    expect(toHex((await made(gateway)).claims.nonce)).toBe(toHex(newer.nonce))
    const fleet = { seed: new FleetSeed('one'), product, now: START }
    expect(await storedGateway(fleet, 2, keys, releaseOf(1), START).report(START)).toBe(false)
  })

  it('has a TPM that counts its boots, and whose clock goes as time does', async () => {
    const gateway = gatewayAt()
    const before = (await made(gateway, START)).quote.clockInfo
    const later = (await made(gateway, START + 300_000)).quote.clockInfo
    expect(later).toEqual({ ...before, clock: before.clock + 300_000n })
    gateway.reboot(releaseOf(2).posture, releaseOf(2).boot)
    const { quote, claims } = await made(gateway, START + 400_000)
    expect(quote.clockInfo.resetCount).toBe(before.resetCount + 1)
    expect(toHex(quote.pcrDigest)).toBe(toHex(releaseOf(2).boot.pcrDigest))
    expect(claims.sequence).toBe(0)
  })

  it('sends posture and PCR values until they are receipted, and again when it is asked', async () => {
    const gateway = gatewayAt()
    const isWhole = async (): Promise<readonly boolean[]> => {
      const { claims, tpm } = await made(gateway)
      return [claims.posture !== null, tpm.pcrs !== null]
    }
    expect([await isWhole(), await isWhole()].flat()).toEqual([true, true, true, true])
    expect((await gateway.answered(receiptOf(gateway))).receipted).toHaveLength(2)
    expect(await isWhole()).toEqual([false, false])
    const request = { posture: true, pcrs: true, contents: [], ima: null }
    const asked = createRequest(gateway.ueid, request, gateway.identity.receiptKey)
    expect((await gateway.answered(asked)).measure).toBe(true)
    expect(await isWhole()).toEqual([true, true])
  })

  it('names the last receipt when it begins anew, in a session of its own', async () => {
    const gateway = gatewayAt()
    const { claims } = await made(gateway)
    const receipt = receiptOf(gateway)
    await gateway.answered(receipt)
    const copy = gateway.clone(new FleetSeed('one').random('clone'))
    gateway.restart()
    const again = await made(gateway)
    const elsewhere = await made(copy)
    expect(toHex(again.claims.previous ?? filled(1, 0))).toBe(toHex(sha256(receipt)))
    const sessions = [claims, again.claims, elsewhere.claims].map(({ session }) => toHex(session))
    expect(new Set(sessions).size).toBe(3)
    expect(copy.ueid).toBe(gateway.ueid)
  })

  it('lets go of what is refused, with its code', async () => {
    const gateway = gatewayAt()
    const { report } = await made(gateway)
    const refused = [{ hash: report.hash, code: 'link.previous-mismatch' }]
    const answered = await gateway.answered(receiptOf(gateway, { sessions: [], refused }))
    expect(answered.refused.map(({ code }) => code)).toEqual(['link.previous-mismatch'])
    expect([gateway.outbox.waiting.length, gateway.outbox.refused]).toEqual([0, 1])
  })

  it('believes no receipt that is not for it', async () => {
    const gateway = gatewayAt()
    await made(gateway)
    const sessions = [{ session: gateway.session, contiguousTo: 9, extra: [] }]
    const forged = createReceipt(gateway.ueid, { number: 1, sessions, refused: [] }, receiptKey)
    for (const bytes of [forged, new Uint8Array(3)]) {
      expect((await gateway.answered(bytes)).receipted).toEqual([])
    }
    expect(gateway.outbox.waiting).toHaveLength(1)
  })
})

describe('what is drawn from a seed', () => {
  it('is another value each time, within its bounds, and the same in each run', () => {
    const draw = (): readonly string[] => {
      const random = new FleetSeed('one').random('test')
      return Array.from({ length: 20 }, () => toHex(random(16)))
    }
    expect(new Set(draw()).size).toBe(20)
    expect(draw()).toEqual(draw())
    expect(new FleetSeed('one').random('test')(100)).toHaveLength(100)
    const next = new FleetSeed('one').fractions('test')
    const fractions = Array.from({ length: 100 }, next)
    expect(new Set(fractions).size).toBe(100)
    expect(fractions.every((fraction) => fraction >= 0 && fraction < 1)).toBe(true)
  })
})
