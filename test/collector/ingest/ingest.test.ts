import { pino } from 'pino'
import { expect, it, vi } from 'vitest'
import type { Handled } from '../../../collector/ingest/evidence-handler.ts'
import { Ingest } from '../../../collector/ingest/ingest.ts'
import type { DownPublication } from '../../../collector/ingest/receipts.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { upstreamTopic } from '../../../shared/evidence/topics.ts'
import { failingStore, type BeforeOperation } from '../../support/failing-store.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { describeStore } from '../store/support.ts'

describeStore('the ingest', (createStore) => {
  const keys = useCollectorKeys()

  async function running(
    before: BeforeOperation,
    publish = (): Promise<void> => Promise.resolve(),
    retry = { pauseMs: 5, giveUpMs: 5_000 },
  ) {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const handled: Handled[] = []
    const failures: unknown[] = []
    const published: DownPublication[] = []
    const ingest = new Ingest({
      store: failingStore(collector.store, before),
      deps: collector.deps,
      clock: () => collector.now,
      logger: pino({ level: 'silent' }),
      publish: (publication) => {
        published.push(publication)
        return publish()
      },
      onHandled: (each) => handled.push(each),
      onFailure: (error) => failures.push(error),
      retry,
    })
    const send = async (from = device) => {
      await ingest.accept(upstreamTopic(from.ueid, 'evidence'), (await from.report()).bytes)
    }
    return { collector, device, ingest, handled, failures, published, send }
  }

  it('decides and answers what it took, also what waits when it is stopped', async () => {
    const { ingest, handled, published, send } = await running(() => undefined)
    for (let index = 0; index < 5; index++) await send()
    ingest.start()
    await ingest.stop()
    expect(handled.map(({ result }) => result)).toEqual(Array(5).fill('accepted'))
    expect(published.length).toBeGreaterThan(0)
    await expect(send()).rejects.toThrow()
  })

  it('decides together what a broker hands over one by one, each after the one before was taken', async () => {
    let batches = 0
    const { device, ingest, handled } = await running((repository, operation) => {
      if (repository === 'steady' && operation === 'load') batches++
    })
    const reports: Uint8Array[] = []
    for (let index = 0; index < 40; index++) reports.push((await device.report()).bytes)
    ingest.start()
    for (const bytes of reports) {
      await ingest.accept(upstreamTopic(device.ueid, 'evidence'), bytes)
      // As mqtt.js does between two packets of one read: a batch that begins at once would have one message.
      await new Promise<void>((resolve) => process.nextTick(resolve))
    }
    await vi.waitFor(() => expect(handled).toHaveLength(40), { timeout: 20_000 })
    await ingest.stop()
    expect(batches).toBeLessThan(10)
  })

  it('sets a message aside that it cannot decide, and holds up no other for it', async () => {
    const poison = { ueid: '' }
    const isPoison: BeforeOperation = (repository, operation, [ueid]) => {
      if (repository === 'devices' && operation === 'byUeid' && ueid === poison.ueid) throw new TypeError('of ours')
    }
    // A pause, if there were one, would last longer than the test.
    const { collector, device, ingest, handled, failures, send } = await running(isPoison, undefined, {
      pauseMs: 60_000,
      giveUpMs: 90_000,
    })
    const other = await collector.device()
    poison.ueid = other.ueid
    await send()
    await send(other)
    await send()
    ingest.start()
    await vi.waitFor(() => expect(handled).toHaveLength(2), { timeout: 20_000 })
    expect(handled.every((each) => each.device?.ueid === device.ueid && each.result === 'accepted')).toBe(true)
    expect(failures.length).toBeGreaterThan(1)
    await ingest.stop()
    expect((await collector.state(other)).lastReceivedAt).toBeNull()
    // What was our fault leaves no word of blame, so that its device sends it again.
    expect(await collector.store.refusals.countsByCode()).toEqual(new Map())
    const { items } = await collector.store.quarantine.list({ limit: 9 })
    expect(items).toMatchObject([{ ueid: other.ueid, reason: 'TypeError', detail: 'of ours', tries: 2 }])
    poison.ueid = ''
    expect(await collector.report(other)).toMatchObject({ result: 'accepted' })
    const { bytes = new Uint8Array() } = items[0] ?? {}
    expect(await collector.evidence(other, bytes)).toMatchObject({ result: 'accepted', sequence: 0 })
  })

  it('tells people once of a message that its device sends again, and counts the tries', async () => {
    const isPoison: BeforeOperation = (repository, operation) => {
      if (repository === 'devices' && operation === 'byUeid') throw new TypeError('of ours')
    }
    const { collector, device, ingest } = await running(isPoison)
    const topic = upstreamTopic(device.ueid, 'evidence')
    const { bytes } = await device.report()
    ingest.start()
    for (const tries of [3, 6]) {
      await ingest.accept(topic, bytes)
      await vi.waitFor(
        async () => expect((await collector.store.quarantine.list({ limit: 9 })).items).toMatchObject([{ tries }]),
        { timeout: 20_000 },
      )
    }
    await ingest.stop()
    const events = await collector.store.notifications.undispatched(9)
    expect(events.map(({ kind, ueid }) => [kind, ueid])).toEqual([['message.quarantined', device.ueid]])
  })

  it('keeps what it took while the database is away, however long, and sets nothing aside for that', async () => {
    let isAway = true
    const retry = { pauseMs: 5, giveUpMs: 50 }
    const away: BeforeOperation = (repository, operation) => {
      if (isAway && (operation === 'byUeid' || repository === 'quarantine'))
        throw new KeepsealError('state.unreachable')
    }
    const { collector, device, ingest, handled, failures, send } = await running(away, undefined, retry)
    ingest.start()
    for (let index = 0; index < 3; index++) await send()
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(failures.length).toBeGreaterThan(5)
    expect(handled).toEqual([])
    isAway = false
    await vi.waitFor(() => expect(handled).toHaveLength(3), { timeout: 20_000 })
    await ingest.stop()
    // In whatever order: the database may come back between two tries.
    expect(handled.map(({ sequence }) => sequence).sort()).toEqual([0, 1, 2])
    expect((await collector.state(device)).freshSequence).toBe(2)
    expect(await collector.store.quarantine.count()).toBe(0)
  })

  it('sets nothing aside where the database is back just when it would be', async () => {
    let isAway = true
    const start = performance.now()
    const away: BeforeOperation = (repository, operation) => {
      if (isAway && repository === 'quarantine' && performance.now() - start > 200) isAway = false
      if (isAway && (operation === 'byUeid' || repository === 'quarantine'))
        throw new KeepsealError('state.unreachable')
    }
    const { collector, ingest, handled, send } = await running(away, undefined, { pauseMs: 5, giveUpMs: 50 })
    ingest.start()
    for (let index = 0; index < 3; index++) await send()
    await vi.waitFor(() => expect(handled).toHaveLength(3), { timeout: 20_000 })
    await ingest.stop()
    expect(await collector.store.quarantine.count()).toBe(0)
  })

  it('tries a message again whose database came back before the others were tried', async () => {
    let failing = 2
    const away: BeforeOperation = (_, operation) => {
      if (operation === 'byUeid' && failing-- > 0) throw new KeepsealError('state.unreachable')
    }
    const retry = { pauseMs: 5, giveUpMs: 50 }
    const { collector, ingest, handled, send } = await running(away, undefined, retry)
    for (let index = 0; index < 3; index++) await send()
    ingest.start()
    await vi.waitFor(() => expect(handled).toHaveLength(3), { timeout: 20_000 })
    await ingest.stop()
    expect(await collector.store.quarantine.count()).toBe(0)
  })

  it('ends while the database is away, and leaves what it could not decide to the devices', async () => {
    const { collector, ingest, handled, published, send } = await running((_, operation) => {
      if (operation === 'byUeid') throw new KeepsealError('state.unreachable')
    })
    ingest.start()
    for (let index = 0; index < 3; index++) await send()
    await ingest.stop()
    expect([handled, published]).toEqual([[], []])
    expect(await collector.store.quarantine.count()).toBe(0)
  })

  it.each([
    ['until another one shows whose fault it is', { pauseMs: 20, giveUpMs: 60_000 }],
    ['for a bounded time', { pauseMs: 5, giveUpMs: 400 }],
  ])('tries a lone message that it cannot decide again, %s, and goes on', async (_, retry) => {
    const poison = { ueid: '' }
    const isPoison: BeforeOperation = (repository, operation, [ueid]) => {
      if (repository === 'devices' && operation === 'byUeid' && ueid === poison.ueid) throw new TypeError('of ours')
    }
    const { collector, ingest, handled, failures, send } = await running(isPoison, undefined, retry)
    const other = await collector.device()
    poison.ueid = other.ueid
    ingest.start()
    await send(other)
    await vi.waitFor(() => expect(failures.length).toBeGreaterThan(2), { timeout: 20_000 })
    await send()
    await vi.waitFor(() => expect(handled).toHaveLength(1), { timeout: 20_000 })
    await new Promise((resolve) => setTimeout(resolve, 50))
    const tried = failures.length
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(failures.length).toBe(tried)
    await ingest.stop()
  })

  it('decides everything once after the database was away', async () => {
    let left = 12
    const { collector, device, ingest, handled, failures, send } = await running((repository) => {
      if (repository === 'evidence' && left-- > 0) throw new KeepsealError('state.busy')
    })
    ingest.start()
    for (let index = 0; index < 4; index++) await send()
    await vi.waitFor(() => expect(handled).toHaveLength(4), { timeout: 20_000 })
    await ingest.stop()
    expect(failures.length).toBeGreaterThan(1)
    expect(handled.map(({ result }) => result)).toEqual(Array(4).fill('accepted'))
    // In whatever order: the database may come back between two tries.
    expect(handled.map(({ sequence }) => sequence).sort()).toEqual([0, 1, 2, 3])
    const { items } = await collector.store.evidence.list((await collector.row(device)).id, { limit: 9 })
    expect(items.map(({ seq }) => seq).sort()).toEqual([0, 1, 2, 3])
  })

  it('does not wait for a broker that takes no answers', async () => {
    const releases: (() => void)[] = []
    const { collector, ingest, handled, published, send } = await running(
      () => undefined,
      () => new Promise((resolve) => releases.push(resolve)),
    )
    const other = await collector.device()
    ingest.start()
    await send()
    await vi.waitFor(() => expect(published.length).toBeGreaterThan(0), { timeout: 20_000 })
    await send(other)
    await vi.waitFor(() => expect(handled).toHaveLength(2), { timeout: 20_000 })
    const stopped = ingest.stop()
    for (const release of releases.splice(0)) release()
    await stopped
  })

  it('goes on when an answer cannot be sent', async () => {
    const { ingest, handled, send } = await running(
      () => undefined,
      () => Promise.reject(new Error('the broker is not connected')),
    )
    ingest.start()
    await send()
    await send()
    await vi.waitFor(() => expect(handled).toHaveLength(2), { timeout: 20_000 })
    await ingest.stop()
  })
})
