import { expect, onTestFinished, test, vi } from 'vitest'
import { ChallengeCourier } from '../../../collector/ingest/challenge-courier.ts'
import { PeriodicWork } from '../../../collector/periodic-work.ts'
import { askDevice } from '../../../collector/tracking/challenges/ask.ts'
import { ASK_PAUSE_MS, RESEND_PAUSE_MS, statusOf } from '../../../collector/tracking/challenges/challenge.ts'
import { revokeDevice } from '../../../collector/tracking/approval.ts'
import { random } from '../../../shared/crypto/node.ts'
import { REPORT_INTERVAL } from '../../../shared/evidence/state.ts'
import { downTopic } from '../../../shared/evidence/topics.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import type { SoftwareDevice } from '../../support/software-device.ts'
import { SILENT } from '../../support/test-collector.ts'
import { describeStore } from '../store/support.ts'

const HOUR_MS = 3_600_000

describeStore('what devices are asked for at once', (createStore) => {
  const keys = useCollectorKeys()

  async function office() {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    await collector.approved(device)
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
    const courierOf = () =>
      new ChallengeCourier({ store, keys: keys(), channel, clock: () => collector.now, logger: SILENT })
    const courier = courierOf()
    const { id } = await collector.row(device)
    const ask = (over: { now?: number; validMs?: number } = {}) =>
      askDevice(store, { ueid: device.ueid, actor: 'acc_1', now: collector.now, validMs: HOUR_MS, random, ...over })
    const secret = keys().receiptKeyOf(device.ueid, device.thumbprint)
    /** What the device is sent, as it reads it. */
    const read = () =>
      sent.splice(0).map(({ topic, bytes }) => {
        expect(topic).toBe(downTopic(device.ueid))
        const message = device.open(bytes, secret)
        return message.role === 'challenge' ? message.challenge : expect.fail(message.role)
      })
    const report = async (challenge?: Uint8Array, of: SoftwareDevice = device) => {
      const made = await of.report({}, challenge === undefined ? {} : { challenge })
      const result = await collector.evidence(of, made.bytes)
      courier.handled(result)
      return { ...result, hash: made.hash }
    }
    const newest = async () => (await store.attestationChallenges.newest(id)) ?? expect.fail()
    return { store, collector, device, courier, courierOf, ask, read, report, newest, broker, id, sent }
  }

  test('reach the device under its own key, and its answer is bound to the evidence that carries the nonce', async () => {
    const { ask, courier, read, report, newest, store, collector, device } = await office()
    const asked = await ask()
    expect(await courier.look()).toBe(1)
    const [challenge] = read()
    expect(challenge).toEqual({
      number: asked.number,
      nonce: new Uint8Array(asked.nonce),
      expiresAt: Math.floor(asked.expiresAt / 1000),
    })
    const { hash } = await report(challenge?.nonce)
    expect(await newest()).toMatchObject({
      tries: 1,
      answer: { at: collector.now, fresh: true, verdict: 'affirming', code: null, evidenceHash: new Uint8Array(hash) },
    })
    // Later evidence with it again, and evidence without it, changes nothing.
    await report(challenge?.nonce)
    await report()
    expect((await newest()).answer?.evidenceHash).toEqual(new Uint8Array(hash))
    expect(await store.auditLog.list({ limit: 1 })).toMatchObject({
      items: [{ action: 'device.attest', actor: 'acc_1', subject: device.ueid }],
    })
  })

  test('are sent again to a device that was away, when it is heard of, and never after the answer', async () => {
    const { ask, courier, read, report, newest, collector, device } = await office()
    await ask()
    await courier.look()
    const [challenge] = read()
    collector.now += 10 * RESEND_PAUSE_MS
    expect(await courier.look()).toBe(0) // it is away, and nothing is sent into the blue
    await report()
    expect(await courier.look()).toBe(1)
    expect(read()).toEqual([challenge])
    await report()
    expect(await courier.look()).toBe(0) // it is measuring
    await collector.epoch(device)
    await report(challenge?.nonce)
    expect(await courier.look()).toBe(0)
    expect(await newest()).toMatchObject({ tries: 2, answer: { verdict: 'affirming' } })
  })

  test('end with an agent that does not know these messages, and can be put again', async () => {
    const { ask, courier, report, collector, device, newest, sent } = await office()
    const first = await ask({ validMs: 24 * HOUR_MS })
    for (let each = 0; each < 15; each++) {
      await courier.look()
      await collector.epoch(device)
      await report()
    }
    expect(sent).toHaveLength(10)
    await ask()
    expect((await newest()).number).toBeGreaterThan(first.number)
    expect(await courier.look()).toBe(1)
  })

  test('are not put again within a minute, and a new one takes the place of one that waits', async () => {
    const { ask, collector, store, id, newest } = await office()
    await ask()
    await expect(ask({ now: collector.now + ASK_PAUSE_MS - 1 })).rejects.toMatchObject({ code: 'challenge.too-soon' })
    collector.now += ASK_PAUSE_MS
    const second = await ask()
    expect((await newest()).id).toBe(second.id)
    const { items } = await store.attestationChallenges.list(id, { limit: 9 })
    expect(items.map((each) => statusOf(each, collector.now))).toEqual(['waiting', 'superseded'])
    // A clock that is set back locks nobody out.
    await expect(ask({ now: collector.now - HOUR_MS })).resolves.toMatchObject({ number: second.number + 1 })
  })

  test('are not answered by another device, by an invention, or after their end', async () => {
    const { ask, courier, read, report, newest, collector, device } = await office()
    await ask({ validMs: 120_000 })
    await courier.look()
    const [challenge] = read()
    const other = await collector.device()
    expect(await report(challenge?.nonce, other)).toMatchObject({ result: 'accepted' })
    expect(await report(random(32))).toMatchObject({ result: 'accepted' })
    expect((await newest()).answer).toBeNull()
    await collector.epoch(device)
    await report(challenge?.nonce)
    expect((await newest()).answer).toBeNull()
  })

  test('are sent once by several collectors, and not while the broker is away', async () => {
    const { ask, courier, courierOf, read, report, broker, collector } = await office()
    broker.isUp = false
    await ask()
    expect(await courier.look()).toBe(0)
    broker.isUp = true
    collector.now += RESEND_PAUSE_MS
    await report()
    const other = courierOf()
    expect((await Promise.all([courier.look(), other.look()])).reduce((sum, each) => sum + each)).toBe(1)
    expect(read()).toHaveLength(1)
  })

  test('are not for a device that was revoked, or that there is not', async () => {
    const { store, device, collector, ask } = await office()
    await revokeDevice(store, { ueid: device.ueid, actor: 'acc_1', now: collector.now })
    await expect(ask()).rejects.toMatchObject({ code: 'request.conflict' })
    const nobody = { ueid: (await collector.device()).ueid.replace(/..$/, '00') as typeof device.ueid }
    await expect(
      askDevice(store, { ...nobody, actor: 'acc_1', now: collector.now, validMs: HOUR_MS, random }),
    ).rejects.toMatchObject({ code: 'request.not-found' })
  })

  test('keep the newest 50 of a device', async () => {
    const { ask, collector, store, id } = await office()
    for (let each = 0; each < 52; each++) {
      collector.now += ASK_PAUSE_MS
      await ask()
    }
    expect((await store.attestationChallenges.list(id, { limit: 200 })).items).toHaveLength(50)
  })

  test('reach a device that leaves when it has its receipt, while it is there', async () => {
    const { ask, collector, courier, device, report, sent } = await office()
    await ask()
    expect(await courier.look()).toBe(1)
    collector.now += RESEND_PAUSE_MS
    const state = new Map([[REPORT_INTERVAL, 3600]])
    const comes = await collector.evidence(device, (await device.report({}, { state })).bytes)
    const hurry = vi.spyOn(PeriodicWork.prototype as unknown as { hurry(): void }, 'hurry')
    onTestFinished(() => hurry.mockRestore())
    await report()
    expect(hurry).not.toHaveBeenCalled()
    courier.handled(comes)
    expect(hurry).toHaveBeenCalledOnce()
    expect(await courier.look()).toBe(1)
    expect(sent).toHaveLength(2)
  })

  test('are found with the device by whoever is bound to its vendor, and by nobody else', async () => {
    const { ask, store, id } = await office()
    const { nonce } = await ask()
    const of = (vendor: string) => store.within({ vendor, products: null }).attestationChallenges
    expect(await of('Acme').newest(id)).toBeDefined()
    expect(await of('Rival').newest(id)).toBeUndefined()
    expect(await of('Rival').byNonce(id, nonce)).toBeUndefined()
  })
})
