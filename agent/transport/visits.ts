/** What a visit to the broker is for, and when it is over. */
export interface VisitOptions {
  /** Begins to connect, and goes on trying. */
  readonly connect: () => void
  /** Takes leave. */
  readonly leave: () => Promise<void>
  /** Measures and puts the report into the outbox. It answers the epoch that is the newest when this is called. */
  readonly report: () => Promise<void>
  /** Tells the newest epoch that has arrived from any other; null where none has. */
  readonly newestEpoch: () => number | null
  /** Nothing waits for an answer any more. */
  readonly isDone: () => boolean
  /** Called when the visit is over. */
  readonly left: () => void
}

/** For what else the collector has to say once it has receipted everything: a result, a challenge. */
const LINGER_MS = 2_000
/** Nothing came for so long, connected or not: the report is made with what is known, or the collector does not answer. */
const QUIET_MS = 60_000

interface Visit {
  reported: boolean
  reporting: boolean
  connected: boolean
  /** The broker has told the newest epoch in this visit. */
  told: boolean
  /** The epoch of a report that was made before that. undefined: there is none. */
  unconnected: number | null | undefined
}

/**
 * Comes to the broker for one report at a time: connect, take the newest epoch, measure, send, take the receipt, leave.
 * Without a way to the broker the report is made all the same, to be sent when there is one. It answers the epoch of the
 * visit before, which is evidence that is late: where a newer one comes with the connection, another report answers it.
 */
export class Visits {
  readonly #options: VisitOptions
  #timer: NodeJS.Timeout | undefined
  /** undefined: resting. */
  #visit: Visit | undefined

  constructor(options: VisitOptions) {
    this.#options = options
  }

  get isResting(): boolean {
    return this.#visit === undefined
  }

  /** A report is due. Where the one before is still under way without a connection, another is made beside it. */
  begin(): void {
    const connected = this.#visit?.connected ?? false
    this.#visit = { reported: false, reporting: false, connected, told: false, unconnected: undefined }
    this.#options.connect()
    this.#wait(QUIET_MS)
  }

  connected(): void {
    if (this.#visit === undefined) return
    this.#visit.connected = true
    this.progressed()
  }

  disconnected(): void {
    if (this.#visit !== undefined) this.#visit.connected = false
  }

  /** The broker has told the newest epoch. */
  epochArrived(): Promise<void> {
    if (this.#visit !== undefined) this.#visit.told = true
    return this.#report()
  }

  /** Something was sent, or came. */
  progressed(): void {
    const visit = this.#visit
    if (visit === undefined) return
    const isOver = visit.connected && visit.reported && this.#options.isDone()
    this.#wait(isOver ? LINGER_MS : QUIET_MS)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#visit = undefined
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#elapsed(), ms)
  }

  async #elapsed(): Promise<void> {
    const visit = this.#visit
    if (visit === undefined) return
    if (!visit.reported) {
      await this.#report()
      return
    }
    // Without a connection it goes on trying: what is in the outbox is to be brought.
    if (!visit.connected) return this.#wait(QUIET_MS)
    this.#visit = undefined
    await this.#options.leave()
    this.#options.left()
  }

  async #report(): Promise<void> {
    const { newestEpoch, report } = this.#options
    const visit = this.#visit
    if (visit === undefined || visit.reporting || (visit.reported && !isOutdated(visit, newestEpoch()))) return
    visit.reporting = true
    clearTimeout(this.#timer)
    do {
      visit.unconnected = visit.told ? undefined : newestEpoch()
      await report()
    } while (visit === this.#visit && isOutdated(visit, newestEpoch()))
    visit.reporting = false
    visit.reported = true
    this.progressed()
  }
}

/** The report was made before the broker could tell its epoch, and that is another one. */
const isOutdated = ({ told, unconnected }: Visit, newest: number | null): boolean =>
  told && unconnected !== undefined && unconnected !== newest
