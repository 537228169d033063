import type { CollectorConfig } from '../config/options.ts'
import type { LivenessPolicy } from '../tracking/liveness.ts'

export function livenessPolicyOf({ liveness, freshness }: CollectorConfig): LivenessPolicy {
  return {
    intervalMs: liveness.reportIntervalSeconds * 1000,
    staleIntervals: liveness.staleIntervals,
    longestIntervalMs: liveness.longestIntervalSeconds * 1000,
    silentAfterMs: liveness.silentAfterSeconds * 1000,
    maxExtensionMs: freshness.maxExtensionSeconds * 1000,
  }
}
