import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KnownEpoch } from '../../../agent/attest/known-epoch.ts'
import { coseKeyThumbprint } from '../../../shared/cose/key.ts'
import { ed25519Key, hash, random } from '../../../shared/crypto/node.ts'
import { signEpoch } from '../../../shared/evidence/epoch.ts'
import { signRestorePoint, type RestorePointMessage } from '../../../shared/evidence/restore-point.ts'
import { ed25519Signer } from '../../support/node-signer.ts'

const { signer, x } = ed25519Signer(random(32))
const id = random(16)
const collector = { id, key: { key: ed25519Key(x), thumbprint: coseKeyThumbprint({ curve: 'Ed25519', x }, hash) } }
const epoch = (number: number, issuedAt: number, collectorId = id): Promise<Uint8Array> =>
  signEpoch({ collectorId, number, nonce: random(32), issuedAt, period: 300 }, signer)
const restorePoint = (over: Partial<RestorePointMessage>, by = signer): Promise<Uint8Array> =>
  signRestorePoint(
    { collectorId: id, number: 1, restoredAt: 155_000, newestReceiptAt: 120_000, firstEpoch: 401, ...over },
    by,
  )
const knowing = (stored: Uint8Array, point: Uint8Array | null = null): KnownEpoch =>
  new KnownEpoch(collector, { restorePoint: point, epoch: stored })

const damaged = (message: Uint8Array): Uint8Array => {
  const bytes = Uint8Array.from(message)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  return bytes
}

describe('the newest epoch', () => {
  it('goes forward, also over a restart', async () => {
    const [first, second] = [await epoch(7, 1_000), await epoch(8, 1_300)]
    const known = knowing(first)
    expect([known.offer(second), known.offer(first), known.offer(second)]).toEqual([true, false, false])
    expect(knowing(second).offer(first)).toBe(false)
    expect(known.current?.number).toBe(8)
  })

  it('is one of a collector whose clock was set back, and none that it issued while the clock was ahead', async () => {
    const ahead = await epoch(7, 9_000)
    const known = knowing(ahead)
    expect([known.offer(await epoch(8, 1_000)), known.offer(ahead)]).toEqual([true, false])
  })

  it('is no lower one that only says to be of later', async () => {
    const known = knowing(await epoch(500, 150_000))
    expect(known.offer(await epoch(401, 160_000))).toBe(false)
  })

  it("is no other collector's, and nothing forged", async () => {
    const known = knowing(await epoch(7, 1_000))
    const others = [await epoch(8, 2_000, random(16)), damaged(await epoch(9, 2_000))]
    expect(others.map((message) => known.offer(message))).toEqual([false, false])
    expect(known.current?.number).toBe(7)
  })
})

describe('a restore point', () => {
  it('begins the numbering anew, also over a restart, and lets none of before in', async () => {
    const point = await restorePoint({})
    const known = knowing(await epoch(500, 150_000))
    expect([known.offerRestorePoint(point), known.current]).toEqual([true, null])
    expect(known.offer(await epoch(400, 120_000))).toBe(false)
    const restored = await epoch(401, 160_000)
    expect([known.offer(restored), known.current?.number]).toEqual([true, 401])
    const restarted = knowing(restored, point)
    expect([restarted.offer(await epoch(400, 170_000)), restarted.offerRestorePoint(point)]).toEqual([false, false])
    expect(restarted.current?.number).toBe(401)
  })

  it('leaves an epoch of after the restore alone, whichever arrived first', async () => {
    const known = knowing(await epoch(401, 160_000))
    expect([known.offerRestorePoint(await restorePoint({})), known.current?.number]).toEqual([true, 401])
  })

  it('has no effect when it is older than one that is known', async () => {
    const known = knowing(await epoch(500, 150_000), await restorePoint({ number: 9 }))
    for (const number of [8, 9]) expect(known.offerRestorePoint(await restorePoint({ number }))).toBe(false)
    expect(known.offerRestorePoint(await restorePoint({ number: 10 }))).toBe(true)
  })

  it("has no effect when it is another collector's, or forged", async () => {
    const known = knowing(await epoch(500, 150_000))
    const impostor = { ...ed25519Signer(random(32)).signer, keyId: signer.keyId }
    const forged = [
      await restorePoint({ collectorId: random(16) }),
      await restorePoint({}, impostor),
      await restorePoint({}, ed25519Signer(random(32)).signer),
      await epoch(501, 160_000),
    ]
    expect(forged.map((message) => known.offerRestorePoint(message))).toEqual([false, false, false, false])
    expect(known.current?.number).toBe(500)
    expect(known.offer(await epoch(401, 160_000))).toBe(false)
  })

  it('has no effect when anything in it is changed', async () => {
    const [stored, point] = [await epoch(500, 150_000), await restorePoint({})]
    fc.assert(
      fc.property(fc.nat(point.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const known = knowing(stored)
        const bytes = Uint8Array.from(point)
        bytes[at] = (bytes[at] ?? 0) ^ change
        expect([known.offerRestorePoint(bytes), known.current?.number]).toEqual([false, 500])
      }),
    )
  })
})
