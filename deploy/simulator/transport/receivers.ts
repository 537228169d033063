import { downTopic, epochTopic } from '../../../shared/evidence/topics.ts'
import type { SimulatedGateway } from '../gateway.ts'
import type { Receiver } from './transport.ts'

/** Who listens, where one connection, or none, carries the messages of many gateways. */
export class Receivers {
  /** By the topic on which they listen: a clone listens on the topic of another. */
  readonly #byTopic = new Map<string, Map<SimulatedGateway, Receiver>>()
  #epoch: Uint8Array | undefined

  /** An epoch is retained: who comes later gets it too. */
  add(gateway: SimulatedGateway, receiver: Receiver): void {
    const topic = downTopic(gateway.ueid)
    this.#byTopic.set(topic, (this.#byTopic.get(topic) ?? new Map()).set(gateway, receiver))
    if (this.#epoch !== undefined) receiver.onEpoch(this.#epoch)
    receiver.onUp()
  }

  remove(gateway: SimulatedGateway): void {
    const topic = downTopic(gateway.ueid)
    const receivers = this.#byTopic.get(topic)
    receivers?.delete(gateway)
    if (receivers?.size === 0) this.#byTopic.delete(topic)
  }

  clear(): void {
    this.#byTopic.clear()
  }

  /** What the collector publishes. Anything but an epoch is lost on whoever does not listen now. */
  deliver(topic: string, bytes: Uint8Array): void {
    if (topic !== epochTopic) {
      for (const receiver of this.#byTopic.get(topic)?.values() ?? []) receiver.onDown(bytes)
      return
    }
    this.#epoch = bytes
    for (const receivers of this.#byTopic.values()) {
      for (const receiver of receivers.values()) receiver.onEpoch(bytes)
    }
  }
}
