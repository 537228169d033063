import type { Logger } from 'pino'
import { signRestorePoint } from '../../shared/evidence/restore-point.ts'
import { restorePointTopic } from '../../shared/evidence/topics.ts'
import type { Store } from '../store/index.ts'
import type { CollectorKeys } from '../trust/keys.ts'
import type { DeviceChannel } from './device-channel.ts'

export interface RestorePointPublisherOptions {
  readonly store: Store
  readonly keys: CollectorKeys
  readonly channel: Pick<DeviceChannel, 'publish' | 'connected'>
  readonly clock: () => number
  readonly logger: Logger
}

const RETRY_MS = 10_000

/**
 * Keeps the newest restore point retained at the broker, from each start on: devices that are offline now learn of it
 * whenever they come. A database that is served is not restored, so that there is nothing new to look for meanwhile.
 */
export class RestorePointPublisher {
  readonly #options: RestorePointPublisherOptions
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: RestorePointPublisherOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { store, keys, channel, clock, logger } = this.#options
    const point = await store.restorePoints.newest()
    if (point === undefined) return
    const { number, restoredAt, newestReceiptAt, firstEpoch } = point
    const message = {
      collectorId: keys.collectorId,
      number,
      restoredAt: Math.floor(restoredAt / 1000),
      newestReceiptAt: newestReceiptAt === null ? null : Math.floor(newestReceiptAt / 1000),
      firstEpoch,
    }
    const bytes = await signRestorePoint(message, keys.signer)
    const publish = async (): Promise<void> => {
      try {
        await channel.publish(restorePointTopic, bytes, { retain: true })
        if (channel.connected) return await store.restorePoints.markPublished(number, clock())
      } catch (error) {
        logger.error({ err: error }, 'the restore point could not be published')
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
