import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Collector } from '../../../collector/app.ts'
import { usePostgres } from '../../support/postgres-backend.ts'
import { postgresName, postgresPrograms } from '../../support/postgres.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { runCollector, Workbench, type ConnectedDevice } from '../../support/test-collector.ts'

describe.skipIf(postgresPrograms === undefined)(`a database that goes away (${postgresName})`, () => {
  const server = usePostgres()
  const scratch = useScratchDirectories('outage')
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
  })

  async function running(): Promise<{ collector: Collector; bench: Workbench; settings: readonly string[] }> {
    const directory = scratch()
    const postgres = await server().createDatabase()
    const settings = [
      'store.engine=postgresql',
      'limits.device_messages_per_minute=10000',
      `postgresql.host=${postgres.host}`,
      `postgresql.database=${postgres.database}`,
      `postgresql.user=${postgres.user}`,
    ]
    const collector = await runCollector(directory, ...settings)
    stops.push(() => collector.stop())
    const bench = await Workbench.open(directory, { postgres })
    stops.push(() => bench.close())
    return { collector, bench, settings }
  }

  it('holds evidence back without a receipt, and takes it once when it is there again', async () => {
    const { collector, bench } = await running()
    const gateway = await bench.enrol()
    await gateway.connect(collector.mqttPort)
    const names = [await gateway.make()]
    await gateway.flush()
    await vi.waitFor(() => expect(gateway.outbox.size).toBe(0), { timeout: 5_000 })

    await server().kill()
    for (let round = 0; round < 3; round++) {
      names.push(await gateway.make())
      await Promise.race([gateway.flush().catch(() => undefined), sleep(700)])
    }
    expect(gateway.receipts).toBe(1)
    expect(gateway.outbox.size).toBe(3)
    const ready = await fetch(`http://127.0.0.1:${collector.servers.metricsPort}/metrics`)
    expect(await ready.text()).toMatch(/keepseal_ingest_failures_total [1-9]/)

    await server().start()
    // What was lost on the way the device sends again, as its outbox does.
    await vi.waitFor(
      async () => {
        if (gateway.client?.connected !== true) await gateway.connect(collector.mqttPort)
        await Promise.race([gateway.flush(), sleep(1_000)])
        expect(gateway.outbox.size).toBe(0)
      },
      { timeout: 30_000, interval: 500 },
    )
    expect(await bench.counted(gateway.device)).toEqual(names.sort())
    await gateway.end()
  })

  it('that ends in the middle of everything loses nothing that has a receipt, and counts nothing twice', async () => {
    const { collector, bench } = await running()
    const gateway = await bench.enrol()
    const names: string[] = []
    for (const delay of [0, 20, 60]) {
      if (gateway.client?.connected !== true) await gateway.connect(collector.mqttPort)
      for (let index = 0; index < 8; index++) names.push(await gateway.make())
      const sent = gateway.flush().catch(() => undefined)
      await sleep(delay)
      await server().kill()
      await Promise.race([sent, sleep(300)])
      await server().start()
      const counted = await vi.waitFor(() => bench.counted(gateway.device), { timeout: 10_000 })
      expect(counted).toEqual(expect.arrayContaining(names.filter((name) => !gateway.outbox.has(name))))
      expect(new Set(counted).size).toBe(counted.length)
    }
    await vi.waitFor(
      async () => {
        if (gateway.client?.connected !== true) await gateway.connect(collector.mqttPort)
        await Promise.race([gateway.flush(), sleep(1_000)])
        expect(gateway.outbox.size).toBe(0)
      },
      { timeout: 30_000, interval: 500 },
    )
    expect(await bench.counted(gateway.device)).toEqual(names.sort())
    await gateway.end()
  })

  it('that is away for a minute keeps reports waiting, and each is counted once when it is back', async () => {
    const { collector, bench } = await running()
    const gateways: ConnectedDevice[] = []
    for (let index = 0; index < 8; index++) {
      const gateway = await bench.enrol()
      stops.push(() => gateway.end())
      await gateway.connect(collector.mqttPort)
      gateways.push(gateway)
    }
    const names = new Map<ConnectedDevice, string[]>(gateways.map((gateway) => [gateway, []]))
    const report = async (gateway: ConnectedDevice): Promise<void> => {
      names.get(gateway)?.push(await gateway.make())
      await Promise.race([gateway.sendNewest().catch(() => undefined), sleep(500)])
    }

    await server().kill()
    const until = Date.now() + 60_000
    while (Date.now() < until) {
      await Promise.all(gateways.map(report))
      await sleep(4_000)
    }
    for (const { receipts } of gateways) expect(receipts).toBe(0)

    await server().start()
    await vi.waitFor(
      async () => {
        for (const gateway of gateways) {
          if (gateway.outbox.size === 0) continue
          if (gateway.client?.connected !== true) await gateway.connect(collector.mqttPort)
          await Promise.race([gateway.flush(), sleep(2_000)])
        }
        for (const { outbox } of gateways) expect(outbox.size).toBe(0)
      },
      { timeout: 90_000, interval: 3_000 },
    )
    for (const gateway of gateways) expect(await bench.counted(gateway.device)).toEqual(names.get(gateway)?.sort())
  }, 240_000)

  it('lets no second collector begin while it is away', async () => {
    const { settings } = await running()
    await server().kill()
    await expect(runCollector(scratch(), ...settings)).rejects.toMatchObject({ code: 'state.unreachable' })
    await server().start()
  })
})
