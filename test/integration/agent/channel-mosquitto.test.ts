import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { downTopic, epochTopic, upstreamTopic } from '../../../shared/evidence/topics.ts'
import { errorCodeOf } from '../../support/failure.ts'
import { hasMosquitto, startMosquitto, type Mosquitto } from '../../support/mosquitto.ts'
import { createPki } from '../../support/pki.ts'
import { bytes, elapsed, recordChannel, UEID, until, type RecordedChannel } from './channel-support.ts'

const pki = createPki()
const evidence = upstreamTopic(UEID, 'evidence')
let broker: Mosquitto
let collector: MqttClient
let received: [string, string][] = []
const channels: RecordedChannel[] = []
const open = (...parameters: Parameters<typeof recordChannel>): RecordedChannel => {
  const made = recordChannel(...parameters)
  channels.push(made)
  return made
}
const closeAll = async (): Promise<void> => {
  for (const { channel } of channels.splice(0)) await channel.close()
}

async function connectCollector(): Promise<void> {
  const { key, cert } = pki.device('keepseal-collector')
  collector = await connectAsync(`mqtts://localhost:${broker.port}`, {
    key,
    cert,
    ca: pki.authority,
    protocolVersion: 5,
  })
  collector.on('message', (topic, payload) => received.push([topic, payload.toString('latin1')]))
  await collector.subscribeAsync('keepseal/v1/+/evidence', { qos: 1 })
  await collector.subscribeAsync('keepseal/v1/+/presence', { qos: 1 })
}

describe.runIf(hasMosquitto())('a channel to mosquitto (skipped without the package mosquitto)', () => {
  beforeAll(async () => {
    broker = await startMosquitto(pki)
    await connectCollector()
    await collector.publishAsync(epochTopic, Buffer.from('epoch 1'), { retain: true })
  })
  afterEach(async () => {
    await closeAll()
    received = []
  })
  afterAll(async () => {
    await collector.endAsync(true)
    await broker.stop()
  })

  test.each([
    ['auto', '5'],
    ['5', '5'],
    ['3.1.1', '3.1.1'],
  ] as const)(
    'with protocol %s speaks MQTT %s, gets the retained epoch, delivers and is reached',
    async (protocol, version) => {
      const { channel, connected, epochs, down } = open(broker.port, pki, { protocol })
      await until(() => channel.connected && epochs.length > 0)
      expect([connected, epochs]).toEqual([[version], ['epoch 1']])

      await channel.publish(evidence, bytes('one'))
      await until(() => received.length > 0)
      expect(received).toEqual([[evidence, 'one']])

      await collector.publishAsync(downTopic(UEID), Buffer.from('receipt'), { qos: 1 })
      await until(() => down.length > 0)
      expect(down).toEqual(['receipt'])
    },
  )

  test('says goodbye, so that the last will stays unsaid', async () => {
    const { channel } = open(broker.port, pki)
    await until(() => channel.connected)
    expect(await elapsed(() => channel.close())).toBeLessThan(10_000)
    expect(channel.connected).toBe(false)
    const again = open(broker.port, pki)
    await until(() => again.channel.connected)
    await again.channel.publish(evidence, bytes('after'))
    await until(() => received.length > 0)
    expect(received).toEqual([[evidence, 'after']])
  })

  test('has its last will published when it ends without a word', async () => {
    const first = open(broker.port, pki)
    await until(() => first.channel.connected)
    // The broker ends a connection whose client id comes again; that one then comes back and does the same.
    const second = open(broker.port, pki, { backoff: { baseMs: 60_000, maxMs: 60_000 } })
    await until(() => first.disconnected.length > 0)
    await first.channel.close()
    await second.channel.close()
    await until(() => received.some(([topic]) => topic === upstreamTopic(UEID, 'presence')))
  })

  test('is told when it may not publish somewhere (MQTT 5), and stays connected', async () => {
    const { channel, disconnected } = open(broker.port, pki)
    await until(() => channel.connected)
    const foreign = evidence.replace('ab', 'cd')
    expect(await errorCodeOf(() => channel.publish(foreign, bytes('x')))).toBe('collector.refused')
    await channel.publish(evidence, bytes('y'))
    expect(disconnected).toEqual([])
  })

  test('comes back by itself after the broker died, and publishing in between is refused at once', async () => {
    const { channel, connected, disconnected } = open(broker.port, pki)
    await until(() => channel.connected)
    await broker.kill()
    await until(() => disconnected.length >= 3)
    expect(await elapsed(async () => errorCodeOf(() => channel.publish(evidence, bytes('lost'))))).toBeLessThan(5_000)
    await broker.start()
    await until(() => connected.length === 2)
    await channel.publish(evidence, bytes('found'))
    await collector.endAsync(true)
    await connectCollector()
    await collector.publishAsync(epochTopic, Buffer.from('epoch 1'), { retain: true })
  })

  test('does not speak to a broker that another authority has certified', async () => {
    const { connected, disconnected } = open(broker.port, createPki('Other authority'))
    await until(() => disconnected.length >= 2)
    expect(connected).toEqual([])
    expect(disconnected.some((reason) => reason.includes('ECONNREFUSED'))).toBe(false)
  })
})

