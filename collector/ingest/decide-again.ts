import type { QuarantinedMessage } from '../model/quarantine.ts'
import type { Store } from '../store/index.ts'
import type { Handled } from './evidence-handler.ts'
import { processBatch, type IngestDependencies } from './process-batch.ts'
import type { DownPublication } from './receipts.ts'
import { setAside } from './undecided.ts'

/** Tries a message from quarantine again. Gives how it was decided; undefined where it still could not be. */
export type DecideAgain = (message: QuarantinedMessage) => Promise<readonly Handled[] | undefined>

export interface DecideAgainOptions {
  readonly store: Store
  readonly deps: IngestDependencies
  readonly clock: () => number
  readonly onHandled: (handled: Handled) => void
  /** Undefined where there is no way to the devices: they are answered when they send it again. */
  readonly publish: ((publication: DownPublication) => Promise<void>) | undefined
}

/** It is judged as what it was when it arrived: waiting here makes nothing fresher. */
export function decideAgain({ store, deps, clock, onHandled, publish }: DecideAgainOptions): DecideAgain {
  return async ({ id, topic, bytes, receivedAt }) => {
    const message = { topic, bytes, receivedAt }
    try {
      const { handled, publications } = await processBatch(store, [message], deps, clock())
      // Only now: after a crash in between it is found to be held already when it is tried again.
      await store.quarantine.remove(id)
      for (const each of handled) onHandled(each)
      for (const publication of publications) void publish?.(publication).catch(() => undefined)
      return handled
    } catch (error) {
      await setAside(store, [{ message, tries: 1, alone: 0, error }], clock())
      return undefined
    }
  }
}
