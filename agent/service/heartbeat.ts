import type { ServiceManager } from './notify.ts'

/** Longer than any measurement takes: an RSA key of a slow chip has a minute, the helper and each command have bounds. */
const STUCK_AFTER_MS = 600_000

export interface Heartbeat {
  /** Runs a piece of work that must end; what does not end stops the heart. */
  during<T>(work: Promise<T>): Promise<T>
  stop(): void
}

/**
 * Tells the service manager three times in its interval that all is well: the event loop turns, and no work has lasted
 * for too long. After that the service is killed and started again, which frees a thread that hangs in the TPM.
 */
export function startHeartbeat(manager: ServiceManager, monotonic: () => number): Heartbeat {
  const begun = new Map<symbol, number>()
  const beat = (): void => {
    const now = monotonic()
    if ([...begun.values()].every((since) => now - since < STUCK_AFTER_MS)) manager.tell('WATCHDOG=1')
  }
  const timer = manager.watchdogMs === undefined ? undefined : setInterval(beat, manager.watchdogMs / 3)
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
    stop: () => clearInterval(timer),
  }
}
