import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { IClientOptions } from 'mqtt'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Collector } from '../../../collector/app.ts'
import { brokerCertificateCommand } from '../../../collector/cli/server/broker-certificate.ts'
import { runProgram } from '../../../shared/cli/program.ts'
import {
  downTopic,
  epochTopic,
  restorePointTopic,
  successionTopic,
  upstreamTopic,
} from '../../../shared/evidence/topics.ts'
import { hasMosquitto } from '../../support/mosquitto.ts'
import { createPki } from '../../support/pki.ts'
import { shippedMosquitto, type ShippedMosquitto } from '../../support/shipped-mosquitto.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import {
  connectDevice,
  pem,
  runCollector,
  settingsIn,
  Workbench,
  type ConnectedDevice,
} from '../../support/test-collector.ts'
import { parseArgs } from 'node:util'
import { recordTerminal } from '../../support/terminal.ts'

const PROGRAM = { name: 'keepseal-collector', summary: 'test', version: '0', commands: [brokerCertificateCommand] }
const reason = hasMosquitto() ? '' : ' (skipped: mosquitto is not installed)'

describe.skipIf(reason !== '')(`mosquitto with the shipped files${reason}`, () => {
  const scratch = useScratchDirectories('mosquitto')
  let certificates = ''
  let broker: ShippedMosquitto
  let collector: Collector
  let bench: Workbench
  const connected: ConnectedDevice[] = []

  beforeAll(async () => {
    const directory = scratch()
    certificates = join(directory, 'broker')
    const set = settingsIn(directory).flatMap((setting) => ['--set', setting])
    const terminal = recordTerminal()
    const line = [
      'broker-certificate',
      '--directory',
      certificates,
      '--host',
      '127.0.0.1',
      '--host',
      'localhost',
      ...set,
    ]
    expect(await runProgram(PROGRAM, line, terminal, parseArgs), terminal.stderr()).toBe(0)
    broker = await shippedMosquitto(certificates)
    await broker.start()
    collector = await runCollector(
      directory,
      `mqtt.broker=mqtts://127.0.0.1:${broker.port}`,
      `mqtt.ca_file=${certificates}/ca.pem`,
      `mqtt.client_certificate_file=${certificates}/keepseal-collector.pem`,
      `mqtt.client_key_file=${certificates}/keepseal-collector-key.pem`,
    )
    bench = await Workbench.open(directory)
  })
  afterEach(async () => {
    for (const device of connected.splice(0)) await device.end()
  })
  afterAll(async () => {
    await bench.close()
    await collector.stop()
    await broker.kill()
  })

  async function online(over: IClientOptions = {}): Promise<ConnectedDevice> {
    const device = await bench.enrol()
    connected.push(device)
    await device.connect(broker.port, over)
    return device
  }

  const delivered = (gateway: ConnectedDevice) => gateway.delivered.filter((topic) => topic !== epochTopic)

  it('have keys that nobody else can read', () => {
    for (const name of ['server-key.pem', 'keepseal-collector-key.pem']) {
      expect(statSync(join(certificates, name)).mode & 0o777).toBe(0o600)
    }
    expect(pem(join(certificates, 'ca.pem'))).toBe(bench.ca)
  })

  it.each([4, 5] as const)(
    'carry evidence in and a receipt out, with MQTT protocol level %i',
    async (protocolVersion) => {
      const gateway = await online({ protocolVersion })
      const name = await gateway.make()
      await gateway.flush()
      await vi.waitFor(() => expect(gateway.outbox.size).toBe(0), { timeout: 5_000 })
      expect(await bench.counted(gateway.device)).toEqual([name])
      expect(delivered(gateway)).toContain(downTopic(gateway.device.ueid))
    },
  )

  it('deliver to a device its own topic and the epoch, and no other', async () => {
    const [one, two] = [await online(), await online()]
    const { ueid } = two.device
    const filters = [
      downTopic(ueid),
      upstreamTopic(ueid, 'evidence'),
      'keepseal/v1/+/down',
      '#',
      '$SYS/#',
      '$share/g/#',
    ]
    for (const filter of filters) {
      // This version grants every subscription and filters what it delivers.
      await one.client?.subscribeAsync(filter, { qos: 1 }).catch(() => undefined)
    }
    await two.make()
    await two.flush()
    await vi.waitFor(() => expect(two.receipts).toBe(1), { timeout: 5_000 })
    await sleep(200)
    expect(delivered(one)).toEqual([])
  })

  it('take from a device nothing for another, for the collector or for everybody', async () => {
    const two = await online()
    const { bytes } = await two.device.report()
    const { ueid } = two.device
    const before = two.delivered.length
    for (const topic of [
      upstreamTopic(ueid, 'evidence'),
      upstreamTopic(ueid, 'section'),
      downTopic(ueid),
      epochTopic,
      restorePointTopic,
      successionTopic,
    ]) {
      const one = await online()
      one.client?.publish(topic, Buffer.from(bytes), { qos: 1 }, () => undefined)
      // What comes after it on the same connection, or on another if that was ended, tells that it was looked at.
      await sleep(100)
      if (one.client?.connected !== true) await one.connect(broker.port)
      await one.make()
      await one.flush()
      await vi.waitFor(() => expect(one.outbox.size).toBe(0), { timeout: 5_000 })
    }
    await sleep(200)
    expect(two.delivered.length).toBe(before)
    expect(await bench.counted(two.device)).toEqual([])
    expect(await bench.store.refusals.countsByCode({ ueid })).toEqual(new Map())
  })

  it("let no device take another's client id", async () => {
    const one = await online()
    const two = await online({ clientId: one.device.ueid })
    await two.make()
    await two.flush()
    await vi.waitFor(() => expect(two.outbox.size).toBe(0), { timeout: 5_000 })
    expect(one.client?.connected).toBe(true)
  })

  it('let nobody in without a certificate of this collector', async () => {
    const { ueid } = (await bench.enrol()).device
    const foreign = createPki('Foreign authority')
    for (const tls of [foreign.device(ueid), foreign.device('keepseal-collector'), {}]) {
      await expect(connectDevice(broker.port, bench.ca, tls, { clientId: ueid })).rejects.toThrow()
    }
  })

  it('do not let a retained message of a device come back', async () => {
    const gateway = await online()
    await gateway.make()
    const [bytes = new Uint8Array(0)] = gateway.outbox.values()
    const topic = upstreamTopic(gateway.device.ueid, 'evidence')
    await gateway.client?.publishAsync(topic, Buffer.from(bytes), { qos: 1, retain: true })
    await vi.waitFor(() => expect(gateway.outbox.size).toBe(0), { timeout: 5_000 })
    expect(await bench.counted(gateway.device)).toHaveLength(1)
  })

  it('may be away for some seconds: everything arrives afterwards, once, and the epoch is there again', async () => {
    const gateway = await online()
    const names = [await gateway.make()]
    await gateway.flush()
    await vi.waitFor(() => expect(gateway.outbox.size).toBe(0), { timeout: 5_000 })
    await broker.kill()
    for (let index = 0; index < 5; index++) names.push(await gateway.make())
    await sleep(3_000)
    await broker.start()
    await vi.waitFor(
      async () => {
        await gateway.end()
        await gateway.connect(broker.port)
        await gateway.flush()
        await vi.waitFor(() => expect(gateway.outbox.size).toBe(0), { timeout: 1_500 })
      },
      { timeout: 30_000, interval: 500 },
    )
    expect(await bench.counted(gateway.device)).toEqual(names.sort())
    await gateway.make()
  })
})
