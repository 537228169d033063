import { expect, test } from 'vitest'
import { initialDeviceState, type Device } from '../../../collector/model/device.ts'
import { noDeviceRelease } from '../../../collector/model/release.ts'
import { describeStore } from './support.ts'
import { bytes, evidence, NOW, storedDevice, storedProduct } from './samples.ts'

describeStore('the fleet on a page', (store) => {
  test('lists a device that no release explains as not covered, beside a release that is', async () => {
    const reports = (id: number, current: string | null) => {
      const release = { ...noDeviceRelease, current }
      return store().devices.saveState(id, { ...initialDeviceState, verdict: 'affirming', release })
    }
    const product = await storedProduct(store())
    const [covered, unknown] = [
      await storedDevice(store(), 'covered', product.id),
      await storedDevice(store(), 'unknown', product.id),
    ]
    await reports(covered.id, 'rel_1')
    await reports(unknown.id, null)
    const groups = [
      {
        productId: product.id,
        vendor: product.vendor,
        model: product.model,
        hardwareRevision: covered.hardwareRevision,
        releaseId: 'rel_1',
      },
    ]
    const deadlines = { stale: 0, staleAt: [], silent: 0 }
    const listed = (isCovered: boolean) =>
      store().fleetPage.ueids({ coverage: { covered: isCovered, groups } }, deadlines, { offset: 0, limit: 9 })
    expect([await listed(true), await listed(false)]).toEqual([[covered.ueid], [unknown.ueid]])
  })

  test('counts as many as it lists, with a filter and without', async () => {
    const product = await storedProduct(store())
    await storedDevice(store(), 'active', product.id)
    await storedDevice(store(), 'pending', product.id, { enrolment: 'pending' })
    await storedDevice(store(), 'revoked', product.id, { enrolment: 'revoked' })
    const deadlines = { stale: 0, staleAt: [], silent: 0 }
    for (const filter of [
      {},
      { text: '' },
      { standing: 'revoked' },
      { productId: product.id },
      { text: 'no such' },
    ] as const) {
      const listed = await store().fleetPage.ueids(filter, deadlines, { offset: 0, limit: 100 })
      expect(await store().fleetPage.count(filter, deadlines), JSON.stringify(filter)).toBe(listed.length)
    }
    expect(await store().fleetPage.count({}, deadlines)).toBe(2)
  })

  test('tells on which days the devices of a release have come to it', async () => {
    const product = await storedProduct(store())
    const came = async (label: string, current: string | null, since: number | null, over: Partial<Device> = {}) => {
      const { id } = await storedDevice(store(), label, product.id, over)
      const release = { ...noDeviceRelease, current, since }
      await store().devices.saveState(id, { ...initialDeviceState, release })
    }
    const day = Math.floor(NOW / 86_400_000)
    const at = (days: number) => (day + days) * 86_400_000
    await came('a', 'rel_1', at(0))
    await came('b', 'rel_1', at(1) - 1)
    await came('c', 'rel_1', at(3))
    await came('d', 'rel_2', at(3))
    await came('e', 'rel_1', at(3), { enrolment: 'revoked' })
    expect(await store().fleetPage.arrivals('rel_1')).toEqual([
      { day, count: 2 },
      { day: day + 3, count: 1 },
    ])
    expect(await store().fleetPage.arrivals('rel_3')).toEqual([])
  })

  test('finds the first evidence of each run of the agent', async () => {
    const { id } = await storedDevice(store(), 'one')
    const session = (name: string) => bytes(name, 16)
    for (const [name, seq] of [
      ['a', 0],
      ['a', 1],
      ['b', 0],
      ['c', 4],
    ] as const) {
      await store().evidence.insert(evidence(id, seq, { session: session(name), hash: bytes(`${name} ${seq}`) }))
    }
    const found = await store().evidence.firstOfSessions(id, 9)
    expect(found.map(({ hash }) => hash)).toEqual([bytes('b 0'), bytes('a 0')])
    expect(await store().evidence.firstOfSessions(id, 1)).toHaveLength(1)
  })
})
