import { equal } from '../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../shared/errors.ts'
import type { DeviceKey } from '../../shared/evidence/evidence.ts'
import { openEpoch, type EpochMessage } from '../../shared/evidence/epoch.ts'
import type { SimulationClock } from './clock.ts'
import type { SimulatedGateway } from './gateway.ts'
import type { FleetSeed } from './keys/seed.ts'
import { Member, type Surroundings } from './member.ts'
import { networkOf, type NetworkMix } from './network.ts'
import { selected, type Scenario, type Step } from './scenario.ts'
import type { Schedule } from './schedule.ts'
import { Statistics } from './statistics.ts'
import type { Transport } from './transport/transport.ts'

export interface FleetOptions {
  readonly seed: FleetSeed
  readonly gateways: readonly SimulatedGateway[]
  readonly networks: NetworkMix
  readonly schedule: Schedule
  readonly clock: SimulationClock
  readonly transport: Transport
  /** Signs epochs, until `use` names another one. */
  readonly collector: DeviceKey
}

/** Gateways of one collector, each living its own life until a scenario says otherwise. */
export class Fleet {
  readonly statistics = new Statistics()
  readonly #options: FleetOptions
  readonly #around: Surroundings
  readonly #members: Member[]
  /** The fleet in the order in which scenarios choose from it. */
  readonly #order: readonly number[]
  readonly #underWay = new Set<Promise<void>>()
  #failure: unknown
  #collector: DeviceKey
  #epoch: { readonly bytes: Uint8Array; readonly message: EpochMessage | undefined } | undefined

  constructor(options: FleetOptions) {
    const { seed, gateways, networks, schedule, clock, transport } = options
    this.#options = options
    this.#collector = options.collector
    this.#around = {
      schedule,
      clock,
      transport,
      statistics: this.statistics,
      openEpoch: (bytes) => this.#open(bytes),
      track: (work) => this.#track(work),
    }
    this.#members = gateways.map((gateway, index) => {
      const network = networkOf(networks, seed.fraction(`network ${index}`))
      return new Member(gateway, network, this.#around, seed.fractions(`jitter ${index}`))
    })
    this.#order = seed.order('fleet', gateways.length)
  }

  get connected(): number {
    return this.#members.filter(({ connected }) => connected).length
  }

  /** The gateways that a scenario's selection means, in its order. */
  chosen(selection: Step['gateways']): readonly SimulatedGateway[] {
    return this.#chosen(selection).map(({ gateway }) => gateway)
  }

  #chosen(selection: Step['gateways']): readonly Member[] {
    const { from, to } = selected(selection, this.#order.length)
    return this.#order.slice(from, to).flatMap((index) => this.#members[index] ?? [])
  }

  start(): void {
    for (const member of this.#members) member.start()
  }

  /** Puts what the scenario says into the schedule, counted from now. */
  play({ steps }: Scenario): void {
    const { schedule, clock } = this.#options
    const begin = clock.now()
    for (const step of steps) {
      schedule.add(begin + step.atSeconds * 1000, async () => {
        await Promise.all(this.#chosen(step.gateways).map((member) => this.#apply(member, step.change)))
      })
    }
  }

  #apply(member: Member, change: Step['change']): Promise<void> {
    if (change.kind !== 'clone') return member.apply(change)
    const { seed } = this.#options
    const name = `clone ${this.#members.length}`
    const copy = member.clone(member.gateway.clone(seed.random(name)), seed.fractions(`jitter ${name}`))
    this.#members.push(copy)
    copy.start()
    return Promise.resolve()
  }

  /** All gateways answer one epoch: its signature is checked once. */
  #open(bytes: Uint8Array): EpochMessage | undefined {
    if (this.#epoch === undefined || !equal(this.#epoch.bytes, bytes)) {
      this.#epoch = { bytes, message: openedOrNot(bytes, this.#collector) }
    }
    return this.#epoch.message
  }

  /** The collector has another key now. An epoch by it that came before this was known counts, for who is there. */
  use(collector: DeviceKey): void {
    this.#collector = collector
    const before = this.#epoch
    this.#epoch = undefined
    const epoch = before?.message === undefined && before !== undefined ? this.#open(before.bytes) : undefined
    if (epoch === undefined) return
    for (const member of this.#members) if (member.connected) member.gateway.learn(epoch)
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        this.#failure ??= error
      })
      .finally(() => this.#underWay.delete(tracked))
    this.#underWay.add(tracked)
  }

  /** What has failed first, of all that nobody waits for. */
  get failure(): unknown {
    return this.#failure
  }

  /** Resolves when nothing is under way. Throws what has failed meanwhile. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
    if (this.#failure !== undefined) throw this.#failure
  }
}

function openedOrNot(bytes: Uint8Array, collector: DeviceKey): EpochMessage | undefined {
  try {
    return openEpoch(bytes, collector)
  } catch (error) {
    if (error instanceof OutcomeError) return undefined
    throw error
  }
}
