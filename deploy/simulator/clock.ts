import { setTimeout as sleep } from 'node:timers/promises'
import type { Schedule } from './schedule.ts'

/** The time of a simulation, and the one that its gateways believe to have. */
export interface SimulationClock {
  /** Milliseconds from the begin of the simulation. Never jumps back. */
  now(): number
  /** Whole milliseconds since 1970. */
  wall(): number
}

/** Time that passes only when nothing is left to do: a week takes as long as its messages take to make. */
export class VirtualClock implements SimulationClock {
  readonly #start: number
  #now = 0

  /** `start`: since 1970. */
  constructor(start: number) {
    this.#start = start
  }

  now(): number {
    return this.#now
  }

  wall(): number {
    return Math.floor(this.#start + this.#now)
  }

  advance(to: number): void {
    this.#now = Math.max(this.#now, to)
  }
}

/**
 * Runs what is due until `until`; `settled` is waited for after each task, so that all has its order. `togetherMs`: tasks
 * that are due within so much of the first run at once, as they would in a fleet, and whoever takes their messages may
 * take them together.
 */
export async function runVirtual(
  schedule: Schedule,
  clock: VirtualClock,
  until: number,
  settled: () => Promise<void>,
  togetherMs = 0,
): Promise<void> {
  const isWithin = (end: number): boolean => togetherMs > 0 && (schedule.nextAt ?? Number.POSITIVE_INFINITY) <= end
  while ((schedule.nextAt ?? Number.POSITIVE_INFINITY) <= until) {
    const end = Math.min((schedule.nextAt ?? until) + togetherMs, until)
    const running: Promise<void>[] = []
    for (let task = schedule.take(); task !== undefined; task = isWithin(end) ? schedule.take() : undefined) {
      clock.advance(task.at)
      running.push(task.run())
    }
    await Promise.all(running)
    await settled()
  }
  clock.advance(until)
}

/** Time as it passes, or faster by a factor: what an hour holds then happens in some minutes, by everybody's clock. */
export class RealClock implements SimulationClock {
  readonly speed: number
  readonly #begin = performance.now()

  constructor(speed = 1) {
    this.speed = speed
  }

  now(): number {
    return (performance.now() - this.#begin) * this.speed
  }

  wall(): number {
    return Date.now()
  }
}

/** A new task must not wait longer than this for one that was scheduled before. */
const LONGEST_SLEEP_MS = 50

/** Runs what is due until `until` or until it is stopped. What one gateway does holds back no other. */
export async function runReal(
  schedule: Schedule,
  clock: RealClock,
  until: number,
  stop: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  while (!stop.aborted && clock.now() < until) {
    const wait = ((schedule.nextAt ?? Number.POSITIVE_INFINITY) - clock.now()) / clock.speed
    if (wait <= 0) schedule.take()?.run().catch(onError)
    else await sleep(Math.min(wait, LONGEST_SLEEP_MS), undefined, { signal: stop }).catch(() => undefined)
  }
}
