import { expect, test } from 'vitest'
import type { Device } from '../../../collector/model/device.ts'
import type { Store } from '../../../collector/store/index.ts'
import { IngestingCollector, PERIOD_MS, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { failingStore } from '../../support/failing-store.ts'
import { processBatch } from '../../../collector/ingest/process-batch.ts'
import type { SoftwareDevice } from '../../support/software-device.ts'
import { describeStore } from '../store/support.ts'
import { finding, tpm } from '../store/samples.ts'

const keys = useCollectorKeys()

describeStore('what a collector remembers of a device', (createStore) => {
  async function steady(reports = 4) {
    const collector = new IngestingCollector(createStore(), keys())
    await collector.product()
    await collector.epoch()
    const device = await collector.device()
    await collector.approved(device)
    for (let round = 0; round < reports; round++) await next(collector, device)
    const row = await collector.row(device)
    return { collector, device, row, store: collector.store }
  }

  async function next(collector: IngestingCollector, device: SoftwareDevice) {
    await collector.epoch(device)
    const made = await device.report()
    device.acknowledged = made
    return collector.evidence(device, made.bytes)
  }

  const isMarked = async (store: Store, { id }: Device): Promise<boolean> => (await store.steady.marksOf([id])).has(id)

  test('spares it the reading of the device', async () => {
    const { collector, device } = await steady()
    await collector.epoch(device)
    const { bytes } = await device.report()
    const operations: string[] = []
    const store = failingStore(collector.store, (repository, operation) =>
      operations.push(`${repository}.${operation}`),
    )
    await processBatch(store, [collector.message(device, bytes)], collector.deps, collector.now)
    expect(operations).toContain('steady.marksOf')
    expect(operations).not.toContain('steady.load')
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming', freshSequence: 5 })
  })

  const changes: readonly (readonly [string, (store: Store, device: Device, now: number) => Promise<unknown>])[] = [
    ['its state is saved', async (store, { id }) => store.devices.saveState(id, await store.devices.stateOf(id))],
    ['it falls silent', (store, { id }) => store.devices.setLiveness(id, 'silent')],
    ['it is revoked', (store, { id }, now) => store.devices.updateEnrolment(id, 'revoked', now)],
    ['its keys are replaced', (store, { id, ...device }) => store.devices.updateKeys(id, { ...device, tpm: tpm('x') })],
    ['a finding is opened', (store, { id }) => store.findings.insert(finding(id))],
    [
      'its sessions are counted as old',
      (store, _, now) => store.sweep({ ...LONG_AGO, history: now + 1000 * PERIOD_MS }, 100),
    ],
  ]
  const LONG_AGO = { evidence: 0, history: 0, refusals: 0, findings: 0, pcrValues: 0 }

  test.each(changes)('does not hold any more once %s', async (_, change) => {
    const { collector, row, store } = await steady()
    expect(await isMarked(store, row)).toBe(true)
    await change(store, row, collector.now)
    expect(await isMarked(store, row)).toBe(false)
  })

  test('does not hold any more once other values are approved for it', async () => {
    const { collector, device, row, store } = await steady()
    expect(await isMarked(store, row)).toBe(true)
    await collector.approve(device)
    expect(await isMarked(store, row)).toBe(false)
    expect(await next(collector, device)).toMatchObject({ result: 'accepted', code: null })
  })

  test('gives way to what a collector beside it has written', async () => {
    const { collector, device, row, store } = await steady()
    const beside = new IngestingCollector(store, keys())
    beside.productId = collector.productId
    beside.now = collector.now
    for (let round = 0; round < 3; round++) {
      await next(beside, device)
      collector.now = beside.now
      await next(collector, device)
      beside.now = collector.now
    }
    const state = await collector.state(device)
    expect(state).toMatchObject({ verdict: 'affirming', freshSequence: 10 })
    const [run] = (await store.evidenceRuns.list(row.id, { limit: 10 })).items
    expect(run).toMatchObject({ lastSeq: 10 })
    expect(state.lastReceiptNumber).toBe((await store.receipts.latest(row.id))?.number)
  })

  test('is what was committed: a batch that was undone is not remembered', async () => {
    const { collector, device, row, store } = await steady()
    await collector.epoch(device)
    const made = await device.report()
    const message = collector.message(device, made.bytes)
    const failing = failingStore(store, (repository, operation) => {
      if (`${repository}.${operation}` === 'receipts.insert') throw new Error('the disk is full')
    })
    await expect(processBatch(failing, [message], collector.deps, collector.now)).rejects.toThrow('the disk is full')
    const { handled } = await collector.receive(message)
    expect(handled[0]).toMatchObject({ result: 'accepted', code: null, sequence: 5 })
    expect(await store.devices.stateOf(row.id)).toMatchObject({ freshSequence: 5 })
  })

  test('is judged anew after a revocation, which no memory outlives', async () => {
    const { collector, device, row, store } = await steady()
    await store.devices.updateEnrolment(row.id, 'revoked', collector.now)
    expect(await next(collector, device)).toMatchObject({ result: 'refused', code: 'identity.revoked' })
  })
})
