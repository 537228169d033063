import { request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createApiToken } from '../../../collector/api/authentication.ts'
import { random } from '../../../shared/crypto/node.ts'
import { brokerFor } from '../../support/broker-site.ts'
import { useCollectorProcesses, type CollectorProcess } from '../../support/collector-process.ts'
import { freePort, hasMosquitto } from '../../support/mosquitto.ts'
import { usePostgres } from '../../support/postgres-backend.ts'
import { postgresPrograms } from '../../support/postgres.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { Workbench, type ConnectedDevice } from '../../support/test-collector.ts'

const missing = [...(hasMosquitto() ? [] : ['mosquitto']), ...(postgresPrograms === undefined ? ['PostgreSQL'] : [])]
const reason = missing.length === 0 ? '' : ` (skipped: not installed: ${missing.join(', ')})`

describe.skipIf(reason !== '')(`processes that share one PostgreSQL and one mosquitto${reason}`, () => {
  const server = usePostgres()
  const scratch = useScratchDirectories('replicas')
  const start = useCollectorProcesses()
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })

  async function site() {
    const directory = scratch()
    const postgres = await server().createDatabase()
    const { broker, settings } = await brokerFor(directory, 4)
    ends.push(() => broker.kill())
    const free = [...settings]
    const all = [
      'store.engine=postgresql',
      `postgresql.host=${postgres.host}`,
      `postgresql.database=${postgres.database}`,
      `postgresql.user=${postgres.user}`,
      'receipts.min_interval_seconds=0',
      'limits.device_messages_per_minute=100000',
    ]
    const run = async (roles: string, ...more: string[]) => {
      const metrics = await freePort()
      const child = await start({
        directory,
        roles,
        settings: [...all, ...(free.shift() ?? []), `metrics.port=${metrics}`, ...more],
      })
      const decided = async (): Promise<number> => {
        const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
        const lines = text.split('\n').filter((line) => line.startsWith('keepseal_attest_verifications_total{'))
        return lines.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0)
      }
      return { ...child, metrics, decided }
    }
    const bench = await Workbench.open(directory, { postgres })
    ends.push(() => bench.close())
    const devices = async (count: number): Promise<readonly ConnectedDevice[]> => {
      const connected: ConnectedDevice[] = []
      for (let index = 0; index < count; index++) {
        const device = await bench.enrol()
        ends.push(() => device.end())
        await device.connect(broker.port)
        connected.push(device)
      }
      return connected
    }
    return { run, bench, devices, broker }
  }

  const isSettled = (devices: readonly ConnectedDevice[]): void => {
    for (const { outbox } of devices) expect(outbox.size).toBe(0)
  }
  /** As outboxes do: what has no receipt is sent again. */
  const sentUntilReceipted = (devices: readonly ConnectedDevice[]) =>
    vi.waitFor(
      async () => {
        await Promise.all(devices.map((device) => Promise.race([device.flush(), sleep(2_000)])))
        await vi.waitFor(() => isSettled(devices), { timeout: 1_500 })
      },
      { timeout: 40_000, interval: 100 },
    )
  const report = async (device: ConnectedDevice, count: number): Promise<string[]> => {
    const names: string[] = []
    for (let index = 0; index < count; index++) names.push(await device.make())
    return names
  }

  async function expectCountedOnce(bench: Workbench, devices: readonly ConnectedDevice[], made: readonly string[][]) {
    for (const [index, { device }] of devices.entries()) {
      expect(await bench.counted(device)).toEqual(made[index]?.toSorted())
      const row = await bench.store.devices.byUeid(device.ueid)
      const session = await bench.store.sessions.find(row?.id ?? 0, device.session)
      expect([session?.contiguousTo, session?.extra]).toEqual([(made[index]?.length ?? 0) - 1, []])
      const { items } = await bench.store.findings.list({ limit: 99 }, { deviceUeid: device.ueid })
      expect(items.filter(({ finding }) => /clone|rollback|gap/.test(finding.code))).toEqual([])
      expect(await bench.store.refusals.countsByCode({ ueid: device.ueid })).toEqual(new Map())
    }
    expect(await bench.store.quarantine.count()).toBe(0)
  }

  it('take in side by side, count each message once, also when one is killed in mid-batch', async () => {
    const { run, bench, devices: connect } = await site()
    const https = await freePort()
    await run('api,tracker,notify', `http.port=${https}`)
    // One of them with threads: what either decides is the same.
    const replicas = [await run('ingest'), await run('ingest', 'ingest.workers=2')]
    const devices = await connect(6)
    const made = await Promise.all(devices.map((device) => report(device, 10)))
    await sentUntilReceipted(devices)
    for (const replica of replicas) expect(await replica.decided()).toBeGreaterThan(0)

    for (const [index, device] of devices.entries()) made[index]?.push(...(await report(device, 15)))
    const sent = Promise.all(devices.map((device) => device.flush())).catch(() => undefined)
    await sleep(30)
    await replicas[0]?.kill()
    // What has a receipt at this moment has been counted.
    for (const { device, outbox } of devices) {
      const receipted = made.flat().filter((name) => name.startsWith(name.split(' ')[0] ?? '') && !outbox.has(name))
      const own = receipted.filter((name) => name.startsWith(Buffer.from(device.session).toString('hex')))
      expect(await bench.counted(device)).toEqual(expect.arrayContaining(own))
    }
    await Promise.race([sent, sleep(2_000)])
    await sentUntilReceipted(devices)
    await expectCountedOnce(bench, devices, made)
    expect(replicas[1]?.log().filter(({ level }) => Number(level) >= 50)).toEqual([])

    const token = await createApiToken(
      bench.store,
      { name: 'test', role: 'auditor', scope: null, expiresAt: null },
      { now: Date.now(), random },
    )
    const listed = await getJson(`https://localhost:${https}/api/v1/devices`, bench.ca, token.text)
    expect((listed as { items: unknown[] }).items).toHaveLength(devices.length)
  })

  it('lose nothing when one ends in order: what the broker has taken is decided and answered, without sending again', async () => {
    const { run, bench, devices: connect } = await site()
    await run('api,tracker,notify', `http.port=${await freePort()}`)
    const replicas = [await run('ingest'), await run('ingest')]
    const devices = await connect(4)
    const made = await Promise.all(devices.map((device) => report(device, 25)))
    const sent = Promise.all(devices.map((device) => device.flush()))
    await sleep(20)
    const code = await replicas[0]?.terminate()
    expect(code).toBe(0)
    await sent
    await vi.waitFor(() => isSettled(devices), { timeout: 15_000 })
    await expectCountedOnce(bench, devices, made)
  })

  it('end within their time without the database, and say that something is left to the devices', async () => {
    const { run, bench, devices: connect } = await site()
    const tracker = await run('api,tracker,notify', `http.port=${await freePort()}`)
    const ingest = await run('ingest', 'serve.drain_seconds=3')
    const [device] = await connect(1)
    if (device === undefined) throw new Error('none')
    const made = await report(device, 3)
    await sentUntilReceipted([device])
    server().pause()
    try {
      made.push(...(await report(device, 2)))
      await device.flush()
      await sleep(300)
      const begin = performance.now()
      expect(await ingest.terminate()).toBe(3)
      expect(performance.now() - begin).toBeLessThan(8_000)
      expect(device.outbox.size).toBe(2)
    } finally {
      server().resume()
    }
    await run('ingest')
    await sentUntilReceipted([device])
    await expectCountedOnce(bench, [device], [made])
    expect(await tracker.terminate()).toBe(0)
  })

  it('are led by another one as soon as the one that led ends in order', async () => {
    const { run, bench } = await site()
    const first: CollectorProcess = await run('tracker', 'freshness.epoch_period_seconds=10')
    await run('tracker', 'freshness.epoch_period_seconds=10')
    const before = await bench.store.epochs.current()
    expect(await first.terminate()).toBe(0)
    await vi.waitFor(
      async () => expect((await bench.store.epochs.current())?.number).toBeGreaterThan(before?.number ?? Infinity),
      { timeout: 20_000, interval: 250 },
    )
  })
})

function getJson(url: string, ca: string, token: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca, headers: { authorization: `Bearer ${token}` } }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve(JSON.parse(text)))
    })
    asked.on('error', reject)
    asked.end()
  })
}
