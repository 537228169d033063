import { KeepsealError } from '../../shared/errors.ts'
import { withBound } from './bound.ts'
import type { NativeArgument, NativeFunction } from './library.ts'

/** A C function that runs on a thread of its own. */
export interface NativeCall {
  /** Its result code; rejects with KeepsealError `tpm.unavailable` when the bound has passed. */
  readonly rc: Promise<number>
  /** Settles when the C function has really returned, which may be long after the bound. Never rejects. */
  readonly finished: Promise<void>
}

/**
 * Starts `run`. A C function cannot be interrupted: after the bound the caller goes on without it, and must leave
 * alone everything that it works on until it has finished. While one hangs, process.exit() hangs with it: a
 * watchdog has to use SIGKILL.
 */
export function startCall(
  name: string,
  run: NativeFunction,
  parameters: readonly NativeArgument[],
  boundMs: number,
): NativeCall {
  const returned = new Promise<number>((resolve, reject) => {
    run.async(...parameters, (error, rc) => {
      void parameters // Keeps the memory that C works on alive until here.
      if (error === null || error === undefined) resolve(Number(rc))
      else reject(new KeepsealError('internal.failure', name, { cause: error }))
    })
  })
  return { rc: withBound(name, returned, boundMs), finished: returned.then(nothing, nothing) }
}

const nothing = (): void => undefined
