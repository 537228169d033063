import { request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MqttClient } from 'mqtt'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Collector } from '../../../collector/app.ts'
import { createApiToken } from '../../../collector/api/authentication.ts'
import { approveDevice } from '../../../collector/tracking/approval.ts'
import { random } from '../../../shared/crypto/node.ts'
import {
  allDevicesFilter,
  downTopic,
  epochTopic,
  restorePointTopic,
  successionTopic,
  upstreamTopic,
} from '../../../shared/evidence/topics.ts'
import { createPki } from '../../support/pki.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { socketsWith } from '../../support/software-device.ts'
import { connectDevice, runCollector, Workbench, type ConnectedDevice } from '../../support/test-collector.ts'

const scratch = useScratchDirectories('collector')
let collector: Collector
let bench: Workbench
const connected: ConnectedDevice[] = []

beforeAll(async () => {
  const directory = scratch()
  collector = await runCollector(directory)
  bench = await Workbench.open(directory)
})
afterEach(async () => {
  for (const device of connected.splice(0)) await device.end()
})
afterAll(async () => {
  await bench.close()
  await collector.stop()
})

async function enrolled(): Promise<ConnectedDevice> {
  const device = await bench.enrol()
  connected.push(device)
  return device
}

async function online(): Promise<ConnectedDevice> {
  const device = await enrolled()
  await device.connect(collector.mqttPort)
  return device
}

const verdictOf = async ({ device }: ConnectedDevice) => {
  const row = await bench.store.devices.byUeid(device.ueid)
  return row === undefined ? undefined : (await bench.store.devices.stateOf(row.id)).verdict
}

const closed = (client: MqttClient): Promise<void> => new Promise((resolve) => client.once('close', () => resolve()))

describe('a gateway at the embedded broker', () => {
  it('sends evidence and content, is approved, is affirming, and drifts', async () => {
    const gateway = await online()
    await gateway.make()
    await gateway.flush()
    await vi.waitFor(() => expect(gateway.outbox.size).toBe(0), { timeout: 20_000 })
    await gateway.sendContent()
    await vi.waitFor(async () => {
      const approval = { ueid: gateway.device.ueid, scope: 'device', actor: 'api_x', now: Date.now(), random } as const
      await approveDevice(bench.store, approval)
    })
    await gateway.make()
    await gateway.flush()
    await vi.waitFor(async () => expect(await verdictOf(gateway)).toBe('affirming'), { timeout: 20_000 })
    gateway.device.readings = { ...gateway.device.readings, sockets: socketsWith(22, 4444) }
    await gateway.make()
    await gateway.flush()
    await gateway.sendContent()
    await vi.waitFor(async () => expect(await verdictOf(gateway)).toBe('warning'), { timeout: 20_000 })
    expect((await bench.counted(gateway.device)).length).toBe(3)
    expect(gateway.receipts).toBeGreaterThan(0)
  })
})

