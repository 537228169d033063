/** The axes whose history is kept. */
export const TRANSITION_AXES = ['enrolment', 'verdict', 'latch', 'liveness'] as const
export type TransitionAxis = (typeof TRANSITION_AXES)[number]

/** A device became something else on one axis: told once, in the transaction in which it did. */
export interface Transition {
  readonly deviceId: number
  /** ms since 1970. */
  readonly at: number
  readonly axis: TransitionAxis
  /** null: it did not exist before. */
  readonly from: string | null
  readonly to: string
  /** Code of the outcome or finding that it stands on, or who decided; null where there is nothing to say. */
  readonly cause: string | null
}
