import { createServer, type Server } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { Aedes } from 'aedes'
import { connectAsync } from 'mqtt'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { loadAgentConfig } from '../../../agent/config/load.ts'
import { startAgent } from '../../../agent/run.ts'
import { readStatus } from '../../../agent/state/status-file.ts'
import { keepSessions, SESSION_SECONDS } from '../../../collector/ingest/tls-sessions.ts'
import { downTopic, epochTopic, successionTopic, upstreamTopic } from '../../../shared/evidence/topics.ts'
import { hasMosquitto, freePort, startMosquitto } from '../../support/mosquitto.ts'
import { createPki } from '../../support/pki.ts'
import { RunningGateway } from '../../support/running-gateway.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { runCollector, Workbench } from '../../support/test-collector.ts'
import { bytes, recordChannel, UEID, until } from './channel-support.ts'

/** A device that comes to its broker for a report, and leaves: its TLS sessions are resumed, its subscriptions are kept. */

const pki = createPki()
const scratch = useScratchDirectories('narrow-band')
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

interface Broker {
  readonly port: number
  /** As the collector does. */
  publish(topic: string, content: string, retain: boolean): Promise<void>
}

async function aedes(): Promise<Broker> {
  const broker = await Aedes.createBroker()
  const tls = { ...pki.server(), ca: pki.authority, requestCert: true, rejectUnauthorized: true }
  const server: Server = createServer({ ...tls, sessionTimeout: SESSION_SECONDS }, broker.handle)
  keepSessions(server, () => performance.now())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(async () => {
    await new Promise<void>((resolve) => broker.close(() => resolve()))
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    publish: (topic, content, retain) =>
      new Promise((resolve, reject) => {
        const packet = { cmd: 'publish', topic, payload: Buffer.from(content), qos: 1, retain, dup: false } as const
        broker.publish(packet, (error) => (error === undefined || error === null ? resolve() : reject(error)))
      }),
  }
}

async function mosquitto(): Promise<Broker> {
  const { port, stop } = await startMosquitto(pki)
  ends.push(stop)
  const { key, cert } = pki.device('keepseal-collector')
  const tls = { key, cert, ca: pki.authority }
  const collector = await connectAsync(`mqtts://localhost:${port}`, { ...tls, protocolVersion: 5 })
  ends.push(() => collector.endAsync(true))
  return {
    port,
    publish: async (topic, content, retain) => {
      await collector.publishAsync(topic, Buffer.from(content), { qos: 1, retain })
    },
  }
}

function coming(port: number, protocol: '3.1.1' | '5') {
  const resumed: boolean[] = []
  const [epochs, down, successions]: [string[], string[], string[]] = [[], [], []]
  const text = (message: Uint8Array): string => Buffer.from(message).toString('latin1')
  const recorded = recordChannel(port, pki, {
    protocol,
    restsForSeconds: 600,
    events: {
      onConnected: (connection) => resumed.push(connection.resumed),
      onDisconnected: () => undefined,
      onEpoch: (message) => epochs.push(text(message)),
      onRestorePoint: () => undefined,
      onSuccession: (message) => successions.push(text(message)),
      onDown: (message) => down.push(text(message)),
    },
  })
  ends.push(() => recorded.channel.close())
  return { channel: recorded.channel, resumed, epochs, down, successions }
}

describe.each([
  ['the embedded broker', aedes, '3.1.1', true],
  ['mosquitto by MQTT 5', mosquitto, '5', hasMosquitto()],
  ['mosquitto by MQTT 3.1.1', mosquitto, '3.1.1', hasMosquitto()],
] as const)('at %s (skipped without it)', (_, start, protocol, isThere) => {
  test.runIf(isThere)(
    'a device that comes again resumes its TLS session, hears the epoch, and is reached',
    async () => {
      const { port, publish } = await start()
      await publish(epochTopic, 'epoch 1', true)
      const { channel, resumed, epochs, down, successions } = coming(port, protocol)
      await until(() => epochs.length === 1)
      await channel.publish(upstreamTopic(UEID, 'evidence'), bytes('one'))
      await channel.rest()
      expect(channel.connected).toBe(false)

      await publish(epochTopic, 'epoch 2', true)
      await publish(downTopic(UEID), 'nobody is there', false)
      await publish(successionTopic, 'another key', true)
      channel.start()
      await until(() => epochs.length === 2)
      expect(epochs).toEqual(['epoch 1', 'epoch 2'])
      expect(resumed).toEqual([false, true])
      // What was told to everybody meanwhile is retained, too.
      await until(() => successions.length > 0)
      expect(successions).toEqual(['another key'])
      // Not subscribed to again: the broker has kept it.
      await publish(downTopic(UEID), 'receipt', false)
      await until(() => down.length > 0)
      expect(down).toEqual(['receipt'])

      const { key, cert } = pki.device(UEID)
      channel.use(
        { privateKey: key, certificate: cert, certificateAuthority: pki.authority },
        `mqtts://localhost:${port}`,
      )
      await channel.rest()
      channel.start()
      await until(() => resumed.length === 3)
      // A new certificate has to be shown.
      expect(resumed[2]).toBe(false)
    },
  )
})

test('an agent comes, reports, has its receipt and leaves, again and again', async () => {
  const directory = scratch()
  const port = await freePort()
  const collector = await runCollector(directory, `mqtt.listen_port=${port}`)
  ends.push(() => collector.stop())
  const bench = await Workbench.open(directory)
  ends.push(() => bench.close())
  const gateway = new RunningGateway(port, scratch)
  await gateway.enrol(bench)
  const set = [
    ...gateway.settings,
    'report.preset=narrow-band',
    'report.interval_seconds=10',
    'report.jitter_seconds=0',
    'measure.socket=',
  ]
  const { values } = loadAgentConfig({ set }, {})
  const told: string[] = []
  const tell = (message: string): void => void told.push(message)
  const agent = await startAgent(values, { debug: tell, info: tell, warn: tell, error: tell })
  ends.push(() => agent.stop())
  expect(await agent.firstReport).toBe('receipted')
  const resting = async () => {
    const status = await readStatus(values.state.directory)
    expect(status).toMatchObject({ connected: false, resting: true, waiting: 0, problem: null })
    return status?.lastReceiptAt ?? 0
  }
  const first = await vi.waitFor(resting, { timeout: 20_000, interval: 100 })
  await vi.waitFor(async () => expect(await resting()).toBeGreaterThan(first), { timeout: 30_000, interval: 100 })
  expect(told.some((line) => line.endsWith('TLS session resumed'))).toBe(true)
  const device = (await bench.store.devices.byUeid(gateway.device.ueid)) ?? expect.fail()
  expect((await bench.store.devices.stateOf(device.id)).reportInterval).toBe(900)
}, 90_000)
