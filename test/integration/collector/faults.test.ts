import { createDeflateRaw, constants } from 'node:zlib'
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { upstreamTopic } from '../../../shared/evidence/topics.ts'
import { MAX_CONTENT_BYTES, MAX_PART_BYTES } from '../../../shared/evidence/section-part.ts'
import { brokerFor } from '../../support/broker-site.ts'
import { useCollectorProcesses, type CollectorProcess } from '../../support/collector-process.ts'
import { freePort, hasMosquitto } from '../../support/mosquitto.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { Workbench, type ConnectedDevice } from '../../support/test-collector.ts'

const GIB = 1024 * 1024 * 1024
const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0
/** Far within the freshness window, also on a machine that has other things to do. */
const IN_TIME_MS = 20_000

describe('a collector that is a process of its own', () => {
  const scratch = useScratchDirectories('faults')
  const start = useCollectorProcesses()
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })

  async function benchAt(directory: string): Promise<Workbench> {
    const bench = await Workbench.open(directory)
    ends.push(() => bench.close())
    return bench
  }

  async function gatewayAt(bench: Workbench, port: number): Promise<ConnectedDevice> {
    const gateway = await bench.enrol()
    ends.push(() => gateway.end())
    await gateway.connect(port)
    return gateway
  }

  const metric = async (port: number, name: string): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  const untilReceipted = (gateway: ConnectedDevice, timeout = 20_000) =>
    vi.waitFor(() => expect(gateway.outbox.size).toBe(0), { timeout, interval: 20 })

  it.skipIf(!canMount)(
    `holds back what a full disk does not take, and takes it once when there is room${canMount ? '' : ' (skipped: mounts nothing)'}`,
    async () => {
      const directory = scratch()
      const [port, metrics] = [await freePort(), await freePort()]
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', directory]).status).toBe(0)
      ends.push(() => Promise.resolve(void spawnSync('umount', ['-l', directory])))
      const settings = [`mqtt.listen_port=${port}`, `metrics.port=${metrics}`, 'store.keep_one_in=1']
      const collector = await start({
        directory,
        settings: [...settings, 'receipts.min_interval_seconds=0', 'limits.device_messages_per_minute=10000'],
      })
      const bench = await benchAt(directory)
      const gateway = await gatewayAt(bench, port)
      const names = [await gateway.make()]
      await gateway.flush()
      await untilReceipted(gateway)

      const filler = join(directory, 'filler')
      const { bavail, bsize } = statfsSync(directory)
      writeFileSync(filler, Buffer.alloc(bavail * bsize))
      for (let index = 0; index < 40; index++) names.push(await gateway.make())
      await gateway.flush()
      await vi.waitFor(async () => expect(await metric(metrics, 'keepseal_ingest_failures_total')).toBeGreaterThan(1), {
        timeout: 20_000,
      })
      expect(
        collector.log().some(({ err }) => (err as { code?: string } | undefined)?.code === 'state.disk-full'),
      ).toBe(true)
      const receipted = names.filter((name) => !gateway.outbox.has(name))
      expect(receipted.length).toBeLessThan(names.length)
      expect(await bench.counted(gateway.device)).toEqual(receipted.toSorted())

      rmSync(filler)
      await vi.waitFor(
        async () => {
          if (gateway.client?.connected !== true) await gateway.connect(port)
          await Promise.race([gateway.flush(), sleep(1_000)])
          await untilReceipted(gateway, 1_500)
        },
        { timeout: 30_000 },
      )
      expect(await bench.counted(gateway.device)).toEqual(names.toSorted())
      expect(await bench.store.refusals.countsByCode()).toEqual(new Map())
      expect(await bench.store.quarantine.count()).toBe(0)
    },
  )

  it('takes time and memory within bounds for a section of 1 GiB that came compressed, and serves others meanwhile', async () => {
    const directory = scratch()
    const port = await freePort()
    const collector = await start({
      directory,
      settings: [
        `mqtt.listen_port=${port}`,
        'limits.device_messages_per_minute=10000',
        'receipts.min_interval_seconds=0',
      ],
    })
    const bench = await benchAt(directory)
    const [hostile, other] = [await gatewayAt(bench, port), await gatewayAt(bench, port)]
    for (const gateway of [hostile, other]) {
      await gateway.make()
      await gateway.flush()
      await untilReceipted(gateway)
    }
    const bomb = await deflatedZeros(GIB)
    const count = Math.ceil(bomb.length / MAX_PART_BYTES)
    const digest = new Uint8Array(32).fill(7)
    const before = usageOf(collector)
    for (let index = 0; index < count; index++) {
      const part = bomb.subarray(index * MAX_PART_BYTES, (index + 1) * MAX_PART_BYTES)
      const content = { digest, size: MAX_CONTENT_BYTES, encoding: 1, index, count, part } as const
      const bytes = await hostile.device.signPart(content)
      await hostile.client?.publishAsync(upstreamTopic(hostile.device.ueid, 'section'), Buffer.from(bytes), { qos: 1 })
    }
    const begin = performance.now()
    await other.make()
    await other.flush()
    await untilReceipted(other)
    expect(performance.now() - begin).toBeLessThan(IN_TIME_MS)
    await vi.waitFor(
      async () =>
        expect(await bench.store.refusals.countsByCode({ ueid: hostile.device.ueid })).toEqual(
          new Map([['section.digest-mismatch', 1]]),
        ),
      { timeout: 20_000 },
    )
    const after = usageOf(collector)
    expect(after.peakKib - before.peakKib).toBeLessThan(160 * 1024)
    expect(after.cpuMs - before.cpuMs).toBeLessThan(6_000)
    const row = await bench.store.devices.byUeid(hostile.device.ueid)
    expect(await bench.store.sections.bytesHeldBy(row?.id ?? 0)).toBe(0)
    expect(await bench.counted(other.device)).toHaveLength(2)
  })

  describe.each(['embedded', 'mosquitto'] as const)('at the broker "%s"', (kind) => {
    const isMissing = kind === 'mosquitto' && !hasMosquitto()
    const name = 'goes on serving others in time while one device sends 10,000 messages in a second'

    it.skipIf(isMissing)(isMissing ? `${name} (skipped: mosquitto is not installed)` : name, async () => {
      const directory = scratch()
      const metrics = await freePort()
      const embedded = await freePort()
      const external = kind === 'mosquitto' ? await brokerFor(directory) : undefined
      if (external !== undefined) ends.push(() => external.broker.kill())
      const port = external?.broker.port ?? embedded
      await start({
        directory,
        settings: [
          ...(external?.settings[0] ?? [`mqtt.listen_port=${embedded}`]),
          `metrics.port=${metrics}`,
          'receipts.min_interval_seconds=0',
        ],
      })
      const bench = await benchAt(directory)
      const [flooding, other] = [await gatewayAt(bench, port), await gatewayAt(bench, port)]
      await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${metrics}/readyz`)).status).toBe(200), {
        timeout: 10_000,
      })
      const name = await flooding.make()
      const [bytes = new Uint8Array()] = flooding.outbox.values()
      const topic = upstreamTopic(flooding.device.ueid, 'evidence')
      const times: number[] = []
      for (let round = 0; round < 5; round++) {
        // Nobody waits for these to be taken: as fast as the connection carries them.
        for (let index = 0; index < 2_000; index++) {
          flooding.client?.publish(topic, Buffer.from(bytes), { qos: 1 }, () => undefined)
        }
        await other.make()
        const begin = performance.now()
        await other.flush()
        await untilReceipted(other, 2 * IN_TIME_MS)
        times.push(performance.now() - begin)
      }
      expect(Math.max(...times)).toBeLessThan(IN_TIME_MS)
      await untilReceipted(flooding)
      // Its share of a minute (120), what came meanwhile, and what the other one has sent.
      expect(await metric(metrics, 'keepseal_attest_verifications_total')).toBeLessThan(250)
      expect(await metric(metrics, 'keepseal_ingest_excess_total')).toBeGreaterThan(0)
      expect(await bench.counted(flooding.device)).toEqual([name])
      expect(await bench.counted(other.device)).toHaveLength(5)
      expect(await bench.store.refusals.countsByCode()).toEqual(new Map())
    })
  })
})

async function deflatedZeros(size: number): Promise<Buffer> {
  const deflate = createDeflateRaw({ level: constants.Z_BEST_COMPRESSION, memLevel: 9 })
  const chunks: Buffer[] = []
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk))
  const zeros = Buffer.alloc(16 * 1024 * 1024)
  for (let written = 0; written < size; written += zeros.length) {
    if (!deflate.write(zeros)) await new Promise((resolve) => deflate.once('drain', resolve))
  }
  await new Promise<void>((resolve) => {
    deflate.once('end', resolve)
    deflate.end()
  })
  return Buffer.concat(chunks)
}

/** proc(5): processor time of the process in all, and the highest resident memory that it ever had. */
function usageOf({ child }: CollectorProcess): { readonly cpuMs: number; readonly peakKib: number } {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const ticks = Number(fields[11]) + Number(fields[12])
  const [, peak] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
  return { cpuMs: ticks * 10, peakKib: Number(peak) }
}
