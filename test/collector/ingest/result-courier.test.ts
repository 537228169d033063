import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ResultCourier } from '../../../collector/ingest/result-courier.ts'
import { tellResult } from '../../../collector/ingest/tell-result.ts'
import { defaultLivenessPolicy as policy } from '../../../collector/tracking/liveness.ts'
import { ResultRenewal } from '../../../collector/tracking/result-renewal.ts'
import { ResultSigner } from '../../../collector/tracking/result-signer.ts'
import { ed25519Key } from '../../../shared/crypto/node.ts'
import { openResultMessage } from '../../../shared/evidence/result-message.ts'
import { HELD_RESULT, REPORT_INTERVAL } from '../../../shared/evidence/state.ts'
import { downTopic } from '../../../shared/evidence/topics.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import type { SoftwareDevice } from '../../support/software-device.ts'
import { SILENT } from '../../support/test-collector.ts'
import { describeStore } from '../store/support.ts'

const HOUR_MS = 3_600_000

describeStore('results that devices are told of', (createStore) => {
  const keys = useCollectorKeys()

  async function office() {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const { store } = collector
    const sent: { topic: string; bytes: Uint8Array }[] = []
    const broker = { isUp: true }
    const channel = {
      publish: (topic: string, bytes: Uint8Array): Promise<void> => {
        if (!broker.isUp) return Promise.reject(new Error('the broker is not connected'))
        sent.push({ topic, bytes })
        return Promise.resolve()
      },
    }
    const tell = tellResult(channel, keys())
    const common = {
      store,
      decisions: new DecisionBook(store),
      signer: keys().signer,
      version: '1',
      livenessTime: () => ({ policy, now: collector.now, downtime: [] }),
      logger: SILENT,
      isLeader: () => Promise.resolve(true),
    }
    const signer = new ResultSigner({ ...common, tell })
    const renewal = new ResultRenewal({ ...common, maxAgeMs: HOUR_MS })
    const courier = new ResultCourier({ store, tell, logger: SILENT })
    /** The device reports, holding that result; how many messages it is answered with. */
    const report = async (held: number | null, of: SoftwareDevice = device): Promise<number> => {
      const state = new Map(held === null ? [] : [[HELD_RESULT, held]])
      courier.handled(await collector.evidence(of, (await of.report({}, { state })).bytes))
      return courier.look()
    }
    const key = { key: ed25519Key(keys().publicKey.x), thumbprint: keys().signer.keyId }
    const read = () =>
      sent
        .splice(0)
        .map(({ bytes }) => openResultMessage(bytes, { ueid: device.ueid, collector: { id: keys().collectorId, key } }))
    return { store, collector, device, signer, renewal, courier, report, sent, read, broker }
  }

  test('go out when a device has changed, to that device, and say since when', async () => {
    const { collector, device, signer, sent, read } = await office()
    await collector.approved(device)
    const { now } = collector
    await collector.epoch(device)
    await collector.report(device)
    collector.now += 5_000
    await signer.look()
    expect(sent.map(({ topic }) => topic)).toEqual([downTopic(device.ueid)])
    expect(read()).toEqual([
      expect.objectContaining({
        status: 'affirming',
        latch: 'none',
        liveness: 'fresh',
        since: Math.floor(now / 1000),
        issuedAt: Math.floor(collector.now / 1000),
      }),
    ])
  })

  test('reach a device that leaves when it has its receipt, while it is there', async () => {
    const { collector, device, signer, courier, sent, broker } = await office()
    await collector.approved(device)
    await collector.epoch(device)
    await collector.report(device)
    broker.isUp = false
    await signer.look()
    broker.isUp = true
    const again = async (state: ReadonlyMap<string, number>) =>
      collector.evidence(device, (await device.report({}, { state: new Map(state) })).bytes)
    const here = await again(new Map())
    const comes = await again(new Map([[REPORT_INTERVAL, 3600]]))
    const look = vi.spyOn(courier, 'look')
    courier.start()
    onTestFinished(() => courier.stop())
    await look.mock.results[0]?.value
    courier.handled(here)
    await sleep(500)
    expect(sent).toHaveLength(0)
    courier.handled(comes)
    await vi.waitFor(() => expect(sent).toHaveLength(1), { timeout: 1_300 })
  })

  test('are repeated on evidence that does not hold them, and never once it does', async () => {
    const { collector, device, signer, report, read, broker } = await office()
    broker.isUp = false
    await collector.report(device)
    await signer.look()
    expect(read()).toEqual([])
    expect(await report(null)).toBe(0) // the broker is still away
    broker.isUp = true
    expect(await report(null)).toBe(1)
    const [told] = read()
    const number = told?.number ?? expect.fail()
    expect(await report(number - 1)).toBe(1)
    expect(read().map((each) => each.number)).toEqual([number])
    expect(await report(number)).toBe(0)
    // Even if it should forget: what it has confirmed is done with.
    expect(await report(null)).toBe(0)
  })

  test('cause no message while nothing changes, however many reports come and results are signed anew', async () => {
    const { collector, device, signer, renewal, report, sent, read, store } = await office()
    await collector.approved(device)
    await collector.epoch(device)
    await collector.report(device)
    await signer.look()
    const held = read().at(-1)?.number ?? expect.fail()
    await report(held)
    const { id } = await collector.row(device)
    const first = await store.newestResults.of(id)
    for (let periods = 0; periods < 30; periods++) {
      await collector.epoch(device)
      expect(await report(held)).toBe(0)
      await signer.look()
      await renewal.look()
    }
    expect(sent).toEqual([])
    expect((await store.newestResults.of(id))?.issuedAt).toBeGreaterThan((first?.issuedAt ?? 0) + HOUR_MS)
    expect((await store.signedResults.list(id, { limit: 9 })).items.length).toBeLessThan(3)
  })

  test('end with an agent that does not know these messages', async () => {
    const { collector, device, signer, report } = await office()
    await collector.report(device)
    await signer.look()
    const sent: number[] = []
    for (let each = 0; each < 8; each++) sent.push(await report(null))
    expect(sent).toEqual([1, 1, 1, 1, 1, 0, 0, 0])
  })

  test('begin anew with each change, and a number of before a restore confirms nothing', async () => {
    const { collector, device, signer, report, read } = await office()
    await collector.report(device)
    await signer.look()
    const first = read().at(-1)?.number ?? expect.fail()
    expect(await report(first + 1_000)).toBe(1)
    expect(await report(first)).toBe(0)
    await collector.content(device)
    await collector.approve(device)
    await collector.epoch(device)
    expect(await report(first)).toBe(0) // not signed about yet
    read()
    await signer.look()
    const second = read().at(-1)?.number ?? expect.fail()
    expect(second).toBeGreaterThan(first)
    expect(await report(first)).toBe(1)
    expect(await report(second)).toBe(0)
  })
})

