import { processBatch } from '../../collector/ingest/process-batch.ts'
import { approveDevice } from '../../collector/tracking/approval.ts'
import { runVirtual, VirtualClock } from '../../deploy/simulator/clock.ts'
import { enrolIntoStore, storedGateway, type StoredFleet } from '../../deploy/simulator/enrol/into-store.ts'
import { Fleet } from '../../deploy/simulator/fleet.ts'
import type { SimulatedGateway, UpstreamMessage } from '../../deploy/simulator/gateway.ts'
import { FleetSeed } from '../../deploy/simulator/keys/seed.ts'
import type { NetworkMix } from '../../deploy/simulator/network.ts'
import { releaseOf } from '../../deploy/simulator/posture/release.ts'
import type { Scenario } from '../../deploy/simulator/scenario.ts'
import { Schedule } from '../../deploy/simulator/schedule.ts'
import { InProcessTransport } from '../../deploy/simulator/transport/in-process.ts'
import { ed25519Key, random } from '../../shared/crypto/node.ts'
import { signEpoch, type EpochMessage } from '../../shared/evidence/epoch.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import { epochTopic } from '../../shared/evidence/topics.ts'
import { IngestingCollector, PERIOD_MS } from './ingesting-collector.ts'
import { MessageBatches } from './message-batches.ts'

/** What all keys and random numbers of such a fleet are made of. */
export const FLEET_SEED = 'test'

export interface PlayOptions {
  readonly networks?: NetworkMix
  readonly approveAtSeconds?: number
  /** What is due within so much runs at once, and its messages are taken in batches: a large fleet takes less long. */
  readonly togetherMs?: number
}

/** Simulated gateways that are enrolled at a collector on a real store; nothing between them but function calls. */
export class SimulatedSite {
  readonly collector: IngestingCollector
  readonly fleet: StoredFleet
  readonly gateways: readonly SimulatedGateway[]
  /** What became of each message that a fleet has sent. */
  readonly results: string[] = []

  private constructor(collector: IngestingCollector, fleet: StoredFleet, gateways: readonly SimulatedGateway[]) {
    this.collector = collector
    this.fleet = fleet
    this.gateways = gateways
  }

  static async of(collector: IngestingCollector, count: number, named?: string): Promise<SimulatedSite> {
    await collector.product(named)
    const model = named ?? `GW-${collector.productId}`
    const product = { id: collector.productId, vendor: 'Acme', model }
    const fleet: StoredFleet = { seed: new FleetSeed(FLEET_SEED), product, now: collector.now }
    await enrolIntoStore(collector.store, fleet, count)
    const keys = collector.deps.collectorKeys
    const gateways = Array.from({ length: count }, (_, index) =>
      storedGateway(fleet, index, keys, releaseOf(1), collector.now),
    )
    return new SimulatedSite(collector, fleet, gateways)
  }

  async epoch(now: number): Promise<EpochMessage> {
    const { store, deps } = this.collector
    const nonce = random(32)
    const { number } = await store.epochs.insert({ nonce, issuedAt: now })
    const { collectorId } = deps.policy
    return { collectorId, number, nonce, issuedAt: Math.floor(now / 1000), period: PERIOD_MS / 1000 }
  }

  /**
   * Plays a scenario in virtual time, with an epoch in each period. Then, after almost an hour, a person approves what
   * the first gateway of the scenario reports, for all of them.
   */
  async play(
    scenario: Scenario,
    { networks = { always: 1 }, approveAtSeconds = 3_500, togetherMs = 0 }: PlayOptions = {},
  ): Promise<Fleet> {
    const { collectorKeys } = this.collector.deps
    const { publicKey, signer } = collectorKeys
    const schedule = new Schedule()
    const clock = new VirtualClock(this.collector.now)
    const batches = new MessageBatches(async (messages) => {
      const { handled, publications } = await this.ingest(messages, clock.wall())
      for (const { result, code } of handled) this.results.push(code === null ? result : `${result} ${code}`)
      return publications
    })
    const transport = new InProcessTransport((message) => batches.take(message))
    const collector = { key: ed25519Key(publicKey.x), thumbprint: signer.keyId }
    const { seed } = this.fleet
    const fleet = new Fleet({ seed, gateways: this.gateways, networks, schedule, clock, transport, collector })
    for (let at = 0; at <= scenario.durationSeconds * 1000; at += PERIOD_MS) {
      schedule.add(at, async () => {
        const bytes = await signEpoch(await this.epoch(clock.wall()), signer)
        transport.deliver({ topic: epochTopic, bytes })
      })
    }
    schedule.add(approveAtSeconds * 1000, async () => {
      const [first] = fleet.chosen({ first: 1 })
      if (first !== undefined) await this.approve(first.ueid, clock.wall())
    })
    fleet.start()
    fleet.play(scenario)
    await runVirtual(schedule, clock, scenario.durationSeconds * 1000, () => fleet.settled(), togetherMs)
    return fleet
  }

  async ingest(messages: readonly UpstreamMessage[], now: number) {
    const { store, deps } = this.collector
    const received = messages.map(({ topic, bytes }) => ({ topic, bytes, receivedAt: now }))
    return processBatch(store, received, deps, now)
  }

  async approve(ueid: Ueid, now: number, scope: 'device' | 'product' = 'product'): Promise<void> {
    await approveDevice(this.collector.store, { ueid, scope, actor: 'api_x', now, random })
  }

  async device(ueid: Ueid) {
    const device = await this.collector.store.devices.byUeid(ueid)
    if (device === undefined) throw new Error('not enrolled')
    return { device, state: await this.collector.store.devices.stateOf(device.id) }
  }

  /** `code subject` of every finding that was ever opened for the device. */
  async findings(ueid: Ueid): Promise<readonly string[]> {
    const { items } = await this.collector.store.findings.list({ limit: 500 }, { deviceUeid: ueid })
    return items.map(({ finding: { code, subject } }) => `${code} ${subject}`).sort()
  }
}
