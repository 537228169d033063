import type { CollectorKeys } from '../../collector/trust/keys.ts'
import { toHex } from '../../shared/bytes/bytes.ts'
import { createReceipt } from '../../shared/evidence/down.ts'
import type { EpochMessage } from '../../shared/evidence/epoch.ts'
import { upstreamTopic } from '../../shared/evidence/topics.ts'
import { storedGateway, type StoredFleet } from './enrol/into-store.ts'
import type { SimulatedGateway, UpstreamMessage } from './gateway.ts'
import type { WaitingReport } from './outbox.ts'
import type { Release } from './posture/release.ts'

export interface StreamOptions {
  readonly fleet: StoredFleet
  readonly keys: Pick<CollectorKeys, 'collectorId' | 'receiptKeyOf'>
  /** Of all of them, or of each by its place in the stream. */
  readonly release: Release | ((place: number) => Release)
  /** How many of the enrolled gateways report. */
  readonly gateways: number
  /** Number of the gateway in each place; the place itself if absent. */
  readonly indexOf?: (place: number) => number
  /** Wall clock (ms) at the begin. */
  readonly start: number
}

/**
 * Messages of gateways that were enrolled into a store, made ahead, so that what is measured is the collector alone.
 * It has to know the epochs that they answer.
 */
export class MessageStream {
  readonly #gateways: readonly SimulatedGateway[]

  constructor({ fleet, keys, release, gateways, indexOf = (place) => place, start }: StreamOptions) {
    const releaseAt = typeof release === 'function' ? release : () => release
    this.#gateways = Array.from({ length: gateways }, (_, place) =>
      storedGateway(fleet, indexOf(place), keys, releaseAt(place), start),
    )
  }

  /**
   * Each gateway's first report, with all that it carries, and of each posture once the contents that it names.
   * Afterwards they take it as receipted: to be ingested before any other.
   */
  async *first(epoch: EpochMessage, now: number): AsyncGenerator<UpstreamMessage> {
    const told = new Set<string>()
    for (const gateway of this.#gateways) {
      const report = await reported(gateway, epoch, now)
      const posture = toHex(gateway.posture.digest)
      if (told.has(posture)) yield evidenceOf(gateway, report)
      else yield* await gateway.messagesOf(report)
      told.add(posture)
      await receipt(gateway)
    }
  }

  /** One steady report of each gateway: nothing has changed, and the collector knows it all. */
  async *steady(epoch: EpochMessage, now: number): AsyncGenerator<UpstreamMessage> {
    for (const gateway of this.#gateways) {
      yield evidenceOf(gateway, await reported(gateway, epoch, now))
      await receipt(gateway)
    }
  }
}

const evidenceOf = ({ ueid }: SimulatedGateway, { bytes }: WaitingReport): UpstreamMessage => ({
  topic: upstreamTopic(ueid, 'evidence'),
  bytes,
})

async function reported(gateway: SimulatedGateway, epoch: EpochMessage, now: number): Promise<WaitingReport> {
  gateway.learn(epoch)
  await gateway.report(now)
  const newest = gateway.outbox.waiting.at(-1)
  if (newest === undefined) throw new Error('no report')
  return newest
}

/** As the collector will answer. */
async function receipt(gateway: SimulatedGateway): Promise<void> {
  const { identity, outbox } = gateway
  const sessions = outbox.waiting.map(({ session, sequence }) => ({ session, contiguousTo: sequence, extra: [] }))
  await gateway.answered(createReceipt(identity.ueid, { number: 1, sessions, refused: [] }, identity.receiptKey))
}
