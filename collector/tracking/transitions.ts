import type { DeviceState } from '../model/device.ts'
import type { Transition, TransitionAxis } from '../model/transition.ts'
import type { Store } from '../store/index.ts'

type Axes = Pick<DeviceState, 'verdict' | 'latch' | 'liveness'>

const AXES = ['verdict', 'latch', 'liveness'] as const satisfies readonly TransitionAxis[]

/** What differs on each axis, with its cause. */
export function transitionsBetween(
  deviceId: number,
  before: Axes,
  after: Axes,
  { at, cause }: { readonly at: number; readonly cause: (axis: TransitionAxis) => string | null },
): readonly Transition[] {
  return AXES.flatMap((axis) =>
    before[axis] === after[axis]
      ? []
      : [{ deviceId, at, axis, from: before[axis], to: after[axis], cause: cause(axis) }],
  )
}

/** Causes of what evidence brought about: the code that the verdict stands on; liveness returns by evidence itself. */
export const byEvidence =
  (code: string | null) =>
  (axis: TransitionAxis): string | null =>
    axis === 'liveness' ? 'evidence' : code

export async function recordEnrolment(
  store: Store,
  deviceId: number,
  { from, to, at, cause }: Omit<Transition, 'deviceId' | 'axis'>,
): Promise<void> {
  if (from !== to) await store.transitions.append([{ deviceId, at, axis: 'enrolment', from, to, cause }])
}
