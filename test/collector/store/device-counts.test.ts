import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { initialDeviceState, type Device } from '../../../collector/model/device.ts'
import { noDeviceRelease, type Release } from '../../../collector/model/release.ts'
import { openDatabase } from '../../../collector/store/database.ts'
import { createStore, type Store } from '../../../collector/store/index.ts'
import { migrate, migrations } from '../../../collector/store/migrations/index.ts'
import { bytes, id, NOW, storedDevice, storedProduct } from './samples.ts'
import { describeStore } from './support.ts'

const POSTURES = [null, bytes('one'), bytes('two')] as const
const RELEASES = ['1.0', '2.0'] as const

type Step =
  | { readonly kind: 'enrol'; readonly pending: boolean; readonly hardware: string }
  | { readonly kind: 'report'; readonly device: number; readonly posture: number; readonly release: number }
  | { readonly kind: 'enrolment'; readonly device: number; readonly to: 'pending' | 'active' | 'revoked' }
  | { readonly kind: 'silence'; readonly device: number }
  | { readonly kind: 'settle' }

const device = fc.nat(7)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('enrol' as const), pending: fc.boolean(), hardware: fc.constantFrom('A', 'B') }),
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('report' as const), device, posture: fc.nat(2), release: fc.nat(2) }),
  },
  fc.record({
    kind: fc.constant('enrolment' as const),
    device,
    to: fc.constantFrom('pending' as const, 'active' as const, 'revoked' as const),
  }),
  fc.record({ kind: fc.constant('silence' as const), device }),
  fc.record({ kind: fc.constant('settle' as const) }),
)

it('counts of devices are made of those that are there already', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-counts-'))
  const db = openDatabase({ path: join(directory, 'collector.db') })
  try {
    const at = migrations.findIndex(({ name }) => name.endsWith('device-counts'))
    await migrate(db, migrations.slice(0, at))
    const store = createStore(db)
    const product = await storedProduct(store)
    for (const [label, posture, enrolment] of [
      ['a', 1, 'active'],
      ['b', 1, 'active'],
      ['c', 2, 'active'],
      ['d', 2, 'revoked'],
      ['e', 0, 'active'],
    ] as const) {
      const { id: deviceId } = await storedDevice(store, label, product.id, { enrolment })
      await store.devices.saveState(deviceId, { ...initialDeviceState, postureDigest: POSTURES[posture] })
    }
    await migrate(db)
    const counts = (await store.exposedDevices.groups(product.id)).map(({ count }) => count)
    expect(counts.sort()).toEqual([1, 2])
    expect(await store.exposedDevices.count(product.id)).toBe(4)
  } finally {
    await db.destroy()
    rmSync(directory, { recursive: true })
  }
})

describeStore('counts of devices', (createStore) => {
  /** A product with two releases, and what makes a step of it come true. */
  async function counting(store: Store) {
    const product = await storedProduct(store, { model: `Gate ${id('prd')}` })
    const releases: (string | null)[] = [null]
    for (const name of RELEASES) {
      const about = { id: id('rel'), productId: product.id, name, digest: bytes(`${product.id} ${name}`) }
      const acts = { authors: [], createdAt: NOW, approved: null, countersigned: null, order: null, activatedAt: null }
      const ends = { supersededAt: null, acceptedUntil: null, revokedAt: null, isMinimum: false }
      const release: Release = { ...about, ...acts, ...ends, state: 'active' }
      await store.releases.insert(release, bytes('document'))
      releases.push(release.id)
    }
    const devices: Device[] = []
    const report = (of: Device, posture: number, release: number) =>
      store.devices.saveState(of.id, {
        ...initialDeviceState,
        postureDigest: POSTURES[posture] ?? null,
        release: { ...noDeviceRelease, current: releases[release] ?? null },
      })
    const take = async (one: Step): Promise<void> => {
      if (one.kind === 'enrol') {
        const over = { enrolment: one.pending ? 'pending' : 'active', hardwareRevision: one.hardware } as const
        devices.push(await storedDevice(store, id('itm'), product.id, over))
        return
      }
      if (one.kind === 'settle') {
        await store.deviceCounts.settle(0)
        return
      }
      const of = devices[one.device % Math.max(1, devices.length)]
      if (of === undefined) return
      if (one.kind === 'report') await report(of, one.posture, one.release)
      else if (one.kind === 'enrolment') await store.devices.updateEnrolment(of.id, one.to, NOW)
      else await store.devices.setLiveness(of.id, 'silent')
    }
    /** By one look at every device, which is what the counts have to come to. */
    const recounted = async (): Promise<readonly string[]> => {
      const { items } = await store.devices.list({ limit: 500 }, { productId: product.id })
      const counts = new Map<string, number>()
      for (const { device: of, state } of items) {
        if (of.enrolment !== 'active' || state.postureDigest === null) continue
        const key = [
          of.hardwareRevision,
          Buffer.from(state.postureDigest).toString('hex'),
          state.release.current,
        ].join()
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
      return [...counts].map(([key, count]) => `${key} ${count}`).sort()
    }
    const counted = async (): Promise<readonly string[]> =>
      (await store.exposedDevices.groups(product.id))
        .map(({ hardware, posture, releaseId, count }) => `${[hardware, posture, releaseId].join()} ${count}`)
        .sort()
    const all = async (): Promise<number> =>
      (await store.devices.list({ limit: 500 }, { productId: product.id, enrolment: 'active' })).items.length
    return { product, devices, take, recounted, counted, all }
  }

  it('are what a look at every device gives, whatever has happened to them', async () => {
    const store = createStore()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const { product, take, recounted, counted, all } = await counting(store)
        for (const hardware of ['A', 'B', 'A']) await take({ kind: 'enrol', pending: false, hardware })
        for (const one of steps) await take(one)
        expect(await counted()).toEqual(await recounted())
        expect(await store.exposedDevices.count(product.id)).toBe(await all())
        await store.deviceCounts.settle(0)
        expect(await counted()).toEqual(await recounted())
      }),
      { numRuns: 30 },
    )
  }, 60_000)

  it('are so too where several change at once, and are added up beside it', async () => {
    const store = createStore()
    const { devices, take, recounted, counted } = await counting(store)
    for (let at = 0; at < 8; at++) await take({ kind: 'enrol', pending: false, hardware: 'A' })
    for (let round = 0; round < 12; round++) {
      await Promise.all([
        ...devices.map((_, index) =>
          take({ kind: 'report', device: index, posture: (index + round) % 3, release: round % 3 }),
        ),
        ...[0, 3, 5].map((index) =>
          take({ kind: 'enrolment', device: index, to: round % 2 === 0 ? 'revoked' : 'active' }),
        ),
        take({ kind: 'settle' }),
      ])
      expect(await counted()).toEqual(await recounted())
    }
  }, 60_000)

  it('are not written by a report that tells nothing new', async () => {
    const store = createStore()
    const { devices, take } = await counting(store)
    await take({ kind: 'enrol', pending: false, hardware: 'A' })
    const report: Step = { kind: 'report', device: 0, posture: 1, release: 1 }
    await take(report)
    while (await store.deviceCounts.settle(0)) continue
    const rows = () => store.deviceCounts.rows()
    const before = await rows()
    for (let at = 0; at < 5; at++) await take(report)
    await take({ kind: 'silence', device: 0 })
    expect(await rows()).toBe(before)
    expect(devices).toHaveLength(1)
  })
})
