import { expect, it } from 'vitest'
import type { ImaPolicyDocument } from '../../../collector/model/ima-policy.ts'
import { random } from '../../../shared/crypto/node.ts'
import { binaryList, fileDigest, type ImaSpec } from '../../support/ima-builder.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { aggregateOf, MeasuringDevice } from '../../support/measuring-device.ts'
import { describeStore } from '../store/support.ts'

const digestOf = (spec: ImaSpec): string => `sha256:${fileDigest(spec).toString('hex')}`
const libraries = Array.from({ length: 600 }, (_, n) => `/usr/lib/library-${n}`)

/** What root on a gateway can do, who has its keys and its list and cannot forge a quote. */
describeStore('a device that hides what it has measured', (createStore) => {
  const keys = useCollectorKeys()

  async function measuring(...allowed: readonly string[]) {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const gateway = new MeasuringDevice(collector, device)
    const allow = Object.fromEntries(
      ['/init', '/usr/bin/gateway', ...allowed].map((path) => [path, [digestOf({ path })]]),
    )
    const document: ImaPolicyDocument = { version: 1, allow, signers: [], excludes: [] }
    const about = { productId: collector.productId, createdAt: collector.now, createdBy: 'api_x' }
    await collector.store.imaPolicies.add({ ...about, policy: JSON.stringify(document) })
    gateway.files('/init', '/usr/bin/gateway')
    await gateway.report()
    await collector.content(device)
    await collector.approve(device)
    const state = async () => collector.state(device)
    const findings = async () => collector.findings(device)
    return { collector, device, gateway, state, findings }
  }

  it('is told when it names a list that it never sends, and its files are accepted no longer', async () => {
    const { collector, device, gateway, state, findings } = await measuring()
    expect((await state()).ima?.verdict).toBe('accepted')
    gateway.files('/tmp/evil')
    for (let round = 0; round < 4; round++) {
      await collector.epoch(device)
      const lists = { measurementList: async () => ({ first: 3, entries: random(32) }) }
      await gateway.send((await device.report({}, lists)).bytes)
    }
    expect(await findings()).toEqual(['boot.list-missing measurement list open'])
    expect((await state()).ima?.verdict).toBe('not-appraised')
  })

  it('clears no finding by the claim of another boot: the TPM was not reset', async () => {
    const { device, gateway, findings } = await measuring()
    gateway.files(...Array.from({ length: 32 }, (_, n) => `/tmp/harmless-${n}`))
    await gateway.period()
    gateway.files('/tmp/evil')
    await gateway.period()
    device.bootId = new Uint8Array(16).fill(9)
    await gateway.period()
    expect(await findings()).toContain('ima.file-unknown /tmp/evil open')
  })

  it('does not give a violation another path by the claim of another boot', async () => {
    const { collector, device, gateway, findings } = await measuring()
    gateway.measure({ path: '/usr/bin/gateway', violation: true })
    await gateway.period()
    device.bootId = new Uint8Array(16).fill(9)
    await collector.epoch(device)
    const specs = gateway.specs.map((each) => (each.violation === true ? { ...each, path: '/var/log/syslog' } : each))
    const list = { first: 0, entries: new Uint8Array(binaryList(specs)) }
    await gateway.send((await device.report({}, { measurementList: async () => list })).bytes)
    expect(await findings()).toContain('ima.violation /usr/bin/gateway open')
  })

  it('is judged by a list that arrives after its evidence, also while it has failed for another cause', async () => {
    const { collector, device, gateway, state, findings } = await measuring(...libraries)
    gateway.measure({ path: '/init', content: 'another' })
    await gateway.period()
    gateway.reboot()
    gateway.files(...libraries, '/tmp/evil')
    await collector.epoch(device)
    const { bytes, carried } = await gateway.make()
    await gateway.send(bytes)
    if (carried?.content !== undefined && carried.content !== null) await gateway.sendContent(carried.content)
    expect((await state()).ima?.base?.entries).toBeGreaterThan(600)
    expect(await findings()).toContain('ima.file-unknown /tmp/evil open')
  })

  it('is no attack: a kexec whose kernel goes on with the list, after user space has measured', async () => {
    const { device, gateway, findings } = await measuring()
    for (const pcr of [0, 1, 2, 3, 4, 5, 6, 7]) gateway.tpm.extend(pcr, 'os-separator')
    gateway.measure(aggregateOf(gateway.tpm))
    gateway.files('/init')
    device.bootId = new Uint8Array(16).fill(9)
    device.restart()
    await gateway.period()
    expect((await findings()).filter((finding) => finding.includes('ima'))).toEqual([])
  })

  it('gains nothing by a file with the name of a boot aggregate', async () => {
    const { gateway, findings } = await measuring()
    gateway.measure({ ...aggregateOf(gateway.tpm), digest: Buffer.alloc(32, 7) })
    await gateway.period()
    expect(await findings()).toContain('boot.ima-refused boot_aggregate open')
  })
})
