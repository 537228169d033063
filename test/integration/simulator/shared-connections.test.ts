import { connectAsync, type MqttClient } from 'mqtt'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { RealClock, runReal } from '../../../deploy/simulator/clock.ts'
import { Fleet } from '../../../deploy/simulator/fleet.ts'
import { Schedule } from '../../../deploy/simulator/schedule.ts'
import { MqttSharedTransport } from '../../../deploy/simulator/transport/mqtt-shared.ts'
import { ed25519Key } from '../../../shared/crypto/node.ts'
import { signEpoch } from '../../../shared/evidence/epoch.ts'
import { epochTopic, upstreamFilter } from '../../../shared/evidence/topics.ts'
import { describeStore } from '../../collector/store/support.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { hasMosquitto, startMosquitto, type Mosquitto } from '../../support/mosquitto.ts'
import { createPki } from '../../support/pki.ts'
import { SimulatedSite } from '../../support/simulated-fleet.ts'

const COUNT = 20
const USERS = ['simulator-1', 'simulator-2']

/** What a simulator may on a broker that is there for nothing else. */
const ACL = USERS.map(
  (user) => `user ${user}
topic write keepseal/v1/+/evidence
topic write keepseal/v1/+/section
topic read keepseal/v1/+/down
topic read keepseal/v1/epoch

`,
).join('')

describeStore('many gateways over two connections to mosquitto', (createStore) => {
  const keys = useCollectorKeys()
  const pki = createPki()
  const reason = hasMosquitto() ? '' : ' (skipped: mosquitto is not installed)'
  let broker: Mosquitto | undefined
  let collector: MqttClient | undefined

  beforeAll(async () => {
    if (hasMosquitto()) broker = await startMosquitto(pki, ACL)
  })
  afterAll(async () => {
    await collector?.endAsync(true)
    await broker?.stop()
  })

  it.skipIf(reason !== '')(`are all receipted and affirmed${reason}`, { timeout: 60_000 }, async () => {
    const url = `mqtts://localhost:${broker?.port}`
    const clientOf = (name: string) => ({ ...pki.device(name), ca: pki.authority })
    const site = await SimulatedSite.of(new IngestingCollector(createStore(), keys()), COUNT)
    const { publicKey, signer } = keys()
    const client = await connectAsync(url, clientOf('keepseal-collector'))
    collector = client
    /** One message after the other, as the ingest has them. */
    let queue = Promise.resolve()
    client.on('message', (topic, bytes) => {
      queue = queue.then(async () => {
        const { publications } = await site.ingest([{ topic, bytes: new Uint8Array(bytes) }], Date.now())
        for (const answer of publications) client.publish(answer.topic, Buffer.from(answer.bytes), { qos: 1 })
      })
    })
    await client.subscribeAsync([upstreamFilter('evidence'), upstreamFilter('section')], { qos: 1 })
    const epoch = await signEpoch(await site.epoch(Date.now()), signer)
    await client.publishAsync(epochTopic, Buffer.from(epoch), { retain: true })

    const transport = await MqttSharedTransport.open({ url, connections: USERS.map(clientOf) })
    const schedule = new Schedule()
    const clock = new RealClock(100)
    const fleet = new Fleet({
      seed: site.fleet.seed,
      gateways: site.gateways,
      networks: { always: 1 },
      schedule,
      clock,
      transport,
      collector: { key: ed25519Key(publicKey.x), thumbprint: signer.keyId },
    })
    fleet.start()
    const stop = new AbortController()
    const running = runReal(schedule, clock, Number.POSITIVE_INFINITY, stop.signal, (error) => {
      throw error
    })
    await vi.waitFor(() => expect(fleet.statistics.receipted).toBeGreaterThanOrEqual(COUNT), { timeout: 30_000 })
    const [first] = site.gateways
    if (first !== undefined) await queue.then(() => site.approve(first.ueid, Date.now()))
    await vi.waitFor(
      async () => {
        for (const { ueid } of site.gateways) expect((await site.device(ueid)).state.verdict).toBe('affirming')
      },
      { timeout: 30_000, interval: 250 },
    )
    stop.abort()
    await running
    await transport.close()
    await queue
    expect(fleet.statistics.summary.refused).toEqual({})
    expect(fleet.failure).toBeUndefined()
  })
})
