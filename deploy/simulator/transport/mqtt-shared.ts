import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { KeepsealError } from '../../../shared/errors.ts'
import { epochTopic } from '../../../shared/evidence/topics.ts'
import type { SimulatedGateway } from '../gateway.ts'
import { Receivers } from './receivers.ts'
import type { Receiver, Transport } from './transport.ts'

export interface SharedConnections {
  readonly url: string
  /** One for each connection: certificates, and whatever else the broker tells its users by. */
  readonly connections: readonly IClientOptions[]
}

/**
 * Messages of many gateways over a few connections, whose users the broker has to let write and read for all of them.
 * That is for benches on a broker of their own: no other broker has such users.
 */
export class MqttSharedTransport implements Transport {
  readonly #clients: readonly MqttClient[]
  readonly #receivers = new Receivers()

  private constructor(clients: readonly MqttClient[]) {
    this.#clients = clients
  }

  /** Rejects where the broker is not there, or does not let this user in. */
  static async open({ url, connections }: SharedConnections): Promise<MqttSharedTransport> {
    const common: IClientOptions = { clean: true, protocolVersion: 5 }
    const clients = await Promise.all(connections.map((own) => connectAsync(url, { ...common, ...own }, false)))
    // What is lost in a connection is sent again by the gateways, and a connection by its client.
    for (const client of clients) client.on('error', () => undefined)
    const transport = new MqttSharedTransport(clients)
    const [first] = clients
    // One of them listens for all: each of several would get each answer.
    first?.on('message', (topic, payload) => transport.#receivers.deliver(topic, payload))
    await first?.subscribeAsync({ [epochTopic]: { qos: 0 }, 'keepseal/v1/+/down': { qos: 1 } })
    return transport
  }

  connect(gateway: SimulatedGateway, receiver: Receiver): Promise<void> {
    this.#receivers.add(gateway, receiver)
    return Promise.resolve()
  }

  disconnect(gateway: SimulatedGateway): Promise<void> {
    this.#receivers.remove(gateway)
    return Promise.resolve()
  }

  /** A gateway's messages go over one connection, in their order. */
  async publish({ identity }: SimulatedGateway, topic: string, bytes: Uint8Array): Promise<void> {
    const client = this.#clients[identity.index % this.#clients.length]
    try {
      if (client?.connected !== true) throw new Error('not connected to the broker')
      await client.publishAsync(topic, Buffer.from(bytes), { qos: 1 })
    } catch (cause) {
      throw new KeepsealError('collector.unreachable', cause instanceof Error ? cause.message : 'broker', { cause })
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.endAsync(true)))
  }
}
