import { MqttChannel } from '../../../agent/transport/mqtt-channel.ts'
import type { TlsIdentity } from '../../../agent/state/identity.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { SimulatedGateway } from '../gateway.ts'
import type { Receiver, Transport } from './transport.ts'

/** Where the broker of a gateway is, and as whom it connects. */
export interface BrokerAccess {
  readonly url: string
  readonly tls: TlsIdentity
}

/** How long a gateway that connects for a report waits for the broker and its epoch. */
const READY_MS = 15_000

/**
 * One connection for each gateway, with its own certificate and the agent's own client: what a broker sees of a real
 * fleet. Each connection takes memory and sockets on both sides, so some hundreds of them and not more.
 */
export class MqttEachTransport implements Transport {
  readonly #accessOf: (gateway: SimulatedGateway) => BrokerAccess
  readonly #onSuccession: (gateway: SimulatedGateway, chain: Uint8Array) => void
  readonly #channels = new Map<SimulatedGateway, MqttChannel>()
  readonly #readyMs: number

  /** `onSuccession`: told of each chain of statements of the collector; what comes of it is for the caller. */
  constructor(
    accessOf: (gateway: SimulatedGateway) => BrokerAccess,
    onSuccession: (gateway: SimulatedGateway, chain: Uint8Array) => void,
    readyMs: number = READY_MS,
  ) {
    this.#accessOf = accessOf
    this.#onSuccession = onSuccession
    this.#readyMs = readyMs
  }

  /** Resolves with the first epoch, or when none has come for a while: the channel goes on trying. */
  connect(gateway: SimulatedGateway, receiver: Receiver): Promise<void> {
    if (this.#channels.has(gateway)) return Promise.resolve()
    return new Promise((resolve) => {
      const waited = setTimeout(resolve, this.#readyMs).unref()
      const channel = new MqttChannel({
        ...this.#accessOf(gateway),
        ueid: gateway.ueid,
        protocol: 'auto',
        random: Math.random,
        events: {
          onConnected: () => receiver.onUp(),
          onEpoch: (bytes) => {
            receiver.onEpoch(bytes)
            clearTimeout(waited)
            resolve()
          },
          // Simulated gateways send what they are asked for, and have no state that outlives a collector's.
          onRestorePoint: () => undefined,
          onSuccession: (bytes) => this.#onSuccession(gateway, bytes),
          onDown: (bytes) => receiver.onDown(bytes),
          onDisconnected: () => receiver.onLost(),
        },
      })
      this.#channels.set(gateway, channel)
      channel.start()
    })
  }

  /** The broker of this gateway is reached in another way now. */
  move(gateway: SimulatedGateway): void {
    const channel = this.#channels.get(gateway)
    const { url, tls } = this.#accessOf(gateway)
    channel?.use(tls, url)
    channel?.reconnect()
  }

  async disconnect(gateway: SimulatedGateway): Promise<void> {
    const channel = this.#channels.get(gateway)
    this.#channels.delete(gateway)
    await channel?.close()
  }

  async publish(gateway: SimulatedGateway, topic: string, bytes: Uint8Array): Promise<void> {
    const channel = this.#channels.get(gateway)
    if (channel === undefined) throw new KeepsealError('collector.unreachable', 'not connected to the broker')
    await channel.publish(topic, bytes)
  }

  async close(): Promise<void> {
    const channels = [...this.#channels.values()]
    this.#channels.clear()
    await Promise.all(channels.map((channel) => channel.close()))
  }
}
