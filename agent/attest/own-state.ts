import { HELD_RESULT, type State, type StateScalar } from '../../shared/evidence/state.ts'
import type { Unsent } from '../outbox/open.ts'
import type { Usage } from '../self/usage.ts'
import type { SocketSampler } from '../sensors/sockets/sampler.ts'

interface OwnState {
  readonly restarts: number | null
  readonly unsent: Unsent
  readonly sampler: SocketSampler
  /** Number of the newest result that the device holds; 0 before the first. */
  readonly result: number
}

/** What changes from one report to the next: counts of what goes on between them, and of the agent itself. */
export function ownState({ restarts, unsent, sampler, result }: OwnState, { cpuMs, bytesSent }: Usage): State {
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
    ...(result === 0 ? [] : [[HELD_RESULT, result] as const]),
  ])
}
