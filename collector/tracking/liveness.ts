import type { DeviceState, Liveness } from '../model/device.ts'

export interface LivenessPolicy {
  /** How often devices are expected to report. */
  readonly intervalMs: number
  readonly staleIntervals: number
  readonly silentAfterMs: number
}

export const defaultLivenessPolicy: LivenessPolicy = {
  intervalMs: 300_000,
  staleIntervals: 2,
  silentAfterMs: 86_400_000,
}

/**
 * How long ago fresh evidence arrived, as a word. Computed by every reader from what is stored, so that it needs no
 * timer and survives restarts. An axis of its own: it changes no verdict and clears no failure.
 */
export function livenessOf(state: Pick<DeviceState, 'lastFreshAt'>, policy: LivenessPolicy, now: number): Liveness {
  if (state.lastFreshAt === null) return 'never-seen'
  // An arrival in the future means that this clock was wrong then or is wrong now: just as unknown as a long silence.
  const age = Math.abs(now - state.lastFreshAt)
  if (age > policy.silentAfterMs) return 'silent'
  return age > policy.staleIntervals * policy.intervalMs ? 'stale' : 'fresh'
}
