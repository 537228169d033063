import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { generate, parser, type Packet } from 'mqtt-packet'
import { afterEach, expect, test, vi } from 'vitest'
import { MqttConnection } from '../../../agent/transport/connection.ts'

/** What a client that comes again asks for together with its greeting, and what becomes of it at brokers of all kinds. */

const REFUSED = 128
const DOWN = 'keepseal/v1/device/down'
const EPOCH = 'keepseal/v1/epoch'
const EVERYTHING = 'keepseal/v1/+'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end()
})

/** Answers each packet, and keeps what came in which piece. `granted`: of one filter. */
async function broker(sessionPresent: boolean, granted: (topic: string) => number) {
  const pieces: string[] = []
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    const incoming = parser()
    let piece: string[] = []
    incoming.on('packet', (packet: Packet) => {
      const topics = packet.cmd === 'subscribe' ? packet.subscriptions.map(({ topic }) => topic) : []
      piece.push([packet.cmd, ...topics].join(' '))
      if (packet.cmd === 'connect') socket.write(generate({ cmd: 'connack', returnCode: 0, sessionPresent }))
      if (packet.cmd === 'subscribe') {
        socket.write(generate({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: topics.map(granted) }))
      }
    })
    socket.on('data', (data) => {
      piece = []
      incoming.parse(data)
      pieces.push(piece.join(', '))
    })
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, pieces }
}

function come(port: number, retained?: string) {
  const [onReady, onClosed] = [vi.fn(), vi.fn()]
  const connection = new MqttConnection({
    version: 4,
    clientId: 'device',
    wishes: {},
    subscriptions: { [EPOCH]: { qos: 0 }, [DOWN]: { qos: 0 } },
    sessionSeconds: 600,
    retained,
    openStream: () => connect({ host: '127.0.0.1', port }),
    keepaliveSeconds: 60,
    connectTimeoutMs: 5_000,
    onReady,
    onMessage: () => undefined,
    onClosed,
  })
  ends.push(() => connection.abort('over'))
  return { connection, onReady, onClosed }
}

test('the first time it asks for everything, once the broker has greeted', async () => {
  const { port, pieces } = await broker(false, () => 0)
  const { onReady } = come(port)
  await vi.waitFor(() => expect(onReady).toHaveBeenCalledTimes(1))
  expect(pieces).toEqual(['connect', `subscribe ${EPOCH} ${DOWN}`])
})

test('when it comes again it asks for what is retained in one piece with its greeting', async () => {
  const { port, pieces } = await broker(true, () => 0)
  const { onReady } = come(port, EVERYTHING)
  await vi.waitFor(() => expect(onReady).toHaveBeenCalledTimes(1))
  expect(pieces).toEqual([`connect, subscribe ${EVERYTHING}`])
})

test('a broker that has forgotten it is asked for everything', async () => {
  const { port, pieces } = await broker(false, () => 0)
  const { onReady } = come(port, EVERYTHING)
  await vi.waitFor(() => expect(onReady).toHaveBeenCalledTimes(1))
  expect(pieces).toEqual([`connect, subscribe ${EVERYTHING}`, `subscribe ${EPOCH} ${DOWN}`])
})

test('a broker that grants no such filter is asked for everything', async () => {
  const { port, pieces } = await broker(true, (topic) => (topic === EVERYTHING ? REFUSED : 0))
  const { onReady } = come(port, EVERYTHING)
  await vi.waitFor(() => expect(onReady).toHaveBeenCalledTimes(1))
  expect(pieces).toEqual([`connect, subscribe ${EVERYTHING}`, `subscribe ${EPOCH} ${DOWN}`])
})

test('a broker that refuses everything is left', async () => {
  const { port } = await broker(true, () => REFUSED)
  const { onReady, onClosed } = come(port, EVERYTHING)
  await vi.waitFor(() => expect(onClosed).toHaveBeenCalledTimes(1))
  expect(onReady).not.toHaveBeenCalled()
})
