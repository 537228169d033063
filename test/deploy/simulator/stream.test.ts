import { truncate, writeFile } from 'node:fs/promises'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { UpstreamMessage } from '../../../deploy/simulator/gateway.ts'
import { releaseOf } from '../../../deploy/simulator/posture/release.ts'
import { record, replay } from '../../../deploy/simulator/recording.ts'
import { MessageStream } from '../../../deploy/simulator/stream.ts'
import { describeStore } from '../../collector/store/support.ts'
import { errorCodeOf } from '../../support/failure.ts'
import { IngestingCollector, PERIOD_MS, START, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { SimulatedSite } from '../../support/simulated-fleet.ts'

const scratch = useScratchDirectories('recording')

async function all(messages: AsyncIterable<UpstreamMessage>): Promise<UpstreamMessage[]> {
  const found: UpstreamMessage[] = []
  for await (const message of messages) found.push(message)
  return found
}

describe('a recording', () => {
  it('gives back what was recorded, message by message', async () => {
    const message = fc.record({
      topic: fc.string({ maxLength: 40, unit: 'grapheme' }).filter((topic) => Buffer.byteLength(topic) <= 256),
      bytes: fc.uint8Array({ maxLength: 2_000 }),
    })
    const path = join(scratch(), 'stream')
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 20 }), async (messages) => {
        expect(await record(path, messages)).toBe(messages.length)
        const read = await all(replay(path))
        expect(read.map(({ topic }) => topic)).toEqual(messages.map(({ topic }) => topic))
        expect(read.map(({ bytes }) => [...bytes])).toEqual(messages.map(({ bytes }) => [...bytes]))
      }),
      { numRuns: 30 },
    )
  })

  it('is larger than what is read of it at once', async () => {
    const path = join(scratch(), 'stream')
    const messages = Array.from({ length: 50 }, (_, index) => ({
      topic: `keepseal/v1/${index}/evidence`,
      bytes: new Uint8Array(60_000).fill(index),
    }))
    await record(path, messages)
    const read = await all(replay(path))
    expect(read.every(({ bytes }, index) => bytes.length === 60_000 && bytes.every((byte) => byte === index))).toBe(
      true,
    )
    expect(read).toHaveLength(50)
  })

  it('is refused wherever it ends too early', async () => {
    const path = join(scratch(), 'stream')
    await record(path, [{ topic: 'a', bytes: Uint8Array.of(1, 2, 3) }])
    const whole = statSync(path).size
    const beginning = whole - (8 + 1 + 3)
    for (let size = whole - 1; size >= 0; size--) {
      await truncate(path, size)
      expect(await errorCodeOf(() => all(replay(path))), `${size} bytes`).toBe(
        size === beginning ? undefined : 'file.unreadable',
      )
    }
  })

  it('is refused when it is something else, or announces more than a message has', async () => {
    const path = join(scratch(), 'stream')
    await writeFile(path, 'a text that is long enough to be something')
    expect(await errorCodeOf(() => all(replay(path)))).toBe('file.unreadable')
    await writeFile(
      path,
      Buffer.concat([Buffer.from('keepseal-recording-1\n'), Buffer.from('00000001ffffffff00', 'hex')]),
    )
    expect(await errorCodeOf(() => all(replay(path)))).toBe('file.unreadable')
  })
})

describeStore('a stream that was made ahead', (createStore) => {
  const keys = useCollectorKeys()

  it('is accepted, first with all and then steadily, and each steady message is small', async () => {
    const site = await SimulatedSite.of(new IngestingCollector(createStore(), keys()), 5)
    const release = releaseOf(1)
    const stream = new MessageStream({ fleet: site.fleet, keys: keys(), release, gateways: 5, start: START })
    const path = join(scratch(), 'stream')
    const epoch = await site.epoch(START)
    await record(path, stream.first(epoch, START))
    await site.ingest(await all(replay(path)), START)
    const [gateway] = site.gateways
    if (gateway !== undefined) await site.approve(gateway.ueid, START)
    for (let period = 1; period <= 3; period++) {
      const now = START + period * PERIOD_MS
      await record(path, stream.steady(await site.epoch(now), now))
      const messages = await all(replay(path))
      expect(messages).toHaveLength(5)
      for (const { bytes } of messages) expect(bytes.length).toBeLessThanOrEqual(800)
      const { handled, publications } = await site.ingest(messages, now)
      expect(handled.map(({ result, code }) => `${result} ${code}`)).toEqual(Array(5).fill('accepted null'))
      const requests = publications.filter(({ bytes }) => Buffer.from(bytes).includes('keepseal.request'))
      expect(requests).toEqual([])
    }
    for (const { ueid } of site.gateways) {
      expect((await site.device(ueid)).state).toMatchObject({ verdict: 'affirming', bootCoverage: 'measured' })
    }
  })

  it('tells of no device that is not enrolled, and all of them are', async () => {
    const site = await SimulatedSite.of(new IngestingCollector(createStore(), keys()), 401)
    const { items } = await site.collector.store.devices.list({ limit: 500 })
    expect(items.map(({ device }) => device.ueid).toSorted()).toEqual(site.gateways.map(({ ueid }) => ueid).toSorted())
    expect(new Set(items.map(({ state }) => state.verdict))).toEqual(new Set(['not-appraised']))
  })

  it('is enrolled as a whole or not at all, and none twice', async () => {
    const site = await SimulatedSite.of(new IngestingCollector(createStore(), keys()), 3)
    const { devices } = site.collector.store
    const { items } = await devices.list({ limit: 10 })
    const [known] = items
    if (known === undefined) throw new Error('no device')
    const { id: _, ...device } = known.device
    const again = devices.insertMany([{ ...device, ueid: `01${'0'.repeat(32)}` as typeof device.ueid }, device])
    expect(await errorCodeOf(() => again)).toBe('request.conflict')
    expect((await devices.list({ limit: 10 })).items).toHaveLength(3)
  })
})
