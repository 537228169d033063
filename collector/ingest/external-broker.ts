import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import type { IPublishPacket } from 'mqtt'
import type { Logger } from 'pino'
import { upstreamFilter } from '../../shared/evidence/topics.ts'
import type { DeviceChannel } from './device-channel.ts'

export interface ExternalBrokerOptions {
  readonly url: string
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string }
  readonly logger: Logger
  /** Replicas of one group divide the messages among themselves. */
  readonly group: string
}

const PUBLISH_TIMEOUT_MS = 15_000

/**
 * A broker that runs elsewhere, mosquitto for one, as a client with a clean session: a replica that dies leaves nothing
 * behind, and what it had not taken in is sent again by the devices' outboxes.
 */
export class ExternalBroker implements DeviceChannel {
  readonly #options: ExternalBrokerOptions
  #client: MqttClient | undefined
  #retained = new Map<string, Uint8Array>()

  constructor(options: ExternalBrokerOptions) {
    this.#options = options
  }

  get connected(): boolean {
    return this.#client?.connected === true
  }

  async start(accept: (topic: string, bytes: Uint8Array) => Promise<void>): Promise<void> {
    const { url, tls, group, logger } = this.#options
    const options: IClientOptions = {
      ...tls,
      protocolVersion: 5,
      clean: true,
      reconnectPeriod: 2_000,
      connectTimeout: 15_000,
      resubscribe: true,
      // The outgoing store would hold publishes back across reconnects; receipts are repeated on request anyway.
      queueQoSZero: false,
      properties: { receiveMaximum: 1000 },
    }
    const client = await connectAsync(url, options, true)
    this.#client = client
    client.on('error', (error) => logger.warn({ err: error.message }, 'the broker connection failed'))
    client.on('close', () => logger.warn('the broker connection is closed; connecting again'))
    // mqtt.js reads nothing more until `done` is called: a full queue becomes back-pressure at the broker.
    client.handleMessage = (packet: IPublishPacket, done) => {
      const bytes = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
      accept(packet.topic, bytes).then(() => done(), done)
    }
    client.on('connect', () => {
      for (const [topic, bytes] of this.#retained) {
        void this.publish(topic, bytes, { retain: true }).catch((error: unknown) =>
          logger.warn({ err: error }, 'the epoch was not sent'),
        )
      }
    })
    for (const kind of ['evidence', 'section'] as const) {
      await client.subscribeAsync(upstreamFilter(kind, group), { qos: 1 })
    }
  }

  async publish(topic: string, bytes: Uint8Array, { retain }: { readonly retain: boolean }): Promise<void> {
    if (retain) this.#retained.set(topic, bytes)
    const client = this.#client
    if (client === undefined || !client.connected) throw new Error('the broker is not connected')
    const timeout = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('the broker did not acknowledge')), PUBLISH_TIMEOUT_MS).unref()
    })
    await Promise.race([client.publishAsync(topic, Buffer.from(bytes), { qos: retain ? 0 : 1, retain }), timeout])
  }

  /** An external broker keeps its own list of revoked certificates; the collector refuses what it delivers. */
  disconnect(): void {
    this.#options.logger.info('revocation takes effect at the broker with its certificate revocation list')
  }

  async stop(): Promise<void> {
    await this.#client?.endAsync(true)
  }
}
