import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { Aedes } from 'aedes'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { downTopic, epochTopic, upstreamTopic } from '../../../shared/evidence/topics.ts'
import { bundle } from '../../support/bundle.ts'
import { createPki } from '../../support/pki.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { bytes, recordChannel, text, UEID, until, type RecordedChannel } from './channel-support.ts'

/** The broker that is built into the collector: MQTT 3.1.1 alone. */

const pki = createPki()
const scratch = useScratchDirectories('channel')
let broker: Aedes
let server: Server
let port: number
const names: unknown[] = []
let published: [string, string, number][] = []
let recorded: RecordedChannel | undefined

beforeAll(async () => {
  broker = await Aedes.createBroker()
  broker.on('publish', ({ topic, payload, qos }, client) => {
    if (client !== null) published.push([topic, text(Buffer.from(payload)), qos])
  })
  broker.on('client', (client) => names.push((client.conn as TLSSocket).getPeerCertificate().subject.CN, client.id))
  const tls = { ...pki.server(), ca: pki.authority, requestCert: true, rejectUnauthorized: true }
  server = createServer(tls, broker.handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})

const publish = (topic: string, content: string, retain: boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    const packet = {
      cmd: 'publish',
      topic,
      payload: Buffer.from(content),
      qos: retain ? 0 : 1,
      retain,
      dup: false,
    } as const
    broker.publish(packet, (error) => (error === undefined || error === null ? resolve() : reject(error)))
  })

afterEach(async () => {
  await recorded?.channel.close()
  published = []
})
afterAll(async () => {
  await new Promise<void>((resolve) => broker.close(() => resolve()))
  server.close()
})

test('falls back to MQTT 3.1.1 without calling it a failure, and works the same', async () => {
  await publish(epochTopic, 'epoch 7', true)
  recorded = recordChannel(port, pki)
  const { channel, connected, disconnected, epochs, down } = recorded
  await until(() => channel.connected && epochs.length > 0)
  expect([connected, disconnected, epochs]).toEqual([['3.1.1'], [], ['epoch 7']])
  expect(names).toEqual([UEID, UEID])

  const evidence = upstreamTopic(UEID, 'evidence')
  await channel.publish(evidence, bytes('one'))
  expect(published).toEqual([[evidence, 'one', 1]])
  await publish(downTopic(UEID), 'receipt', false)
  await until(() => down.length > 0)
  expect(down).toEqual(['receipt'])
})

test('remembers the version when it connects again', async () => {
  recorded = recordChannel(port, pki)
  const { connected, disconnected } = recorded
  await until(() => connected.length === 1)
  for (const client of Object.values((broker as unknown as { clients: Record<string, { close(): void }> }).clients)) {
    client.close()
  }
  await until(() => connected.length === 2)
  expect([connected, disconnected.length]).toEqual([['3.1.1', '3.1.1'], 1])
})

test('with protocol 5 does not fall back', async () => {
  recorded = recordChannel(port, pki, { protocol: '5' })
  const { connected, disconnected } = recorded
  await until(() => disconnected.length >= 2)
  expect(connected).toEqual([])
})

test('works from one file under the shipped flags', async () => {
  const directory = scratch()
  const program = await bundle(new URL('channel-program.ts', import.meta.url), directory)
  const { key, cert } = pki.device(UEID)
  const tls = { privateKey: key, certificate: cert, certificateAuthority: pki.authority }
  writeFileSync(join(directory, 'tls.json'), JSON.stringify(tls))
  const result = await promisify(execFile)(process.execPath, [
    '--jitless',
    program,
    `${port}`,
    join(directory, 'tls.json'),
  ])
  expect(result.stdout).toBe('connected by 3.1.1\nacknowledged\nclosed\n')
  expect(published).toContainEqual([upstreamTopic(UEID, 'evidence'), 'one', 1])
})

test('a certificate that cannot be used is a failure like others, not the end', async () => {
  const tls = { privateKey: 'none', certificate: 'none', certificateAuthority: pki.authority }
  recorded = recordChannel(port, pki, { tls })
  const { connected, disconnected } = recorded
  await until(() => disconnected.length >= 3)
  expect(connected).toEqual([])
})

test('a message that is empty or larger than any of ours is not passed on', async () => {
  recorded = recordChannel(port, pki)
  const { channel, down } = recorded
  await until(() => channel.connected)
  await publish(downTopic(UEID), '', false)
  await publish(downTopic(UEID), 'x'.repeat(200_000), false)
  await publish(downTopic(UEID), 'small', false)
  await until(() => down.length > 0)
  expect(down).toEqual(['small'])
})
