import type { ErrorCode } from '../../shared/codes/errors.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { Log } from '../log.ts'

/** How long to wait at first for what somebody has to do, or what heals by itself, and at most. */
const FIRST_PAUSE_MS = 30_000
const LONGEST_PAUSE_MS = 600_000

export interface Patience {
  readonly log: Log
  /** Told of each reason to wait, once, with the code of an error that is one. */
  readonly waiting: (why: string, code?: ErrorCode) => void | Promise<void>
  /** Resolves after that time, or at once with false when the service is to stop. */
  readonly pause: (ms: number) => Promise<boolean>
}

export type Attempt<T> = { readonly done: T } | { readonly wait: string; readonly code?: ErrorCode }

/**
 * Tries until it is done; undefined when the service is stopped before. A service that ended instead would be started
 * again and again, and say the same each time: here each reason is logged once. What is no KeepsealError is a fault of
 * this software, and thrown.
 */
export async function patiently<T>(
  attempt: () => Promise<Attempt<T>>,
  { log, waiting, pause }: Patience,
): Promise<T | undefined> {
  let told: string | undefined
  let pauseMs = FIRST_PAUSE_MS
  for (;;) {
    const result = await attempt().catch((error: unknown) => reasonOf(error))
    if ('done' in result) return result.done
    if (result.wait !== told) {
      log.warn(result.wait)
      await waiting(result.wait, result.code)
      told = result.wait
      pauseMs = FIRST_PAUSE_MS
    }
    if (!(await pause(pauseMs))) return undefined
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }
}

function reasonOf(error: unknown): { readonly wait: string; readonly code: ErrorCode } {
  if (error instanceof KeepsealError) return { wait: `${error.message}. ${error.remedy}`, code: error.code }
  throw error
}
