import type { OutcomeCode } from '../codes/outcomes.ts'

/** Why a replayed log does not say what it would have to say. A list of these is never read as success when empty. */
export interface EventLogProblem {
  readonly code: Extract<OutcomeCode, `eventlog.${string}`>
  readonly pcr: number
  /** The event at fault; absent where one is missing. */
  readonly sequence?: number
  readonly detail?: string
}
