import type { Logger } from 'pino'
import type { Store } from '../store/index.ts'
import { downtimeOf, UNHEARD_MS, type Downtime, type RecordedInterval } from './downtime.ts'

export interface AttendanceOptions {
  readonly store: Pick<Store, 'collectorIntervals'>
  readonly clock: () => number
  readonly logger: Logger
  /** Names this process. */
  readonly replica: string
  /** How far back downtime is looked at. */
  readonly horizonMs: number
}

export interface Intake {
  /** Whether evidence reaches this process at all. */
  readonly isReceiving: () => boolean
  /** Whether devices have to wait, because more comes in than can be decided. */
  readonly isHeldBack: () => boolean
}

const EVERY_MS = UNHEARD_MS / 3
/** What was read is taken for the present so long. */
const KNOWN_MS = EVERY_MS / 2

interface Row {
  readonly id: number
  readonly to: number
}

/**
 * Writes down that this collector is there, and reads when any of them was: a collector that was stopped, whose database
 * or whose broker was out of reach, sees nothing, and what nobody saw is nobody's silence.
 */
export class Attendance {
  readonly #options: AttendanceOptions
  readonly #rows = new Map<RecordedInterval['kind'], Row>()
  #cause = 'started'
  #intake: Intake | undefined
  #intervals: readonly RecordedInterval[] = []
  #known: { readonly at: number; readonly downtime: Downtime } | undefined
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: AttendanceOptions) {
    this.#options = options
  }

  /** From now on this process takes evidence. One that takes none by its role writes nothing, and reads. */
  attend(intake: Intake): void {
    this.#intake = intake
  }

  /** By what is known now. */
  get downtime(): Downtime {
    const now = this.#options.clock()
    if (this.#known === undefined || Math.abs(now - this.#known.at) > KNOWN_MS) {
      this.#known = { at: now, downtime: downtimeOf(this.#intervals, now) }
    }
    return this.#known.downtime
  }

  /** Resolves when the time since any collector was there is known. */
  async start(): Promise<void> {
    await this.beat()
    this.#schedule()
  }

  /** What is written down last is when it stopped. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
    await this.beat()
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#running = this.beat().then(() => this.#schedule())
    }, EVERY_MS)
  }

  /** Never rejects: a database that is away is one of the things to write down later. */
  async beat(): Promise<void> {
    const { store, clock, logger, horizonMs } = this.#options
    const now = clock()
    const last = this.#rows.get('up')?.to ?? now
    try {
      if (this.#intake?.isReceiving() === true) {
        await this.#write('up', now, now)
        this.#cause = 'stalled'
      } else {
        this.#rows.delete('up')
        this.#cause = 'broker'
      }
      if (this.#intake?.isHeldBack() === true) await this.#write('backlog', last, now)
      else this.#rows.delete('backlog')
      this.#intervals = await store.collectorIntervals.since(now - horizonMs)
      this.#known = undefined
    } catch (error) {
      this.#rows.clear()
      this.#cause = 'database'
      logger.warn({ err: error }, 'it could not be written down that the collector is running')
    }
  }

  async #write(kind: RecordedInterval['kind'], from: number, to: number): Promise<void> {
    const { store, replica } = this.#options
    const row = this.#rows.get(kind)
    const goesOn = row !== undefined && to >= row.to && to - row.to <= UNHEARD_MS
    if (goesOn && (await store.collectorIntervals.prolong(row.id, to))) {
      this.#rows.set(kind, { id: row.id, to })
      return
    }
    const cause = kind === 'up' ? this.#cause : 'backlog'
    const id = await store.collectorIntervals.begin(replica, { kind, from, to, cause })
    this.#rows.set(kind, { id, to })
  }
}
