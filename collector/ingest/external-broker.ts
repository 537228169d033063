import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'
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
const RECONNECT_MS = 2_000
const UNSUBSCRIBE_MS = 3_000

/**
 * A broker that runs elsewhere, mosquitto for one, as a client with a clean session: a replica that dies leaves nothing
 * behind, and what it had not taken in is sent again by the devices' outboxes. It may come later than this collector
 * and go at any time.
 */
export class ExternalBroker implements DeviceChannel {
  readonly #options: ExternalBrokerOptions
  readonly #retained = new Map<string, Uint8Array>()
  #client: MqttClient | undefined
  /** What is subscribed to; nothing where nobody takes messages in. */
  #filters: string[] = []
  /** On the connection that is up now. */
  #subscribed = false

  constructor(options: ExternalBrokerOptions) {
    this.#options = options
  }

  get connected(): boolean {
    return this.#subscribed && this.#client?.connected === true
  }

  /** Resolves at once; the connection is made, and made again, in the background. */
  async start(accept?: (topic: string, bytes: Uint8Array) => Promise<void>): Promise<void> {
    const { url, tls, logger } = this.#options
    const options: IClientOptions = {
      ...tls,
      protocolVersion: 5,
      clean: true,
      reconnectPeriod: RECONNECT_MS,
      connectTimeout: 15_000,
      resubscribe: false,
      // The outgoing store would hold publishes back across reconnects; receipts are repeated on request anyway.
      queueQoSZero: false,
      properties: { receiveMaximum: 1000 },
    }
    const client = connect(url, options)
    this.#client = client
    client.on('error', (error) => logger.warn({ err: error.message }, 'the broker connection failed'))
    client.on('close', () => {
      if (this.#subscribed) logger.warn('the broker connection is closed; connecting again')
      this.#subscribed = false
    })
    if (accept !== undefined) {
      this.#filters = (['evidence', 'section'] as const).map((kind) => upstreamFilter(kind, this.#options.group))
      // mqtt.js reads nothing more until `done` is called: a full queue becomes back-pressure at the broker.
      client.handleMessage = (packet: IPublishPacket, done) => {
        const bytes = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
        accept(packet.topic, bytes).then(() => done(), done)
      }
    }
    client.on('connect', () => void this.#subscribe(client))
  }

  async #subscribe(client: MqttClient): Promise<void> {
    const { logger } = this.#options
    try {
      if (this.#filters.length > 0) await client.subscribeAsync(this.#filters, { qos: 1 })
      this.#subscribed = true
      logger.info('connected to the broker')
      for (const [topic, bytes] of this.#retained) await this.#send(client, topic, bytes, true)
    } catch (error) {
      logger.error({ err: error }, 'the broker does not let this collector in')
      await sleep(RECONNECT_MS, undefined, { ref: false })
      if (client.connected && !client.disconnecting) await this.#subscribe(client)
    }
  }

  /** What is retained and cannot be sent now is sent when the broker is back. */
  async publish(topic: string, bytes: Uint8Array, { retain }: { readonly retain: boolean }): Promise<void> {
    if (retain) this.#retained.set(topic, bytes)
    const client = this.#client
    if (client?.connected === true) return this.#send(client, topic, bytes, retain)
    if (!retain) throw new Error('the broker is not connected')
  }

  async #send(client: MqttClient, topic: string, bytes: Uint8Array, retain: boolean): Promise<void> {
    const timeout = new AbortController()
    const late = sleep(PUBLISH_TIMEOUT_MS, undefined, { signal: timeout.signal, ref: false }).then(() => {
      throw new Error('the broker did not acknowledge')
    })
    try {
      await Promise.race([client.publishAsync(topic, Buffer.from(bytes), { qos: retain ? 0 : 1, retain }), late])
    } finally {
      late.catch(() => undefined) // it ends with the abortion
      timeout.abort()
    }
  }

  /** An external broker keeps its own list of revoked certificates; the collector refuses what it delivers. */
  disconnect(): void {
    this.#options.logger.info('revocation takes effect at the broker with its certificate revocation list')
  }

  /** What was on its way when the subscription ended still comes, before the broker says that it has ended. */
  async drain(): Promise<void> {
    const filters = this.#filters
    this.#filters = []
    const client = this.#client
    if (filters.length === 0 || client?.connected !== true) return
    const late = sleep(UNSUBSCRIBE_MS, undefined, { ref: false })
    await Promise.race([client.unsubscribeAsync(filters).catch(() => undefined), late])
  }

  async stop(): Promise<void> {
    await this.#client?.endAsync(true)
  }
}
