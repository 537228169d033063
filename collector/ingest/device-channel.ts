import type { Ueid } from '../../shared/evidence/identifiers.ts'

/** The way to the devices, whoever runs the broker. It delivers; it is trusted with nothing else. */
export interface DeviceChannel {
  /**
   * Messages are handed to `accept`, whose resolution lets the broker acknowledge them. Without it nothing is taken in,
   * and the channel is there to publish.
   */
  start(accept?: (topic: string, bytes: Uint8Array) => Promise<void>): Promise<void>
  /** Resolves when the broker has taken it. */
  publish(topic: string, bytes: Uint8Array, options: { readonly retain: boolean }): Promise<void>
  /** Ends the connection of a device that was revoked, where the broker lets us. */
  disconnect(ueid: Ueid): void
  readonly connected: boolean
  /** Takes in nothing new, where the broker lets us, while answers can still be sent. Resolves within some seconds. */
  drain(): Promise<void>
  stop(): Promise<void>
}
