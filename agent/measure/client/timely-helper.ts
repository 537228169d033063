import { createHash } from 'node:crypto'
import type { Host } from '../../sensors/host.ts'
import { SENSORS } from '../../sensors/registry.ts'
import type { Sensor } from '../../sensors/sensor.ts'
import type { SectionsAnswer } from '../answer.ts'
import type { Asked } from './asked.ts'
import type { Helper } from './helper.ts'

export interface TimelyOptions {
  readonly helper: Pick<Helper, 'sections'>
  readonly host: Host
  /** For how long an answer stands for the present at most. 0: for no time. */
  readonly maxAgeSeconds: number
  /** Milliseconds of a clock that nobody sets. It may stand still while the system sleeps. */
  readonly monotonic: () => number
  readonly sensors?: readonly Sensor[]
}

interface Kept {
  readonly asked: Extract<Asked<SectionsAnswer>, { status: 'answered' }>
  readonly glance: string
  /** Seconds since 1970, by the host's clock. */
  readonly at: number
  readonly monotonicAt: number
}

/**
 * Asks the privileged helper when there is a reason to. A process is started for each answer, which takes more than all
 * that the agent does itself for a report. So an answer is kept while nothing has changed that the agent can see of what
 * the sections are about (see `Sensor.glance`), and for a bounded time: what root alone can see may be seen that late.
 * Where the agent cannot look, or a section failed, which a moment of load may be the reason for, nothing is kept.
 */
export class TimelyHelper {
  readonly #options: TimelyOptions
  #kept: Kept | undefined
  #ageSeconds = 0

  constructor(options: TimelyOptions) {
    this.#options = options
  }

  /** How old what `sections` answered last was then. */
  get ageSeconds(): number {
    return this.#ageSeconds
  }

  /** Somebody asks how it is now: the next answer is a new one. */
  anew(): this {
    this.#kept = undefined
    return this
  }

  async sections(): Promise<Asked<SectionsAnswer>> {
    const { helper, host, maxAgeSeconds, monotonic } = this.#options
    const now = host.now()
    const monotonicNow = monotonic()
    // Before the helper looks: what changes meanwhile changes the next glance.
    const glance = maxAgeSeconds === 0 ? undefined : await this.#glance()
    const kept = this.#kept
    // The one clock may have been set, the other one slept.
    const isForward = kept === undefined || now >= kept.at
    const age = kept === undefined ? 0 : Math.max(now - kept.at, Math.floor((monotonicNow - kept.monotonicAt) / 1000))
    if (glance !== undefined && kept?.glance === glance && isForward && age < maxAgeSeconds) {
      this.#ageSeconds = age
      const { asked } = kept
      // It was told once.
      return { ...asked, answer: { ...asked.answer, cpuMs: 0 } }
    }
    this.#ageSeconds = 0
    const asked = await helper.sections()
    const isWhole =
      asked.status === 'answered' && asked.answer.readings.every(({ reading }) => reading.status !== 'failed')
    this.#kept = isWhole && glance !== undefined ? { asked, glance, at: now, monotonicAt: monotonicNow } : undefined
    return asked
  }

  /** Undefined where the agent could not look, so that a change would not be seen. */
  async #glance(): Promise<string | undefined> {
    const { host, sensors = SENSORS } = this.#options
    const hash = createHash('sha256')
    for (const sensor of sensors) {
      if (sensor.privileged !== true) continue
      const seen = await glanceAt(sensor, host)
      if (seen === undefined) return undefined
      hash.update(`${sensor.section}\n${seen}\n\n`)
    }
    return hash.digest('hex')
  }
}

async function glanceAt(sensor: Sensor, host: Host): Promise<string | undefined> {
  try {
    if (sensor.glance !== undefined) return sensor.glance(host)
    const reading = await sensor.measure(host)
    return JSON.stringify(reading.status === 'measured' ? reading.content : reading)
  } catch {
    return undefined
  }
}
