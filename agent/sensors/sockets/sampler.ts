import type { Host } from '../host.ts'
import { SensorFailure } from '../sensor.ts'
import { readEphemeralPorts } from './ephemeral.ts'
import { ShortLived, type ShortLivedState } from './short-lived.ts'
import { readTables } from './tables.ts'

/**
 * Without owners, and of our own network namespace alone: so that a look costs little. With ten sockets it takes 1.1 ms
 * of our own and what the kernel takes to go through its table of connections, which grows with memory: 0.4 ms for each
 * GB, at most 20 ms. Once a minute, 1,440 times a day, that is 2 seconds of processor time on a gateway with 1 GB, and
 * 16 where a look was measured at 11 ms, with 24 GB.
 */
const TABLES = ['tcp', 'tcp6', 'udp', 'udp6']

/**
 * A look that took long is followed by a pause of so many times that long: tens of thousands of sockets, which anybody
 * can open, must not become a load. At most 22 seconds of processor time a day.
 */
const PAUSE_FACTOR = 4000
/** Before the look of a measurement, which concludes what was counted: that is rarer. */
const MEASUREMENT_PAUSE_FACTOR = 200

/**
 * Looks at what listens between two measurements, and counts what comes and goes. What is open for less than the time
 * between two looks can stay unseen; so can UDP on a port of the ephemeral range, where clients look like servers.
 */
export class SocketSampler {
  readonly #host: Host
  readonly #seconds: number
  readonly #counted = new ShortLived()
  /** Seconds since 1970, by the host's clock. */
  #lastLook = 0
  #tookMs = 0

  /** @param seconds time between two looks, 0 for none */
  constructor(host: Host, seconds: number) {
    this.#host = host
    this.#seconds = seconds
  }

  /** Starts to look. Returns what ends it. */
  start(): () => void {
    if (this.#seconds === 0) return () => undefined
    const timer = setInterval(() => this.look(), this.#seconds * 1000).unref()
    return () => clearInterval(timer)
  }

  look(): void {
    const places = this.#places(PAUSE_FACTOR)
    if (places !== undefined) this.#counted.sample(places)
  }

  /** To be called with each measurement. No samples are none that were taken, and say nothing about listeners. */
  measured(): ShortLivedState {
    const places = this.#seconds === 0 ? undefined : this.#places(MEASUREMENT_PAUSE_FACTOR)
    if (places === undefined) return { 'sockets.samples': 0 }
    return { ...this.#counted.measured(places), 'sockets.sample-seconds': this.#seconds }
  }

  reported(): void {
    this.#counted.reported()
  }

  /** Undefined where the tables cannot be read, and in a pause. */
  #places(factor: number): ReadonlySet<string> | undefined {
    const age = this.#host.now() - this.#lastLook
    const pause = Math.floor((this.#tookMs * factor) / 1000)
    // Less than the time between two looks is no pause: a measurement may follow a look at once.
    if (pause >= this.#seconds && age >= 0 && age < pause) return undefined
    const before = this.#host.cpuMs()
    const places = placesOf(this.#host)
    this.#tookMs = this.#host.cpuMs() - before
    this.#lastLook = this.#host.now()
    return places
  }
}

/** `tcp/any:22`; undefined where the tables cannot be read. */
function placesOf(host: Host): ReadonlySet<string> | undefined {
  try {
    const { names, sockets } = readTables(host, '/proc/net', TABLES)
    if (names.length === 0) return undefined
    const isEphemeral = readEphemeralPorts(host)
    const lasting = sockets.filter((socket) => !isEphemeral(socket))
    return new Set(lasting.map(({ protocol, address, port }) => `${protocol}/${address?.scope ?? 'link'}:${port}`))
  } catch (error) {
    if (error instanceof SensorFailure) return undefined
    throw error
  }
}
