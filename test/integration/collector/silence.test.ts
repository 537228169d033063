import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { random } from '../../../shared/crypto/node.ts'
import { upstreamTopic } from '../../../shared/evidence/topics.ts'
import { useCollectorProcesses } from '../../support/collector-process.ts'
import { freePort } from '../../support/mosquitto.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { Workbench } from '../../support/test-collector.ts'

const scratch = useScratchDirectories('silence')
const startProcess = useCollectorProcesses()

/** The shortest deadlines that can be configured: stale after ten seconds, silent after sixty. */
const DEADLINES = [
  'liveness.report_interval_seconds=10',
  'liveness.stale_intervals=1',
  'liveness.silent_after_seconds=60',
]

it('a failed device that falls silent stays failed, also when the collector is killed in between', async () => {
  const directory = scratch()
  const port = await freePort()
  const serve = () => startProcess({ directory, settings: [`mqtt.listen_port=${port}`, ...DEADLINES] })
  let child = await serve()
  const bench = await Workbench.open(directory)
  const gateway = await bench.enrol()
  const client = await gateway.connect(port)
  const { bytes } = await gateway.device.report({ extraData: random(32) })
  await client.publishAsync(upstreamTopic(gateway.device.ueid, 'evidence'), Buffer.from(bytes), { qos: 1 })
  const { store } = bench
  const id = (await store.devices.byUeid(gateway.device.ueid))?.id ?? 0
  const state = () => store.devices.stateOf(id)
  await vi.waitFor(async () => expect(await state()).toMatchObject({ liveness: 'fresh', latch: 'failed' }), 5_000)
  const failed = await state()
  await gateway.end()

  await vi.waitFor(async () => expect((await state()).liveness).toBe('stale'), { timeout: 30_000, interval: 500 })
  await child.kill()
  await sleep(5_000)
  child = await serve()
  await vi.waitFor(async () => expect((await state()).liveness).toBe('silent'), { timeout: 110_000, interval: 1_000 })

  expect(await state()).toEqual({ ...failed, liveness: 'silent' })
  const open = (await store.findings.openOf(id)).map(({ code, state: at }) => `${code} ${at}`)
  expect(open.sort()).toEqual(['boot.quote-refused open', 'liveness.silent open'])
  const { items } = await store.transitions.list(id, { limit: 50 })
  expect(items.filter(({ axis }) => axis === 'liveness').map(({ to }) => to)).toEqual(['silent', 'stale', 'fresh'])
  expect(items.filter(({ axis }) => axis === 'latch').map(({ to }) => to)).toEqual(['failed'])
  // Nobody was blamed for the five seconds in which there was no collector.
  const [silent, , fresh] = items.filter(({ axis }) => axis === 'liveness')
  expect((silent?.at ?? 0) - (fresh?.at ?? 0)).toBeGreaterThan(65_000)
  await bench.close()
}, 180_000)
