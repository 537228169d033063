import { createHash } from 'node:crypto'
import type { Host } from '../../sensors/host.ts'
import { SENSORS } from '../../sensors/registry.ts'
import { SensorFailure, type Sensor } from '../../sensors/sensor.ts'
import type { SectionsAnswer } from '../answer.ts'
import type { Asked } from './asked.ts'
import type { Helper } from './helper.ts'

export interface TimelyOptions {
  readonly helper: Pick<Helper, 'sections'>
  readonly host: Host
  /** For how long an answer stands for the present at most. 0: for no time. */
  readonly maxAgeSeconds: number
  readonly sensors?: readonly Sensor[]
}

interface Kept {
  readonly asked: Extract<Asked<SectionsAnswer>, { status: 'answered' }>
  readonly glance: string
  /** Seconds since 1970, by the host's clock. */
  readonly at: number
}

/**
 * Asks the privileged helper when there is a reason to. A process is started for each answer, which takes more than all
 * that the agent does itself for a report. So an answer is kept while nothing has changed that the agent can see of what
 * the sections are about (see `Sensor.glance`), and for a bounded time: what root alone can see may be seen that late.
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
    const { helper, host, maxAgeSeconds } = this.#options
    const now = host.now()
    // Before the helper looks: what changes meanwhile changes the next glance.
    const glance = maxAgeSeconds === 0 ? '' : await this.#glance()
    const age = this.#kept === undefined ? 0 : now - this.#kept.at
    if (this.#kept?.glance === glance && age >= 0 && age < maxAgeSeconds) {
      this.#ageSeconds = age
      const { asked } = this.#kept
      // It was told once.
      return { ...asked, answer: { ...asked.answer, cpuMs: 0 } }
    }
    this.#ageSeconds = 0
    const asked = await helper.sections()
    this.#kept = asked.status === 'answered' && maxAgeSeconds > 0 ? { asked, glance, at: now } : undefined
    return asked
  }

  async #glance(): Promise<string> {
    const { host, sensors = SENSORS } = this.#options
    const hash = createHash('sha256')
    for (const sensor of sensors) {
      if (sensor.privileged === true) hash.update(`${sensor.section}\n${await glanceAt(sensor, host)}\n\n`)
    }
    return hash.digest('hex')
  }
}

async function glanceAt(sensor: Sensor, host: Host): Promise<string> {
  try {
    if (sensor.glance !== undefined) return sensor.glance(host)
    const reading = await sensor.measure(host)
    return JSON.stringify(reading.status === 'measured' ? reading.content : reading)
  } catch (error) {
    return error instanceof SensorFailure ? JSON.stringify(error.reading) : String(error)
  }
}