describeStore('results that are signed anew', (createStore) => {
  const keys = useCollectorKeys()

  test('are those that have become old, the oldest first, and by who leads alone', async () => {
    const collector = new IngestingCollector(createStore(), keys())
    const { store } = collector
    await collector.product()
    await collector.epoch()
    const ids: number[] = []
    for (let each = 0; each < 3; each++) ids.push((await collector.row(await collector.device())).id)
    const revoked = await collector.device({}, { enrolment: 'revoked' })
    ids.push((await collector.row(revoked)).id)
    const [cwt, keyId] = [new Uint8Array(9), keys().signer.keyId]
    const put = (deviceId: number, age: number): Promise<void> =>
      store.newestResults.put({ deviceId, issuedAt: collector.now - age, cwt, keyId })
    for (const [index, age] of [HOUR_MS + 1, HOUR_MS - 1, HOUR_MS + 2, HOUR_MS + 3].entries()) {
      await put(ids[index] ?? 0, age)
    }
    const due = await store.newestResults.issuedBefore(collector.now - HOUR_MS, 9)
    expect(due.map(({ deviceId }) => deviceId)).toEqual([ids[2], ids[0]])
    const work = (isLeader: boolean) =>
      new ResultRenewal({
        store,
        decisions: new DecisionBook(store),
        signer: keys().signer,
        version: '1',
        livenessTime: () => ({ policy, now: collector.now, downtime: [] }),
        logger: SILENT,
        isLeader: () => Promise.resolve(isLeader),
        maxAgeMs: HOUR_MS,
      })
    expect(await work(false).look()).toBe(0)
    expect(await work(true).look()).toBe(2)
    expect(await work(true).look()).toBe(0)
    expect((await store.newestResults.of(ids[0] ?? 0))?.issuedAt).toBe(collector.now)
    // One that was signed before takes the place of none.
    await put(ids[0] ?? 0, 1)
    expect((await store.newestResults.of(ids[0] ?? 0))?.issuedAt).toBe(collector.now)
    const seen = async (vendor: string) => store.within({ vendor, products: null }).newestResults.of(ids[0] ?? 0)
    expect(await seen('Acme')).toBeDefined()
    expect(await seen('Rival')).toBeUndefined()
  })
})
