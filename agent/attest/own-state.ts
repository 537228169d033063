import { HELD_RESULT, REPORT_INTERVAL, type State, type StateScalar } from '../../shared/evidence/state.ts'
import type { Unsent } from '../outbox/open.ts'
import type { Usage } from '../self/usage.ts'
import type { SocketSampler } from '../sensors/sockets/sampler.ts'

interface OwnState {
  readonly restarts: number | null
  readonly unsent: Unsent
  readonly sampler: SocketSampler
  /** Number of the newest result that the device holds; 0 before the first. */
  readonly result: number
  readonly statedInterval: number | null
  /** Seconds: how old the answer of the privileged helper is. */
  readonly helperAge: number
}

/** What changes from one report to the next: counts of what goes on between them, and of the agent itself. */
export function ownState(
  { restarts, unsent, sampler, result, statedInterval, helperAge }: OwnState,
  { cpuMs, bytesSent }: Usage,
): State {
  const { outbox } = unsent
  return new Map<string, StateScalar>([
    ...Object.entries(sampler.measured()),
    ['outbox.waiting', outbox.entries.length],
    ['outbox.dropped', outbox.droppedCount],
    ['outbox.refused', outbox.refusedCount],
    ['agent.rss-kib', Math.round(process.memoryUsage.rss() / 1024)],
    ['agent.cpu-ms', cpuMs],
    ['agent.bytes-sent', bytesSent],
    ...(restarts === null ? [] : [['agent.restarts', restarts] as const]),
    ...(helperAge === 0 ? [] : [['agent.helper-age', helperAge] as const]),
    ...(statedInterval === null ? [] : [[REPORT_INTERVAL, statedInterval] as const]),
    ...(result === 0 ? [] : [[HELD_RESULT, result] as const]),
  ])
}
