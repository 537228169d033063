import { KeepsealError } from '../../shared/errors.ts'
import type { EpochMessage } from '../../shared/evidence/epoch.ts'
import type { SimulationClock } from './clock.ts'
import type { SimulatedGateway, UpstreamMessage } from './gateway.ts'
import { firstReportAt, nextReportAt, type NetworkModel } from './network.ts'
import { releaseOf, withListener, withPackage } from './posture/release.ts'
import type { Change } from './scenario.ts'
import type { Schedule } from './schedule.ts'
import type { Statistics } from './statistics.ts'
import type { Transport } from './transport/transport.ts'

/** What all gateways of a fleet have in common. */
export interface Surroundings {
  readonly schedule: Schedule
  readonly clock: SimulationClock
  readonly transport: Transport
  readonly statistics: Statistics
  /** Checks who has signed it; undefined for a message that is not the collector's. */
  readonly openEpoch: (bytes: Uint8Array) => EpochMessage | undefined
  /** Told of all that is under way, so that somebody can wait for it. */
  readonly track: (work: Promise<void>) => void
}

const REBOOT_MS = 60_000
/** As the agent: a request makes it measure at most once in this time. */
const REQUEST_PAUSE_MS = 10_000
/** Pause after a message that the other side did not take. */
const RETRY_MS = 5_000
const SPREAD_MS = 60_000
/** Messages that a listener on the wire is taken to have kept. */
const KEPT = 4

/** A gateway in its surroundings: when it measures, when it is connected, what happens to it. */
export class Member {
  readonly gateway: SimulatedGateway
  readonly network: NetworkModel
  readonly #around: Surroundings
  readonly #fraction: () => number
  #release: number
  /** One thing after the other, as an agent does. */
  #queue: Promise<void> = Promise.resolve()
  #connected = false
  #offline = false
  #wakeAt = Number.POSITIVE_INFINITY
  #lastRequestAt = Number.NEGATIVE_INFINITY
  #kept: UpstreamMessage[] = []

  constructor(
    gateway: SimulatedGateway,
    network: NetworkModel,
    around: Surroundings,
    fraction: () => number,
    release = 1,
  ) {
    this.gateway = gateway
    this.network = network
    this.#around = around
    this.#fraction = fraction
    this.#release = release
  }

  get connected(): boolean {
    return this.#connected
  }

  start(): void {
    const { clock } = this.#around
    this.#at(clock.now() + firstReportAt(this.network, this.#fraction()), () => this.#cycle(true))
  }

  /** A copy of this gateway, which has not started yet. */
  clone(gateway: SimulatedGateway, fraction: () => number): Member {
    return new Member(gateway, this.network, this.#around, fraction, this.#release)
  }

  /** `now` and what follows it, in the order of this gateway. */
  #do(action: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(action)
    this.#around.track(done)
    this.#queue = done.catch(() => undefined)
    return done
  }

