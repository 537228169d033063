import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { CLOCK_TOLERANCE_MS } from './clock-guard.ts'

/** This program did not exist before: a clock that says so has lost its battery, or was never set. */
export const EARLIEST_MS = Date.UTC(2026, 0, 1)

const LOOK_MS = 1_000
const SAY_AGAIN_MS = 60_000

export interface PlausibilityOptions {
  /** ms since 1970: the clock of the machine. */
  readonly wall: () => number
  /** The latest moment that any collector has written down; null before the first. */
  readonly newest: () => Promise<number | null>
  /** Somebody has looked: what the database knows of later was written by a clock that was wrong. */
  readonly isRight: boolean
  readonly logger: Pick<Logger, 'error' | 'warn'>
  readonly signal?: AbortSignal | undefined
  readonly lookMs?: number
}

export interface Implausible {
  /** The time cannot be earlier. ms since 1970. */
  readonly notBefore: number
}

/** Undefined for a clock that nothing stands against. A later time than any before is no reason: nobody was there. */
async function implausible({ wall, newest, isRight }: PlausibilityOptions): Promise<Implausible | undefined> {
  const known = isRight ? null : await newest()
  const notBefore = Math.max(EARLIEST_MS, known === null ? 0 : known - CLOCK_TOLERANCE_MS)
  return wall() < notBefore ? { notBefore } : undefined
}

/**
 * Resolves when the clock can be right. Until then nothing is taken in, judged, issued or removed: by a clock of before,
 * tokens that are over would hold again, old evidence would be fresh, and nobody silent. Rejects when it is aborted.
 */
export async function untilPlausible(
  options: PlausibilityOptions,
  onWait: (found: Implausible | undefined) => void,
): Promise<void> {
  const { wall, logger, signal, lookMs = LOOK_MS } = options
  let sayAt = Number.NEGATIVE_INFINITY
  let hasWaited = false
  for (;;) {
    const found = await implausible(options)
    onWait(found)
    if (found === undefined) {
      if (hasWaited) logger.warn('the clock of this machine can be right now: the collector starts')
      return
    }
    hasWaited = true
    if (performance.now() - sayAt >= SAY_AGAIN_MS) {
      sayAt = performance.now()
      const remedy =
        'set the clock right, it is waited for; if it is right, and was wrong before: keepseal-collector serve --clock-is-right'
      const about = { clock: toText(wall()), notBefore: toText(found.notBefore), remedy }
      logger.error(
        about,
        'the clock of this machine cannot be right: the collector waits, and devices keep what they have',
      )
    }
    await sleep(lookMs, undefined, { signal })
  }
}

const toText = (ms: number): string => new Date(ms).toISOString()
