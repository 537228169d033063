import { expect, test } from 'vitest'
import { initialDeviceState } from '../../../collector/model/device.ts'
import { noDeviceRelease } from '../../../collector/model/release.ts'
import { describeStore } from './support.ts'
import { storedDevice, storedProduct } from './samples.ts'

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
    const deadlines = { stale: 0, silent: 0 }
    const listed = (isCovered: boolean) =>
      store().fleetPage.ueids({ coverage: { covered: isCovered, groups } }, deadlines, { offset: 0, limit: 9 })
    expect([await listed(true), await listed(false)]).toEqual([[covered.ueid], [unknown.ueid]])
  })
})
