import { KeepsealError } from '../../shared/errors.ts'
import { MAX_LABELS, type Labels } from '../model/labels.ts'
import type { Store } from '../store/index.ts'

export interface LabelChange {
  readonly set: Labels
  readonly remove: readonly string[]
}

/** Takes away first. What the device has then. Error: request.invalid when that is too many; then nothing is changed. */
export async function labelDevice(store: Store, deviceId: number, { set, remove }: LabelChange): Promise<Labels> {
  const before = (await store.deviceLabels.of([deviceId])).get(deviceId) ?? {}
  const kept = Object.fromEntries(Object.entries(before).filter(([key]) => !remove.includes(key)))
  const after = { ...kept, ...set }
  if (Object.keys(after).length > MAX_LABELS) {
    throw new KeepsealError('request.invalid', `a device has at most ${MAX_LABELS} labels`)
  }
  await store.deviceLabels.remove(deviceId, remove)
  await store.deviceLabels.set(deviceId, set)
  return after
}