describe('the embedded broker', () => {
  it('lets a device read its own topic and the epoch, and no other', async () => {
    const [one, two] = [await online(), await online()]
    const { ueid } = two.device
    const filters = [
      downTopic(ueid),
      upstreamTopic(ueid, 'evidence'),
      upstreamTopic(one.device.ueid, 'evidence'),
      'keepseal/v1/+/down',
      'keepseal/v1/#',
      '#',
      '+/+/+/down',
      `$share/keepseal-collector/keepseal/v1/+/evidence`,
      `$share/g/${downTopic(ueid)}`,
      '$SYS/#',
    ]
    for (const filter of filters) {
      await expect(one.client?.subscribeAsync(filter, { qos: 1 }), filter).rejects.toThrow()
    }
    // What is for all devices: those that come again ask for it by this filter.
    await one.client?.subscribeAsync(allDevicesFilter)
    await two.make()
    await two.flush()
    await vi.waitFor(() => expect(two.receipts).toBe(1), { timeout: 20_000 })
    expect(one.delivered.filter((topic) => topic !== epochTopic)).toEqual([])
  })

  it.each([
    ["another device's evidence", (_: string, other: string) => `keepseal/v1/${other}/evidence`],
    ["another device's answers", (_: string, other: string) => `keepseal/v1/${other}/down`],
    ['its own answers', (own: string) => `keepseal/v1/${own}/down`],
    ['the epoch', () => epochTopic],
    ['the restore point', () => restorePointTopic],
    ['the succession', () => successionTopic],
    ['anything else', () => 'anything/else'],
    ['below its own topic', (own: string) => `keepseal/v1/${own}/evidence/more`],
  ])('ends the connection of a device that publishes to %s', async (_, topicOf) => {
    const [one, two] = [await online(), await online()]
    const { client } = one
    if (client === undefined) throw new Error('not connected')
    const { bytes } = await two.device.report()
    const ended = closed(client)
    client.publish(topicOf(one.device.ueid, two.device.ueid), Buffer.from(bytes), { qos: 1 }, () => undefined)
    await ended
    await sleep(100)
    expect(await bench.counted(two.device)).toEqual([])
    expect(await bench.store.refusals.countsByCode({ ueid: two.device.ueid })).toEqual(new Map())
    expect(two.delivered.filter((topic) => topic !== epochTopic)).toEqual([])
  })

  it('takes nothing that is to be retained', async () => {
    const gateway = await online()
    const { client } = gateway
    if (client === undefined) throw new Error('not connected')
    const { bytes } = await gateway.device.report()
    const ended = closed(client)
    client.publish(
      upstreamTopic(gateway.device.ueid, 'evidence'),
      Buffer.from(bytes),
      { qos: 1, retain: true },
      () => undefined,
    )
    await ended
    await sleep(100)
    expect(await bench.counted(gateway.device)).toEqual([])
  })

  it('lets nobody in under the client id of another device, and does not end its connection', async () => {
    const [one, two] = [await online(), await enrolled()]
    await expect(two.connect(collector.mqttPort, { clientId: one.device.ueid })).rejects.toThrow()
    await expect(two.connect(collector.mqttPort, { clientId: 'gateway' })).rejects.toThrow()
    expect(one.client?.connected).toBe(true)
  })

  it('lets nobody in without a certificate of this collector', async () => {
    const gateway = await enrolled()
    const clientId = gateway.device.ueid
    const foreign = createPki('Foreign authority').device(clientId)
    await expect(connectDevice(collector.mqttPort, bench.ca, foreign, { clientId })).rejects.toThrow()
    await expect(connectDevice(collector.mqttPort, bench.ca, {}, { clientId })).rejects.toThrow()
  })

  it('lets a device in with its current key alone', async () => {
    const gateway = await enrolled()
    const earlier = await bench.tlsIdentity(gateway.device)
    const clientId = gateway.device.ueid
    await expect(connectDevice(collector.mqttPort, bench.ca, earlier, { clientId })).rejects.toThrow()
    await gateway.connect(collector.mqttPort)
  })

  it('lets no device in that nobody enrolled or that is revoked', async () => {
    const stranger = await bench.enrol({ enrolment: 'revoked' })
    await expect(stranger.connect(collector.mqttPort)).rejects.toThrow()
    const { SoftwareDevice } = await import('../../support/software-device.ts')
    const unknown = new SoftwareDevice()
    const tls = await bench.tlsIdentity(unknown)
    await expect(connectDevice(collector.mqttPort, bench.ca, tls, { clientId: unknown.ueid })).rejects.toThrow()
  })

  it('ends the connection of a device at the moment that it is revoked', async () => {
    const gateway = await online()
    const { client } = gateway
    if (client === undefined) throw new Error('not connected')
    const ended = closed(client)
    const stamp = { now: Date.now(), random }
    const { text } = await createApiToken(
      bench.store,
      { name: 'test', role: 'operator', scope: null, expiresAt: null },
      stamp,
    )
    const status = await new Promise((resolve, reject) => {
      const call = request(
        {
          host: '127.0.0.1',
          port: collector.servers.httpsPort,
          path: `/api/v1/devices/${gateway.device.ueid}/revoke`,
          method: 'POST',
          ca: bench.ca,
          headers: { authorization: `Bearer ${text}`, 'content-type': 'application/json', 'content-length': 2 },
        },
        (response) => {
          response.resume()
          resolve(response.statusCode)
        },
      )
      call.once('error', reject)
      call.end('{}')
    })
    expect(status).toBe(200)
    await ended
    await expect(gateway.connect(collector.mqttPort)).rejects.toThrow()
  })
})
