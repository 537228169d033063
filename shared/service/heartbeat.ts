import type { ServiceManager } from './notify.ts'

/** Longer than any measurement takes: an RSA key of a slow chip has a minute, the helper and each command have bounds. */
const STUCK_AFTER_MS = 600_000

export interface Heartbeat {
  /** Runs a piece of work that must end; what does not end stops the heart. */
  during<T>(work: Promise<T>): Promise<T>
  stop(): void
}

/** The time of the process that lives. */
export interface Timing {
  /** ms of a clock that never jumps. */
  monotonic(): number
  /** Acts from the event loop each so many ms; answers with what ends that. */
  every(ms: number, action: () => void): () => void
}

/**
 * Tells the service manager three times in its interval that all is well: the event loop turns, and no work has lasted
 * for too long. After that the service is killed and started again, which frees a thread that hangs, in the TPM say.
 */
export function startHeartbeat(manager: ServiceManager, { monotonic, every }: Timing): Heartbeat {
  const begun = new Map<symbol, number>()
  const beat = (): void => {
    const now = monotonic()
    if ([...begun.values()].every((since) => now - since < STUCK_AFTER_MS)) manager.tell('WATCHDOG=1')
  }
  const end = manager.watchdogMs === undefined ? () => undefined : every(manager.watchdogMs / 3, beat)
  return {
    async during(work) {
      const id = Symbol('work')
      begun.set(id, monotonic())
      try {
        return await work
      } finally {
        begun.delete(id)
      }
    },
    stop: end,
  }
}
