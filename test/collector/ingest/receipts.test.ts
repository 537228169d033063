import { expect, it } from 'vitest'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { IngestingCollector, PERIOD_MS, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { packagesWith, type SoftwareDevice } from '../../support/software-device.ts'
import { describeStore } from '../store/support.ts'

describeStore('receipts', (createStore) => {
  const keys = useCollectorKeys()

  /** A device in its usual state: approved, and nothing has changed. */
  async function steady() {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    await collector.approved(device)
    const { posture } = device
    device.acknowledged = { postureDigest: posture.postureDigest, pcrDigest: null }
    return { collector, device }
  }

  async function receiptsOf(collector: IngestingCollector, device: SoftwareDevice, ...messages: Uint8Array[]) {
    const batch = await collector.receive(...messages.map((bytes) => collector.message(device, bytes)))
    return collector.answers(device, batch).receipts
  }

  it('are not written more often than the interval while nothing changes', async () => {
    const { collector, device } = await steady()
    const written: number[] = []
    for (let period = 0; period < 8; period++) {
      await collector.epoch(device)
      const receipts = await receiptsOf(collector, device, (await device.report()).bytes)
      for (const { sessions } of receipts) written.push(...sessions.map(({ contiguousTo }) => contiguousTo))
    }
    expect(written).toEqual([2, 4, 6, 8])
  })

  it('are written at once when something changed', async () => {
    const { collector, device } = await steady()
    await collector.epoch(device)
    await receiptsOf(collector, device, (await device.report()).bytes)
    device.tpm?.extend(4, 'another kernel')
    collector.now += 1000
    expect(await receiptsOf(collector, device, (await device.report()).bytes)).toHaveLength(1)
  })

  it('that were lost are given again when the evidence comes again', async () => {
    const { collector, device } = await steady()
    collector.now += 2 * PERIOD_MS
    await collector.epoch(device)
    const { bytes } = await device.report()
    const [lost] = await receiptsOf(collector, device, bytes)
    collector.now += 1000
    const [again] = await receiptsOf(collector, device, bytes)
    expect(again?.sessions).toEqual(lost?.sessions)
    expect(again?.number).toBe((lost?.number ?? 0) + 1)
  })

  it('can be named by the next session, whichever of them arrived', async () => {
    const { collector, device } = await steady()
    collector.now += 2 * PERIOD_MS
    await collector.epoch(device)
    const { bytes } = await device.report()
    const { id } = await collector.row(device)
    await receiptsOf(collector, device, bytes)
    const first = device.lastReceipt
    await receiptsOf(collector, device, bytes)
    const second = device.lastReceipt
    expect(toHex(second ?? new Uint8Array(0))).not.toBe(toHex(first ?? new Uint8Array(0)))
    for (const hash of [first, second]) {
      expect(await collector.store.receipts.numberOf(id, hash ?? new Uint8Array(0))).toBeGreaterThan(0)
    }
    expect((await collector.state(device)).lastReceiptNumber).toBe((await collector.store.receipts.latest(id))?.number)
  })

  it('name all sessions and refusals of a batch in one', async () => {
    const { collector, device } = await steady()
    await collector.epoch(device)
    const old = await device.report()
    const { session } = device
    device.restart()
    const fresh = await device.report()
    const receipts = await receiptsOf(collector, device, fresh.bytes, Uint8Array.of(0xff), old.bytes)
    expect(receipts).toHaveLength(1)
    expect(receipts[0]?.refused).toHaveLength(1)
    const sessions = receipts[0]?.sessions.map((each) => [toHex(each.session), each.contiguousTo])
    expect(sessions).toEqual([
      [toHex(device.session), 0],
      [toHex(session), old.sequence],
    ])
  })

  it('name what was just decided, also behind a gap that is never closed', async () => {
    const { collector, device } = await steady()
    const { id } = await collector.row(device)
    const made: Uint8Array[] = []
    for (let index = 0; index < 700; index++) made.push((await device.report()).bytes)
    const held = await collector.store.sessions.find(id, device.session)
    if (held === undefined) throw new Error('no session')
    // Number 1 was dropped by a full outbox; all but the last of the others are held.
    await collector.store.sessions.save({ ...held, extra: [[2, 699]] })
    await receiptsOf(collector, device, made[699] ?? new Uint8Array(0))
    collector.now += 2 * PERIOD_MS
    const [receipt] = await receiptsOf(collector, device, made[6] ?? new Uint8Array(0))
    const [session] = receipt?.sessions ?? []
    expect(session?.contiguousTo).toBe(0)
    expect(session?.extra).toContain(7)
    expect(session?.extra.at(-1)).toBe(700)
    expect(session?.extra.length).toBe(512)
    expect(session?.extra).not.toContain(1)
  })

  it('of one device are void for another', async () => {
    const { collector, device } = await steady()
    const other = await collector.device()
    const batch = await collector.receive(collector.message(other, (await other.report()).bytes))
    const secret = keys().receiptKeyOf(device.ueid, device.thumbprint)
    for (const { bytes } of batch.publications) expect(() => device.open(bytes, secret)).toThrow()
  })

  it('are not written where there is nothing to say', async () => {
    const { collector, device } = await steady()
    await collector.epoch(device)
    device.readings = { ...device.readings, packages: packagesWith('1.0', '2.1') }
    device.acknowledged = { postureDigest: null, pcrDigest: null }
    await collector.report(device)
    const [part = new Uint8Array(0)] = await device.parts('packages')
    const batch = await collector.receive(collector.message(device, part, 'section'))
    expect(batch.handled).toMatchObject([{ result: 'reconsidered', urgent: true }])
    expect(batch.publications).toEqual([])
  })
})
