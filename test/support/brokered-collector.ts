import { connectAsync, type MqttClient } from 'mqtt'
import type { ReceivedMessage } from '../../collector/ingest/evidence-handler.ts'
import { processBatch, type BatchResult } from '../../collector/ingest/process-batch.ts'
import type { Store } from '../../collector/store/index.ts'
import type { CollectorKeys } from '../../collector/trust/keys.ts'
import { upstreamFilter } from '../../shared/evidence/topics.ts'
import { IngestingCollector } from './ingesting-collector.ts'
import type { Mosquitto } from './mosquitto.ts'
import type { TestPki } from './pki.ts'

/** An ingest that gets everything over a broker: each device publishes by its own connection, within its own topics. */
export class BrokeredCollector extends IngestingCollector {
  readonly #url: string
  readonly #pki: TestPki
  readonly #devices = new Map<string, MqttClient>()
  readonly #arrived = new Map<string, (bytes: Uint8Array) => void>()
  #client: MqttClient | undefined

  constructor(store: Store, keys: CollectorKeys, broker: Mosquitto, pki: TestPki) {
    super(store, keys)
    this.#url = `mqtts://localhost:${broker.port}`
    this.#pki = pki
  }

  async open(): Promise<void> {
    const client = await this.#connect('keepseal-collector')
    client.on('message', (topic, bytes) => this.#arrived.get(topic)?.(new Uint8Array(bytes)))
    await client.subscribeAsync([upstreamFilter('evidence'), upstreamFilter('section')], { qos: 1 })
    this.#client = client
  }

  async close(): Promise<void> {
    for (const client of [this.#client, ...this.#devices.values()]) await client?.endAsync(true)
  }

  #connect(name: string): Promise<MqttClient> {
    return connectAsync(this.#url, { ...this.#pki.device(name), ca: this.#pki.authority, clientId: name })
  }

  async #deviceOf(topic: string): Promise<MqttClient> {
    const ueid = topic.split('/')[2] ?? ''
    const client = this.#devices.get(ueid) ?? (await this.#connect(ueid))
    this.#devices.set(ueid, client)
    return client
  }

  /** What is received is what the broker has delivered. */
  override async receive(...messages: readonly ReceivedMessage[]): Promise<BatchResult> {
    const delivered: ReceivedMessage[] = []
    for (const { topic, bytes, receivedAt } of messages) {
      const client = await this.#deviceOf(topic)
      const arrival = new Promise<Uint8Array>((resolve) => this.#arrived.set(topic, resolve))
      await client.publishAsync(topic, Buffer.from(bytes), { qos: 1 })
      delivered.push({ topic, bytes: await arrival, receivedAt })
    }
    const done = await processBatch(this.store, delivered, this.deps, this.now)
    for (const { topic, bytes } of done.publications) {
      await this.#client?.publishAsync(topic, Buffer.from(bytes), { qos: 1 })
    }
    return done
  }
}
