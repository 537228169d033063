import type { Transition } from '../core/types.ts'
import type { DeviceBoot } from '../core/types-face.ts'

export type TimelineEntry =
  | { readonly kind: 'change'; readonly at: string; readonly change: Transition }
  | { readonly kind: 'boot'; readonly at: string; readonly boot: DeviceBoot }

/** Changes and boots in one order, newest first; of what came at the same moment the change stands above its boot. */
export function timelineOf(changes: readonly Transition[], boots: readonly DeviceBoot[]): readonly TimelineEntry[] {
  const entries: TimelineEntry[] = [
    ...changes.map((change) => ({ kind: 'change', at: change.at, change }) as const),
    ...boots.map((boot) => ({ kind: 'boot', at: boot.firstReceivedAt, boot }) as const),
  ]
  return entries.sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
}
