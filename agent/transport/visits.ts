/** What a visit to the broker is for, and when it is over. */
export interface VisitOptions {
  /** Begins to connect, and goes on trying. */
  readonly connect: () => void
  /** Takes leave. */
  readonly leave: () => Promise<void>
  /** Measures and puts the report into the outbox. */
  readonly report: () => Promise<void>
  /** Nothing waits for an answer any more. */
  readonly isDone: () => boolean
  /** Called when the visit is over. */
  readonly left: () => void
}

/** For what else the collector has to say once it has receipted everything: a result, a challenge. */
const LINGER_MS = 1_000
/** Nothing came for so long, connected or not: the report is made with what is known, or the collector does not answer. */
const QUIET_MS = 60_000

/**
 * Comes to the broker for one report at a time: connect, take the newest epoch, measure, send, take the receipt, leave.
 * Without a way to the broker the report is made all the same, to be sent when there is one.
 */
export class Visits {
  readonly #options: VisitOptions
  #timer: NodeJS.Timeout | undefined
  /** undefined: resting. */
  #visit: { reported: boolean; reporting: boolean; connected: boolean } | undefined

  constructor(options: VisitOptions) {
    this.#options = options
  }

  get isResting(): boolean {
    return this.#visit === undefined
  }

  /** A report is due. Where the one before is still under way without a connection, another is made beside it. */
  begin(): void {
    const connected = this.#visit?.connected ?? false
    this.#visit = { reported: false, reporting: false, connected }
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
    const visit = this.#visit
    if (visit === undefined || visit.reported || visit.reporting) return
    visit.reporting = true
    clearTimeout(this.#timer)
    await this.#options.report()
    visit.reporting = false
    visit.reported = true
    this.progressed()
  }
}
