import { expect, test } from 'vitest'
import { initialDeviceState } from '../../../collector/model/device.ts'
import { assertMayBeCovered } from '../../../collector/releases/coverage-gate.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { DecidingPeople } from '../../support/decision-log.ts'
import { refusalOf } from '../../support/keepseal-error.ts'
import { bytes, finding, NOW, storedDevice, storedProduct } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'
import { release as releaseOf } from './support.ts'

describeStore('a release', (createStore) => {
  test('does not become covered while its devices have critical findings, or by another digest', async () => {
    const store = createStore()
    const { id: productId } = await storedProduct(store, { vendor: 'Acme', model: 'Gate 7' })
    const release = releaseOf({ id: 'rel_1', productId, name: '2.0', digest: bytes('release') })
    await store.releases.insert(release, bytes('document'))
    const device = await storedDevice(store, 'one', productId)
    const running = { current: 'rel_1', since: NOW, highest: 'rel_1', judgedBy: null }
    await store.devices.saveState(device.id, { ...initialDeviceState, release: running })
    const open = finding(device.id, { severity: 'critical' })
    const people = await DecidingPeople.begin()
    const entry = (name: string, digest: string) =>
      people.sign(people.certifier, 'release.classify', `Acme/Gate 7@${name}`, { digest, class: 'none', reason: 'r' })
    const digest = toHex(bytes('release'))
    await assertMayBeCovered(store, await entry('2.0', digest))
    await store.findings.insert(open)
    const code = async (name: string, named: string) =>
      (await refusalOf(entry(name, named).then((each) => assertMayBeCovered(store, each)))).code
    expect(await code('2.0', digest)).toBe('release.critical-open')
    expect(await code('2.0', 'ab'.repeat(32))).toBe('release.changed')
    expect(await code('9.9', digest)).toBe('request.not-found')
    const other = await people.sign(people.certifier, 'person.revoke', people.vendor.id, { reason: 'r' })
    await assertMayBeCovered(store, other)
  })
})
