import { describe, expect, it } from 'vitest'
import { KnownEpoch } from '../../../agent/attest/known-epoch.ts'
import { coseKeyThumbprint } from '../../../shared/cose/key.ts'
import { ed25519Key, hash, random } from '../../../shared/crypto/node.ts'
import { signEpoch } from '../../../shared/evidence/epoch.ts'
import { ed25519Signer } from '../../support/node-signer.ts'

const { signer, x } = ed25519Signer(random(32))
const id = random(16)
const collector = { id, key: { key: ed25519Key(x), thumbprint: coseKeyThumbprint({ curve: 'Ed25519', x }, hash) } }
const epoch = (number: number, issuedAt: number, collectorId = id): Promise<Uint8Array> =>
  signEpoch({ collectorId, number, nonce: random(32), issuedAt, period: 300 }, signer)

describe('the newest epoch', () => {
  it('goes forward, also over a restart', async () => {
    const [first, second] = [await epoch(7, 1_000), await epoch(8, 1_300)]
    const known = new KnownEpoch(collector, first)
    expect([known.offer(second), known.offer(first), known.offer(second)]).toEqual([true, false, false])
    expect(new KnownEpoch(collector, second).offer(first)).toBe(false)
    expect(known.current?.number).toBe(8)
  })

  it('is one of a collector that was restored from a backup and counts anew', async () => {
    const known = new KnownEpoch(collector, await epoch(500, 150_000))
    const restored = await epoch(401, 160_000)
    expect(known.offer(restored)).toBe(true)
    expect(known.offer(await epoch(400, 120_000))).toBe(false)
  })

  it('is one of a collector whose clock was set back', async () => {
    expect(new KnownEpoch(collector, await epoch(7, 9_000)).offer(await epoch(8, 1_000))).toBe(true)
  })

  it("is no other collector's, and nothing forged", async () => {
    const known = new KnownEpoch(collector, await epoch(7, 1_000))
    const forged = Uint8Array.from(await epoch(9, 2_000))
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    expect([known.offer(await epoch(8, 2_000, random(16))), known.offer(forged)]).toEqual([false, false])
    expect(known.current?.number).toBe(7)
  })
})
