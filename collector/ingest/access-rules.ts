import { isUeid, type Ueid } from '../../shared/evidence/identifiers.ts'
import {
  allDevicesFilter,
  downTopic,
  epochTopic,
  parseUpstreamTopic,
  restorePointTopic,
  successionTopic,
} from '../../shared/evidence/topics.ts'

/** What a device may do at the broker. deploy/mosquitto/acl says the same to mosquitto, and a test compares them. */

export function mayPublish(ueid: Ueid, topic: string, retain: boolean): boolean {
  return !retain && parseUpstreamTopic(topic)?.ueid === ueid
}

export function maySubscribe(ueid: Ueid, filter: string): boolean {
  return [allDevicesFilter, epochTopic, restorePointTopic, successionTopic, downTopic(ueid)].includes(filter)
}

/** The device that a client certificate is for: its common name, and nothing else in its subject. */
export function ueidOfSubject(subject: unknown): Ueid | undefined {
  if (typeof subject !== 'object' || subject === null || !('CN' in subject)) return undefined
  const { CN: name } = subject
  return typeof name === 'string' && isUeid(name) ? name : undefined
}
