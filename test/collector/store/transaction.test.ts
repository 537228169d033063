import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Store } from '../../../collector/store/index.ts'
import { describeStore } from './support.ts'
import { evidence, finding, NOW, product, storedDevice, token } from './samples.ts'

describeStore('a transaction', (createStore) => {
  it('leaves nothing behind when it throws, whatever it had done before', async () => {
    const store = createStore()
    const device = await storedDevice(store)
    const steps = [
      (inner: Store) => inner.products.create(product({ model: 'within' })),
      (inner: Store) => inner.evidence.insert(evidence(device.id, 0)),
      (inner: Store) => inner.devices.updateEnrolment(device.id, 'revoked', NOW),
      (inner: Store) => inner.findings.insert(finding(device.id)),
      (inner: Store) => inner.enrolmentTokens.create(token(device.productId)),
      (inner: Store) => inner.auditLog.append({ at: NOW, actor: 'a', action: 'x', subject: 's', detail: {} }),
    ]
    const before = await everything(store, device.id)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(steps, { minLength: 1 }), async (chosen) => {
        const failing = store.transaction(async (inner) => {
          for (const step of chosen) await step(inner)
          throw new Error('stop')
        })
        await expect(failing).rejects.toThrow('stop')
        expect(await everything(store, device.id)).toEqual(before)
      }),
      { numRuns: 20 },
    )
  })

  it('keeps everything when it ends, and gives back its result', async () => {
    const store = createStore()
    const kept = product()
    const result = await store.transaction(async (inner) => {
      await inner.products.create(kept)
      return (await inner.products.byId(kept.id))?.vendor
    })
    expect(result).toBe('Acme')
    expect(await store.products.byId(kept.id)).toEqual(kept)
  })

  it('within a transaction joins it', async () => {
    const store = createStore()
    const kept = product()
    const failing = store.transaction(async (outer) => {
      await outer.transaction((inner) => inner.products.create(kept))
      throw new Error('stop')
    })
    await expect(failing).rejects.toThrow('stop')
    expect(await store.products.byId(kept.id)).toBeUndefined()
  })

  it('does not mix with another that runs at the same time', async () => {
    const store = createStore()
    const device = await storedDevice(store)
    const increment = () =>
      store.transaction(async (inner) => {
        const state = await inner.devices.stateOf(device.id)
        await new Promise((resolve) => setTimeout(resolve, 1))
        await inner.devices.saveState(device.id, { ...state, lastReceiptNumber: state.lastReceiptNumber + 1 })
      })
    await Promise.all(Array.from({ length: 10 }, increment))
    expect((await store.devices.stateOf(device.id)).lastReceiptNumber).toBe(10)
  })
})

async function everything(store: Store, deviceId: number): Promise<unknown> {
  const page = { limit: 100 }
  return [
    await store.products.list(page),
    await store.evidence.list(deviceId, page),
    await store.devices.list(page),
    await store.findings.list(page),
    await store.enrolmentTokens.list(page),
    await store.auditLog.list(page),
  ]
}
