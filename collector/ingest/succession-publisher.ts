import type { Logger } from 'pino'
import { successionTopic } from '../../shared/evidence/topics.ts'
import type { CollectorKeys } from '../trust/keys.ts'
import type { DeviceChannel } from './device-channel.ts'

export interface SuccessionPublisherOptions {
  readonly keys: Pick<CollectorKeys, 'succession'>
  readonly channel: Pick<DeviceChannel, 'publish' | 'connected'>
  readonly logger: Logger
}

const RETRY_MS = 10_000

/** Keeps the chain of keys, authorities and addresses retained at the broker. It changes between two starts alone. */
export class SuccessionPublisher {
  readonly #options: SuccessionPublisherOptions
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: SuccessionPublisherOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { keys, channel, logger } = this.#options
    if (keys.succession === null) return
    const { bytes } = keys.succession
    const publish = async (): Promise<void> => {
      try {
        await channel.publish(successionTopic, bytes, { retain: true })
        if (channel.connected) return
      } catch (error) {
        logger.error({ err: error }, 'the succession of keys could not be published')
      }
      if (!this.#stopped) this.#timer = setTimeout(() => void publish(), RETRY_MS)
    }
    await publish()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }
}
