import { isUeid, type Ueid } from './identifiers.ts'

/** What a device may publish (after draft-ietf-rats-reference-interaction-models, "Streaming with a broker"). */
export type UpstreamKind = 'evidence' | 'section' | 'presence'

const ROOT = 'keepseal/v1'

export const epochTopic = `${ROOT}/epoch`

/** Retained for as long as the collector lives: some devices are offline for a year. */
export const restorePointTopic = `${ROOT}/restore-point`

/** Retained as well, once there is one: how the collector's key, authorities and addresses have followed one another. */
export const successionTopic = `${ROOT}/succession`

/** Whatever is retained for all devices, and nothing else: what is for one of them is a level deeper. */
export const allDevicesFilter = `${ROOT}/+`

export const upstreamTopic = (ueid: Ueid, kind: UpstreamKind): string => `${ROOT}/${ueid}/${kind}`

/** Receipts and requests from the collector to one device. */
export const downTopic = (ueid: Ueid): string => `${ROOT}/${ueid}/down`

/** What a collector subscribes to. `group` names a shared subscription, so that replicas divide the messages. */
export function upstreamFilter(kind: UpstreamKind, group?: string): string {
  const filter = `${ROOT}/+/${kind}`
  return group === undefined ? filter : `$share/${group}/${filter}`
}

export interface UpstreamTopic {
  readonly ueid: Ueid
  readonly kind: UpstreamKind
}

/** Undefined for anything that no device may publish to. */
export function parseUpstreamTopic(topic: string): UpstreamTopic | undefined {
  const parts = topic.split('/')
  const [root, version, ueid, kind] = parts
  if (parts.length !== 4 || `${root}/${version}` !== ROOT || ueid === undefined || !isUeid(ueid)) return undefined
  if (kind !== 'evidence' && kind !== 'section' && kind !== 'presence') return undefined
  return { ueid, kind }
}
