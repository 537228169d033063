import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import type { Labels } from '../../model/labels.ts'
import { MAX_LABELS } from '../../model/labels.ts'
import type { DeviceFilter } from '../../store/devices.ts'
import type { Store } from '../../store/index.ts'
import { id, Name } from '../schemas.ts'
import { Enrolments, Verdicts } from './device-json.ts'

export const LabelKey = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9._/-]{0,62}$/, 'a lower-case word of at most 63 letters, digits and . _ / -'),
)
const LabelValue = v.pipe(Name, v.maxLength(63))
export const LabelMap = v.pipe(
  v.record(LabelKey, LabelValue),
  v.check((labels) => Object.keys(labels).length <= MAX_LABELS, `at most ${MAX_LABELS} labels`),
)

/** `key=value`, as it stands in a query: `label=site%3Dplant-7`. */
const LabelText = v.pipe(
  v.string(),
  v.check((text) => v.safeParse(LabelMap, parsed(text)).success, 'key=value'),
)

function parsed(text: string): Labels {
  const at = text.indexOf('=')
  return { [text.slice(0, at)]: text.slice(at + 1) }
}

/** What a list of devices can be asked for, beside its page. */
export const deviceQuery = {
  productId: v.optional(id('prd')),
  enrolment: v.optional(Enrolments),
  verdict: v.optional(Verdicts),
  /** Devices that have this label, or all of these. */
  label: v.optional(v.union([LabelText, v.pipe(v.array(LabelText), v.maxLength(8))])),
  groupId: v.optional(id('grp')),
  /** Devices that conform to this release. */
  releaseId: v.optional(id('rel')),
}

export type DeviceQuery = v.InferOutput<ReturnType<typeof asObject>>
const asObject = () => v.strictObject(deviceQuery)

/** Error: request.not-found where the group is none. */
export async function deviceFilter(store: Store, query: DeviceQuery): Promise<DeviceFilter> {
  const { label = [], groupId, ...same } = query
  const group = groupId === undefined ? undefined : await existingGroup(store, groupId)
  const asked = [label].flat().map((text) => Object.entries(parsed(text)))
  return { ...same, labels: [...asked.flat(), ...Object.entries(group?.labels ?? {})] }
}

export async function existingGroup(store: Store, groupId: string) {
  const group = await store.deviceGroups.byId(groupId)
  if (group === undefined) throw new KeepsealError('request.not-found', `group ${groupId}`)
  return group
}
