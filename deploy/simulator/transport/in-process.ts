import type { SimulatedGateway, UpstreamMessage } from '../gateway.ts'
import { Receivers } from './receivers.ts'
import type { Receiver, Transport } from './transport.ts'

/** Takes one message and gives what is to be published in answer. */
export type IngestFunction = (message: UpstreamMessage) => Promise<readonly UpstreamMessage[]>

/** Hands messages to a function in place of a broker: for tests, and for what is measured without a network. */
export class InProcessTransport implements Transport {
  readonly #ingest: IngestFunction
  readonly #receivers = new Receivers()

  constructor(ingest: IngestFunction) {
    this.#ingest = ingest
  }

  connect(gateway: SimulatedGateway, receiver: Receiver): Promise<void> {
    this.#receivers.add(gateway, receiver)
    return Promise.resolve()
  }

  disconnect(gateway: SimulatedGateway): Promise<void> {
    this.#receivers.remove(gateway)
    return Promise.resolve()
  }

  async publish(_: SimulatedGateway, topic: string, bytes: Uint8Array): Promise<void> {
    for (const answer of await this.#ingest({ topic, bytes })) this.deliver(answer)
  }

  /** What a collector publishes by itself, such as an epoch. */
  deliver({ topic, bytes }: UpstreamMessage): void {
    this.#receivers.deliver(topic, bytes)
  }

  close(): Promise<void> {
    this.#receivers.clear()
    return Promise.resolve()
  }
}
