import type { Publisher } from '../attest/courier.ts'

/** What the agent has used since it last reported. */
export interface Usage {
  readonly cpuMs: number
  /** Handed to the broker connection: messages without what MQTT and TLS add. */
  readonly bytesSent: number
}

/** Counts what the agent itself takes of the gateway, from one report to the next. */
export class UsageMeter {
  readonly #cpuMs: () => number
  #bytesSent = 0
  #reported: Usage = { cpuMs: 0, bytesSent: 0 }

  /** `cpuMs`: processor time of this process since its start, in milliseconds. */
  constructor(cpuMs: () => number) {
    this.#cpuMs = cpuMs
  }

  sent(bytes: number): void {
    this.#bytesSent += bytes
  }

  /** Of a process's first report since its start. */
  sinceReport(): Usage {
    const { cpuMs, bytesSent } = this.#now()
    return { cpuMs: Math.max(0, cpuMs - this.#reported.cpuMs), bytesSent: bytesSent - this.#reported.bytesSent }
  }

  /** `usage` is in a report that exists. What was used meanwhile belongs to the next one. */
  reported({ cpuMs, bytesSent }: Usage): void {
    this.#reported = { cpuMs: this.#reported.cpuMs + cpuMs, bytesSent: this.#reported.bytesSent + bytesSent }
  }

  #now(): Usage {
    return { cpuMs: Math.round(this.#cpuMs()), bytesSent: this.#bytesSent }
  }
}

/** A publisher whose messages are counted. */
export const counted = (publisher: Publisher, meter: UsageMeter): Publisher => ({
  publish(topic, bytes) {
    meter.sent(bytes.length)
    return publisher.publish(topic, bytes)
  },
})
