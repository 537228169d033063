import type { SimulatedGateway } from '../gateway.ts'

/** What a connection brings from the collector. Nothing of it is authenticated. */
export interface Receiver {
  readonly onEpoch: (bytes: Uint8Array) => void
  readonly onDown: (bytes: Uint8Array) => void
  /** It has come up, or is up again after it was lost: what was sent before may be lost. */
  readonly onUp: () => void
  readonly onLost: () => void
}

/** How messages of gateways travel. */
export interface Transport {
  /** Begins to connect; the receiver is told when it is up. Never rejects for a broker that is not there. */
  connect(gateway: SimulatedGateway, receiver: Receiver): Promise<void>
  disconnect(gateway: SimulatedGateway): Promise<void>
  /**
   * Resolves when the other side has taken the message, which is no receipt yet.
   * Rejects with KeepsealError `collector.unreachable` or `collector.refused` when it has not.
   */
  publish(gateway: SimulatedGateway, topic: string, bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}