  #at(time: number, action: () => Promise<void>): void {
    this.#around.schedule.add(time, () => this.#do(action))
  }

  #in(ms: number, action: () => Promise<void>): void {
    this.#at(this.#around.clock.now() + ms, action)
  }

  /** Once in an interval; `again`: and then in the next one. */
  async #cycle(again: boolean): Promise<void> {
    const { clock } = this.#around
    if (again) this.#at(nextReportAt(this.network, clock.now(), this.#fraction()), () => this.#cycle(true))
    await this.#connect()
    await this.#measure()
    const { connectedSeconds } = this.network
    if (connectedSeconds !== null) this.#in(connectedSeconds * 1000, () => this.#disconnect())
  }

  async #measure(): Promise<void> {
    const { clock, statistics } = this.#around
    const before = this.gateway.outbox.dropped
    if (await this.gateway.report(clock.wall())) statistics.made++
    statistics.lost += this.gateway.outbox.dropped - before
    await this.#deliver()
  }

  async #connect(): Promise<void> {
    if (this.#connected || this.#offline) return
    await this.#around.transport.connect(this.gateway, {
      onEpoch: (bytes) => {
        const epoch = this.#around.openEpoch(bytes)
        if (epoch !== undefined) this.gateway.learn(epoch)
      },
      onDown: (bytes) => void this.#do(() => this.#answered(bytes)),
      onUp: () => {
        this.#connected = true
        this.gateway.connected()
        void this.#do(() => this.#deliver())
      },
      onLost: () => {
        this.#connected = false
      },
    })
  }

  async #disconnect(): Promise<void> {
    this.#connected = false
    await this.#around.transport.disconnect(this.gateway)
  }

  async #deliver(): Promise<void> {
    const { clock } = this.#around
    const { outbox } = this.gateway
    while (this.#connected) {
      const delivery = outbox.next(clock.now())
      if (delivery.kind === 'wait') {
        if (delivery.until !== null) this.#wake(delivery.until)
        return
      }
      const report = outbox.find(delivery.entry.order)
      if (report === undefined) return
      report.firstSentAt ??= clock.wall()
      const isTaken = await this.#publish(await this.gateway.messagesOf(report))
      outbox.sent(delivery, clock.now())
      if (!isTaken) {
        this.#wake(clock.now() + RETRY_MS)
        return
      }
    }
  }

  /** One wake-up is enough, the earliest. */
  #wake(time: number): void {
    if (time >= this.#wakeAt) return
    this.#wakeAt = time
    this.#at(time, async () => {
      if (this.#wakeAt === time) this.#wakeAt = Number.POSITIVE_INFINITY
      await this.#deliver()
    })
  }

  /** False when the other side did not take all of them. */
  async #publish(messages: readonly UpstreamMessage[]): Promise<boolean> {
    const { statistics } = this.#around
    for (const message of messages) {
      if (!(await this.#isTaken(message))) {
        this.gateway.notTaken()
        return false
      }
      if (message.topic.endsWith('/evidence')) {
        statistics.sent++
        this.#kept = [...this.#kept, message].slice(-KEPT)
      } else {
        statistics.contentsSent++
      }
    }
    return true
  }

  async #isTaken({ topic, bytes }: UpstreamMessage): Promise<boolean> {
    try {
      await this.#around.transport.publish(this.gateway, topic, bytes)
      return true
    } catch (error) {
      if (error instanceof KeepsealError && error.code.startsWith('collector.')) return false
      throw error
    }
  }

  async #answered(bytes: Uint8Array): Promise<void> {
    const { clock, statistics } = this.#around
    const { receipted, refused, measure, messages } = await this.gateway.answered(bytes)
    for (const { firstSentAt } of receipted) statistics.receiptAfter(clock.wall() - (firstSentAt ?? clock.wall()))
    for (const { code } of refused) statistics.refused(code)
    if (this.#connected) await this.#publish(messages)
    if (!measure || clock.now() - this.#lastRequestAt < REQUEST_PAUSE_MS) return
    this.#lastRequestAt = clock.now()
    await this.#measure()
  }

  /** Something of a scenario happens; a clone is the fleet's to make. */
  apply(change: Exclude<Change, { kind: 'clone' }>): Promise<void> {
    return this.#do(() => this.#apply(change))
  }

  async #apply(change: Exclude<Change, { kind: 'clone' }>): Promise<void> {
    switch (change.kind) {
      case 'release':
        this.#release = change.release
        return this.#reboot(false)
      case 'tampered-boot':
        return this.#reboot(true)
      case 'listener':
        return this.gateway.drift((readings) => withListener(readings, change.port, change.executable))
      case 'package':
        return this.gateway.drift((readings) => withPackage(readings, change.name, change.version))
      case 'offline':
        return this.#goOffline(change.seconds * 1000, change.back === 'at-once' ? 0 : this.#fraction() * SPREAD_MS)
      case 'replay':
        // Sent by somebody else, so that it counts as nothing of this gateway's.
        for (const message of this.#kept) await this.#isTaken(message)
    }
  }

  async #reboot(isTampered: boolean): Promise<void> {
    await this.#disconnect()
    const { posture, boot, tampered } = releaseOf(this.#release)
    this.gateway.reboot(posture, isTampered ? tampered : boot)
    this.#in(REBOOT_MS, () => this.#cycle(false))
  }

  async #goOffline(ms: number, later: number): Promise<void> {
    this.#offline = true
    await this.#disconnect()
    this.#in(ms + later, async () => {
      this.#offline = false
      // The others connect when they report next.
      if (this.network.connectedSeconds === null) await this.#connect()
    })
  }
}
