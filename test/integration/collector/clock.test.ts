import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, expect, it, vi } from 'vitest'
import { startCollector, type Collector } from '../../../collector/app.ts'
import { loadCollectorConfig } from '../../../collector/config/load.ts'
import { freePort } from '../../support/mosquitto.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { runCollector, settingsIn, SILENT, Workbench } from '../../support/test-collector.ts'

/** A collector as it runs, on a machine whose clock is wrong when it starts. */

const scratch = useScratchDirectories('clock')
const collectors: Collector[] = []
afterEach(async () => {
  for (const collector of collectors.splice(0)) await collector.stop()
})

it.each([0, -86_400_000])(
  'nothing is taken in or judged by a clock that cannot be right (%i), and nothing is lost',
  async (wrong) => {
    const directory = scratch()
    const [port, metrics] = [await freePort(), await freePort()]
    const settings = [`mqtt.listen_port=${port}`, `metrics.port=${metrics}`]
    const before = await runCollector(directory, ...settings)
    const bench = await Workbench.open(directory)
    const connected = await bench.enrol()
    await before.stop()
    const epochs = async () => (await bench.store.epochs.since(0)).length
    const issued = await epochs()

    let offset = wrong === 0 ? -Date.now() : wrong
    const { values: config } = loadCollectorConfig({ set: settingsIn(directory, ...settings) }, {})
    const clock = (): number => Date.now() + offset
    const reasons: string[] = []
    const onWaiting = (why: string): void => void reasons.push(why)
    const starting = startCollector({ config, logger: SILENT, version: '0.0.0-test', clock, onWaiting })
    const ready = async () => {
      const answer = await fetch(`http://127.0.0.1:${metrics}/readyz`)
      return { status: answer.status, checks: ((await answer.json()) as { checks: object }).checks }
    }
    await vi.waitFor(async () => expect((await ready()).status).toBe(503), { timeout: 10_000, interval: 100 })
    expect((await ready()).checks).toMatchObject({ start: 'failed' })
    await expect(connected.connect(port)).rejects.toThrow()
    expect(await epochs()).toBe(issued)
    // Once, however often it looks.
    expect(reasons).toEqual([expect.stringMatching(/^the clock is before 20/)])

    offset = 0
    const collector = await starting
    collectors.push(collector)
    expect(await ready()).toEqual({ status: 200, checks: expect.not.objectContaining({ start: expect.anything() }) })
    expect(await epochs()).toBeGreaterThanOrEqual(issued)
    await bench.close()
  },
  60_000,
)

it.each([86_400_000, -86_400_000])(
  'a clock that is stepped by %i ms makes nothing late, silent or fresh, and people are told',
  async (step) => {
    const directory = scratch()
    let offset = 0
    const set = settingsIn(directory, 'receipts.min_interval_seconds=0', 'liveness.report_interval_seconds=10')
    const { values: config } = loadCollectorConfig({ set }, {})
    const clock = (): number => Date.now() + offset
    const collector = await startCollector({ config, logger: SILENT, version: '0.0.0-test', clock })
    collectors.push(collector)
    const bench = await Workbench.open(directory)
    const { store } = bench
    const gateway = await bench.enrol()
    await gateway.connect(collector.mqttPort)
    const { id } = (await store.devices.byUeid(gateway.device.ueid)) ?? expect.fail()
    const reports = async (): Promise<void> => {
      await gateway.make()
      await gateway.flush()
      await vi.waitFor(() => expect(gateway.outbox.size).toBe(0), { timeout: 10_000, interval: 100 })
    }
    await reports()
    const before = await store.devices.stateOf(id)
    offset = step
    await reports()
    const after = await store.devices.stateOf(id)
    expect(after).toMatchObject({ liveness: 'fresh', lastFreshEpoch: before.lastFreshEpoch })
    expect(after.lastFreshAt).toBeGreaterThan(before.lastFreshAt ?? 0)
    expect((after.lastFreshAt ?? 0) - (before.lastFreshAt ?? 0)).toBeLessThan(60_000)
    // Whatever became of them: the dispatcher may have been faster.
    const database = new Sqlite(join(directory, 'data', 'collector.db'), { readonly: true })
    const events = () => database.prepare('select kind from notification_events').pluck().all()
    await vi.waitFor(() => expect(events()).toContain('clock.wrong'), { timeout: 15_000, interval: 200 })
    offset = 0
    await vi.waitFor(() => expect(events()).toContain('clock.right'), { timeout: 15_000, interval: 200 })
    // Nobody was told of a device, and the epoch is the one that was current before.
    expect((await store.findings.openOf(id)).filter(({ code }) => code.startsWith('liveness.'))).toEqual([])
    await reports()
    expect((await store.devices.stateOf(id)).lastFreshEpoch).toBe(before.lastFreshEpoch)
    database.close()
    await gateway.end()
    await bench.close()
  },
  90_000,
)

it('a start that waits for the clock can be ended', async () => {
  const directory = scratch()
  const { values: config } = loadCollectorConfig({ set: settingsIn(directory) }, {})
  const abort = new AbortController()
  setTimeout(() => abort.abort(), 500)
  const options = { config, logger: SILENT, version: '0.0.0-test', clock: () => 0, signal: abort.signal }
  await expect(startCollector(options)).rejects.toMatchObject({ name: 'AbortError' })
})