describe('a broker that does not do its part', () => {
  afterEach(closeAll)

  /** Takes connections, and answers each kind of packet, which is the first half of its first byte, as it is told. */
  /** Whole ones, of which a client may send several at once. Each begins with its remaining length: MQTT 3.1.1, 2.2.3. */
  function packetsIn(data: Buffer): { readonly type: number; readonly body: Buffer }[] {
    const packets: { type: number; body: Buffer }[] = []
    for (let at = 0; at < data.length;) {
      const type = data.readUInt8(at++) >> 4
      let [length, shift, byte] = [0, 0, 0x80]
      for (; (byte & 0x80) !== 0; shift += 7) {
        byte = data.readUInt8(at++)
        length |= (byte & 0x7f) << shift
      }
      packets.push({ type, body: data.subarray(at, at + length) })
      at += length
    }
    return packets
  }
  async function dumbBroker(answers: Readonly<Record<number, (body: Buffer) => number[]>>, host = '127.0.0.1') {
    const sockets = new Set<{ destroy(): void }>()
    const seen = { packets: 0, failedHandshakes: 0 }
    const server = createTlsServer({ ...pki.server(), ca: pki.authority, requestCert: true }, (socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('data', (data: Buffer) => {
        for (const packet of packetsIn(data)) {
          seen.packets++
          const answer = answers[packet.type]
          if (answer !== undefined) socket.write(Buffer.from(answer(packet.body)))
        }
      })
    })
    server.on('tlsClientError', () => seen.failedHandshakes++)
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    return {
      seen,
      port: (server.address() as AddressInfo).port,
      drop() {
        for (const socket of sockets) socket.destroy()
        sockets.clear()
      },
      async stop() {
        for (const socket of sockets) socket.destroy()
        await new Promise((resolve) => server.close(resolve))
      },
    }
  }
  const CONNACK = (): number[] => [0x20, 2, 0, 0]
  /** For four filters, of which the first is a wish; the message id is that of the subscription. */
  const suback =
    (first: number, wish = 0) =>
    ([high = 0, low = 0]: Buffer): number[] => {
      return [0x90, 6, high, low, wish, first, 0, 1]
    }

  test('and never acknowledges: publishing ends in time, closing within two seconds', async () => {
    const silent = await dumbBroker({ 1: CONNACK, 8: suback(0) })
    const { channel, connected } = open(silent.port, pki, { protocol: '3.1.1', publishTimeoutMs: 300 })
    await until(() => connected.length > 0)
    const took = await elapsed(async () => {
      expect(await errorCodeOf(() => channel.publish(evidence, bytes('x')))).toBe('collector.unreachable')
    })
    expect(took).toBeGreaterThanOrEqual(290)
    expect(took).toBeLessThan(10_000)
    const pending = errorCodeOf(() => channel.publish(evidence, bytes('y')))
    // Without waiting for what it will never get.
    expect(await elapsed(() => channel.close())).toBeLessThan(10_000)
    expect(await pending).toBe('collector.unreachable')
    await silent.stop()
  })

  test('and answers nothing at all: a report that is not acknowledged shows it, long before a ping would', async () => {
    const silent = await dumbBroker({ 1: CONNACK, 8: suback(0) })
    const options = { protocol: '3.1.1', publishTimeoutMs: 200, keepaliveSeconds: 360 } as const
    const { channel, connected, disconnected } = open(silent.port, pki, options)
    await until(() => connected.length > 0)
    expect(await errorCodeOf(() => channel.publish(evidence, bytes('x')))).toBe('collector.unreachable')
    await until(() => disconnected.length > 0)
    expect(disconnected[0]).toContain('does not answer')
    await silent.stop()
  })

  test('and is slow to acknowledge, but there: the connection is kept', async () => {
    const slow = await dumbBroker({ 1: CONNACK, 8: suback(0), 12: () => [0xd0, 0] })
    const options = { protocol: '3.1.1', publishTimeoutMs: 200, keepaliveSeconds: 360 } as const
    const { channel, connected, disconnected } = open(slow.port, pki, options)
    await until(() => connected.length > 0)
    expect(await errorCodeOf(() => channel.publish(evidence, bytes('x')))).toBe('collector.unreachable')
    await sleep(600)
    expect(disconnected).toEqual([])
    expect(channel.connected).toBe(true)
    await slow.stop()
  })

  test('and does not let itself be read: the channel does not count as connected', async () => {
    const refusing = await dumbBroker({ 1: CONNACK, 8: suback(0x80) })
    const { connected, disconnected } = open(refusing.port, pki, { protocol: '3.1.1' })
    await until(() => disconnected.length >= 2)
    expect(connected).toEqual([])
    await refusing.stop()
  })

  test('and knows nothing of a succession: that is no reason to stay away', async () => {
    const older = await dumbBroker({ 1: CONNACK, 8: suback(0, 0x80) })
    const { connected, disconnected } = open(older.port, pki, { protocol: '3.1.1' })
    await until(() => connected.length > 0)
    expect(disconnected).toEqual([])
    await older.stop()
  })

  test('and hiccups in each visit: failures of weeks do not add up while the visits succeed', async () => {
    const broker = await dumbBroker({ 1: CONNACK, 8: suback(0) })
    const failures: number[] = []
    const connected: boolean[] = []
    const { channel } = open(broker.port, pki, {
      protocol: '3.1.1',
      restsForSeconds: 3600,
      events: {
        onConnected: ({ resumed }) => connected.push(resumed),
        onDisconnected: (_reason, _retryMs, count) => failures.push(count),
        onEpoch: () => undefined,
        onRestorePoint: () => undefined,
        onDown: () => undefined,
      },
    })
    for (let visit = 1; visit <= 3; visit++) {
      channel.start()
      await until(() => connected.length === 2 * visit - 1)
      broker.drop()
      await until(() => connected.length === 2 * visit)
      await channel.rest()
    }
    expect(failures).toEqual([1, 1, 1])
    await broker.stop()
  })

  test('and leaves the subscriptions unanswered: it is given up in time', async () => {
    const half = await dumbBroker({ 1: CONNACK })
    const { connected, disconnected } = open(half.port, pki, { protocol: '3.1.1', connectTimeoutMs: 300 })
    await until(() => disconnected.length >= 2)
    expect(connected).toEqual([])
    await half.stop()
  })

  test('and shows a certificate for another name: it is not spoken to', async () => {
    const other = await dumbBroker({ 1: CONNACK, 8: suback(0) }, '127.0.0.2')
    const { disconnected } = open(0, pki, { url: `mqtts://127.0.0.2:${other.port}` })
    await until(() => disconnected.length >= 2)
    expect(other.seen).toMatchObject({ packets: 0 })
    expect(disconnected.some((reason) => reason.includes('ECONNREFUSED'))).toBe(false)
    await other.stop()
  })

  test('and says nothing at all: connecting ends in time, and closing in the middle of it', async () => {
    const mute = createTcpServer((socket) => void socket.on('error', () => undefined))
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const { port } = mute.address() as AddressInfo
    const { channel, disconnected } = open(port, pki, { connectTimeoutMs: 100 })
    await until(() => disconnected.length >= 2)
    expect(await elapsed(() => channel.close())).toBeLessThan(10_000)
    const count = disconnected.length
    const other = open(port, pki)
    expect(await elapsed(() => other.channel.close())).toBeLessThan(10_000)
    expect(disconnected).toHaveLength(count)
    mute.close()
  })

  test('and is not there at all: the channel goes on trying until it is closed', async () => {
    const { channel, disconnected } = open(1, pki)
    await until(() => disconnected.length >= 3)
    await channel.close()
    const count = disconnected.length
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(disconnected).toHaveLength(count)
  })
})
