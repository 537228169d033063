import type { Logger } from 'pino'

/** What the clocks may part at once without anybody's doing. */
export const CLOCK_TOLERANCE_MS = 60_000

/** How far the clock of the machine stands from where it has to be by the time that went by. ms. */
export interface ClockStep {
  /** Positive: it was set forward. */
  readonly offsetMs: number
}

export interface ClockGuardOptions {
  /** ms since 1970: the clock of the machine, which anybody who is root can set. */
  readonly wall: () => number
  /** ms of a clock that nobody can set, and that goes on while the machine sleeps. */
  readonly monotonic: () => number
  /** How far the two may part at once; slower corrections are followed. */
  readonly toleranceMs: number
  /** Told when the clock was stepped, and when it is right again (undefined); `at`: by the time that is gone by. */
  readonly onStep: (step: ClockStep | undefined, at: number) => void
}

/**
 * The time that the collector goes by. Its clock is a root of trust: whoever steps it could make old evidence fresh, or a
 * whole fleet silent. So a step is not followed: time goes on as it went before, visibly, until the clock is back where it
 * has to be, or the collector is started again with the time that a person has found to be right.
 */
export class ClockGuard {
  readonly #options: ClockGuardOptions
  /** Where both clocks stood when they were last found to agree. */
  #wall: number
  #monotonic: number
  #step: ClockStep | undefined

  constructor(options: ClockGuardOptions) {
    this.#options = options
    this.#wall = options.wall()
    this.#monotonic = options.monotonic()
  }

  /** Undefined while the clock is to be trusted. */
  get step(): ClockStep | undefined {
    return this.#step
  }

  readonly now = (): number => {
    const { wall: readWall, monotonic: readMonotonic, toleranceMs, onStep } = this.#options
    const wall = readWall()
    const monotonic = readMonotonic()
    const expected = this.#wall + (monotonic - this.#monotonic)
    const offsetMs = wall - expected
    if (Math.abs(offsetMs) <= toleranceMs) {
      // What the machine's time service corrects little by little is followed, or it would add up to a step.
      this.#wall = wall
      this.#monotonic = monotonic
      if (this.#step !== undefined) this.#tell(undefined, wall, onStep)
      return Math.round(wall)
    }
    const isOther = this.#step === undefined || Math.abs(offsetMs - this.#step.offsetMs) > toleranceMs
    if (isOther) this.#tell({ offsetMs }, expected, onStep)
    return Math.round(expected)
  }

  #tell(step: ClockStep | undefined, at: number, onStep: ClockGuardOptions['onStep']): void {
    this.#step = step
    onStep(step, Math.round(at))
  }
}

export function tellOfStep(step: ClockStep | undefined, logger: Logger): void {
  if (step === undefined) logger.warn('the clock of this machine is right again')
  else {
    const stepSeconds = Math.round(step.offsetMs / 1000)
    const remedy = 'set the clock right; if it is right now and was wrong before: systemctl restart keepseal-collector'
    logger.error({ stepSeconds, remedy }, 'the clock of this machine was stepped, and is not followed')
  }
}
