import { downtimeBetween, momentBefore, type Downtime } from '../liveness/downtime.ts'
import type { DeviceState, Liveness } from '../model/device.ts'
import type { LivenessDeadlines } from '../store/due.ts'

export interface LivenessPolicy {
  /** How often devices are expected to report. */
  readonly intervalMs: number
  readonly staleIntervals: number
  readonly silentAfterMs: number
  /** By how much the collector's own downtime lets a device be called fresh for longer, at most. */
  readonly maxExtensionMs: number
}

export const defaultLivenessPolicy: LivenessPolicy = {
  intervalMs: 300_000,
  staleIntervals: 2,
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

const freshForMs = ({ staleIntervals, intervalMs }: LivenessPolicy): number => staleIntervals * intervalMs

/**
 * How long ago fresh evidence arrived, as a word. Computed by every reader from what is stored, so that it needs no
 * timer and survives restarts. An axis of its own: it changes no verdict and clears no failure.
 */
export function livenessOf(
  { lastFreshAt, freshExtended }: Pick<DeviceState, 'lastFreshAt' | 'freshExtended'>,
  { policy, now, downtime }: LivenessTime,
): SeenLiveness {
  if (lastFreshAt === null) return { liveness: 'never-seen', extended: false }
  const limit = freshForMs(policy)
  const age = now - lastFreshAt
  // An arrival in the future means that this clock was wrong then or is wrong now: that says neither fresh nor silent.
  if (age < -limit) return { liveness: 'stale', extended: false }
  if (age <= limit) return { liveness: 'fresh', extended: freshExtended }
  const unseen = downtimeBetween(downtime, lastFreshAt, now)
  if (age <= limit + Math.min(unseen, policy.maxExtensionMs)) return { liveness: 'fresh', extended: true }
  return { liveness: age - unseen > policy.silentAfterMs ? 'silent' : 'stale', extended: false }
}

/** Until when evidence that arrived at `lastFreshAt` makes a device fresh, by what is known now. */
export const freshUntil = (lastFreshAt: number, { policy, now, downtime }: LivenessTime): number =>
  lastFreshAt + freshForMs(policy) + Math.min(downtimeBetween(downtime, lastFreshAt, now), policy.maxExtensionMs)

/**
 * What is older than these moments has passed a deadline by the time in which somebody was there to see evidence: what
 * people are told of, however long the collector itself was away.
 */
export function deadlinesAt({ policy, now, downtime }: LivenessTime): LivenessDeadlines {
  const silent = momentBefore(downtime, now, policy.silentAfterMs)
  return { stale: momentBefore(downtime, now, freshForMs(policy)), silent, neverSeen: silent }
}
