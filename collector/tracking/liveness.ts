import { downtimeBetween, momentBefore, type Downtime } from '../liveness/downtime.ts'
import type { DeviceState, Liveness } from '../model/device.ts'
import type { LivenessDeadlines } from '../store/due.ts'
import { COUNTED_INTERVALS } from './report-interval.ts'

export interface LivenessPolicy {
  /** How often devices are expected to report. */
  readonly intervalMs: number
  readonly staleIntervals: number
  /** Longer ones are not believed of a device that says that it reports less often than `intervalMs`. */
  readonly longestIntervalMs: number
  readonly silentAfterMs: number
  /** By how much the collector's own downtime lets a device be called fresh for longer, at most. */
  readonly maxExtensionMs: number
}

export const defaultLivenessPolicy: LivenessPolicy = {
  intervalMs: 300_000,
  staleIntervals: 2,
  longestIntervalMs: 3_600_000,
  silentAfterMs: 86_400_000,
  maxExtensionMs: 3_600_000,
}

/** By what liveness is judged: the policy, the time, and when nobody was there. */
export interface LivenessTime {
  readonly policy: LivenessPolicy
  readonly now: number
  readonly downtime: Downtime
}

export interface SeenLiveness {
  readonly liveness: Liveness
  /** It is called fresh only because the collector's own downtime is nobody's silence. */
  readonly extended: boolean
}

/** `reportInterval`: in seconds, by the word of the agent; null where that is as often as is usual. */
function freshForMs(policy: LivenessPolicy, reportInterval: number | null): number {
  const { staleIntervals, intervalMs, longestIntervalMs, silentAfterMs } = policy
  const stated = Math.min((reportInterval ?? 0) * 1000, longestIntervalMs)
  // Whatever an agent says, it is silent when the others are.
  return Math.max(staleIntervals * intervalMs, Math.min(staleIntervals * stated, silentAfterMs))
}

/**
 * How long ago fresh evidence arrived, as a word. Computed by every reader from what is stored, so that it needs no
 * timer and survives restarts. An axis of its own: it changes no verdict and clears no failure.
 */
export function livenessOf(
  { lastFreshAt, freshExtended, reportInterval }: Pick<DeviceState, 'lastFreshAt' | 'freshExtended' | 'reportInterval'>,
  { policy, now, downtime }: LivenessTime,
): SeenLiveness {
  if (lastFreshAt === null) return { liveness: 'never-seen', extended: false }
  const limit = freshForMs(policy, reportInterval)
  const age = now - lastFreshAt
  // An arrival in the future means that this clock was wrong then or is wrong now: that says neither fresh nor silent.
  if (age < -limit) return { liveness: 'stale', extended: false }
  if (age <= limit) return { liveness: 'fresh', extended: freshExtended }
  const unseen = downtimeBetween(downtime, lastFreshAt, now)
  if (age <= limit + Math.min(unseen, policy.maxExtensionMs)) return { liveness: 'fresh', extended: true }
  return { liveness: age - unseen > policy.silentAfterMs ? 'silent' : 'stale', extended: false }
}

/** Until when its newest evidence, or what arrives now, makes a device fresh, by what is known now. */
export function freshUntil(
  { lastFreshAt, reportInterval }: Pick<DeviceState, 'lastFreshAt' | 'reportInterval'>,
  { policy, now, downtime }: LivenessTime,
): number {
  const from = lastFreshAt ?? now
  return (
    from + freshForMs(policy, reportInterval) + Math.min(downtimeBetween(downtime, from, now), policy.maxExtensionMs)
  )
}

/**
 * What is older than these moments has passed a deadline by the time in which somebody was there to see evidence: what
 * people are told of, however long the collector itself was away.
 */
export function deadlinesAt({ policy, now, downtime }: LivenessTime): LivenessDeadlines {
  const silent = momentBefore(downtime, now, policy.silentAfterMs)
  const staleFor = (reportInterval: number | null): number =>
    momentBefore(downtime, now, freshForMs(policy, reportInterval))
  const rare = COUNTED_INTERVALS.filter((seconds) => seconds * 1000 > policy.intervalMs)
  const staleAt = rare.map((reportInterval) => ({ reportInterval, before: staleFor(reportInterval) }))
  return { stale: staleFor(null), staleAt, silent, neverSeen: silent }
}
