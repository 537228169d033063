import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { KeepsealError } from '../../../shared/errors.ts'
import { actOnAll, assertExpected, MAX_SELECTED, type BulkAct } from '../../../collector/tracking/bulk.ts'
import { deviceAct, type DeviceAction } from '../../../collector/tracking/bulk-devices.ts'
import { initialDeviceState } from '../../../collector/model/device.ts'
import type { Store } from '../../../collector/store/index.ts'
import type { DeviceWithState } from '../../../collector/store/devices.ts'
import { describeStore } from '../store/support.ts'
import { NOW, storedDevice, storedProduct } from '../store/samples.ts'

const LABELS = { set: { site: 'plant-7' }, remove: [] }

describeStore('an action on many devices', (createStore) => {
  async function fleet(size: number) {
    const store = createStore()
    const { id: productId } = await storedProduct(store)
    for (let index = 0; index < size; index++) {
      await storedDevice(store, `device ${index}`, productId, { enrolment: index % 5 === 4 ? 'active' : 'pending' })
    }
    return { store, selected: await store.devices.select({ productId }, size + 1) }
  }
  const run = (
    store: Store,
    selected: readonly DeviceWithState[],
    action: DeviceAction,
    isDryRun: boolean,
    over = {},
  ) =>
    actOnAll(
      store,
      {
        selected,
        nameOf: ({ device }) => device.ueid,
        ...deviceAct(action, { actor: 'api_x', now: NOW, random: randomBytes, labels: LABELS }),
        ...over,
      },
      isDryRun,
    )
  const enrolments = async ({ devices }: Store) =>
    Object.fromEntries(
      (await devices.list({ limit: 500 })).items.map(({ device }) => [device.serial, device.enrolment]),
    )

  it('says first to whom it would be done, and does exactly that', async () => {
    const { store, selected } = await fleet(120)
    const before = await enrolments(store)
    const dry = await run(store, selected, 'accept', true)
    expect(dry).toMatchObject({
      matched: 120,
      done: 96,
      left: 0,
      stoppedBy: null,
      skipped: [{ reason: 'it is active', count: 24 }],
    })
    expect(dry.sample).toHaveLength(20)
    expect(await enrolments(store)).toEqual(before)
    const acted: string[] = []
    const done = await run(store, selected, 'accept', false, {
      acted: ({ device }: DeviceWithState) => acted.push(device.ueid),
    })
    expect(done).toEqual(dry)
    expect(acted).toHaveLength(96)
    expect(new Set(Object.values(await enrolments(store)))).toEqual(new Set(['active']))
    // Once more there is nothing left to do, which it says.
    expect(await run(store, selected, 'accept', false)).toMatchObject({ done: 0, skipped: [{ count: 120 }] })
  })

  it('rejects those that wait, and nobody else', async () => {
    const { store, selected } = await fleet(10)
    expect(await run(store, selected, 'reject', false)).toMatchObject({ done: 8, skipped: [{ count: 2 }] })
    expect(Object.values(await enrolments(store)).filter((each) => each === 'active')).toHaveLength(2)
  })

  it('that fails in the middle keeps whole chunks, and says what is left', async () => {
    const { store, selected } = await fleet(120)
    const { act, ...bulk } = deviceAct('label', { actor: 'api_x', now: NOW, random: randomBytes, labels: LABELS })
    let count = 0
    const failing: BulkAct<DeviceWithState> = {
      ...bulk,
      selected,
      nameOf: ({ device }) => device.ueid,
      act: async (transaction, item) => {
        if (++count === 70) throw new Error('no room')
        await act(transaction, item)
      },
    }
    const report = await actOnAll(store, failing, false)
    expect(report).toMatchObject({ matched: 120, done: 50, left: 70, stoppedBy: 'internal.failure' })
    const labelled = await store.devices.select({ labels: [['site', 'plant-7']] }, 200)
    expect(labelled).toHaveLength(50)
  })

  it('does not approve what has failed, or what a decision refuses', async () => {
    const { store, selected } = await fleet(3)
    const [first] = selected
    if (first === undefined) throw new Error('no device')
    await store.devices.saveState(first.device.id, { ...initialDeviceState, latch: 'failed' })
    const report = await run(store, selected, 'approve', false)
    expect(report).toMatchObject({ matched: 3, done: 2, skipped: [{ count: 1, sample: [first.device.ueid] }] })
    const again = await run(store, selected, 'approve', false)
    expect(again).toMatchObject({
      done: 0,
      skipped: [{ count: 1 }, { count: 2, reason: expect.stringContaining('conflict') }],
    })
  })

  it('is refused for another number than was looked at, and for too many', () => {
    expect(() => assertExpected(318, 312)).toThrow(KeepsealError)
    expect(() => assertExpected(312, 312)).not.toThrow()
    expect(() => assertExpected(MAX_SELECTED + 1, undefined)).toThrow(
      expect.objectContaining({ code: 'request.invalid' }),
    )
  })
})
