import { hash } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { PostureMap } from '../../shared/evidence/claims.ts'
import { postureDigestOf } from '../../shared/evidence/posture-digest.ts'
import type { State, StateScalar } from '../../shared/evidence/state.ts'
import type { EncodedSection } from '../../shared/posture/canonical.ts'
import type { SectionId } from '../../shared/posture/sections.ts'
import type { Helper } from '../measure/client/helper.ts'
import { measurementsOf } from '../measure/client/measurements.ts'
import { readBootIdentity } from '../sensors/boot-identity.ts'
import type { Host } from '../sensors/host.ts'
import { measureAll, SENSORS, type Measurement } from '../sensors/registry.ts'
import { sendable } from '../sensors/sendable.ts'
import type { Sensor } from '../sensors/sensor.ts'

/** What the sensors found, in the form in which it is claimed. */
export interface MeasuredPosture {
  readonly sections: ReadonlyMap<SectionId, EncodedSection>
  readonly posture: PostureMap
  /** SHA-256 of the encoded posture map. */
  readonly postureDigest: Uint8Array
  /** What differs from unit to unit or from report to report. */
  readonly state: State
  /** For people: doctor and `once --print`. */
  readonly measurements: ReadonlyMap<SectionId, Measurement>
  readonly bootId: Uint8Array
  readonly uptimeSeconds: number
}

/**
 * Asks the helper, and runs every sensor whose reading does not come from it. Throws only where the machine cannot
 * even tell its boots apart.
 */
export async function measurePosture(
  host: Host,
  helper: Pick<Helper, 'sections'>,
  sensors: readonly Sensor[] = SENSORS,
): Promise<MeasuredPosture> {
  // The helper is a process of its own: where there is another core, both measure at the same time.
  const [asked, own] = await Promise.all([
    helper.sections(),
    measureAll(
      host,
      sensors.filter(({ privileged }) => privileged !== true),
    ),
  ])
  const others = await measureAll(
    host,
    sensors.filter(({ privileged }) => privileged === true),
    measurementsOf(asked),
  )
  const measurements = new Map<SectionId, Measurement>()
  for (const { section } of sensors) {
    const measurement = own.get(section) ?? others.get(section)
    if (measurement !== undefined) measurements.set(section, measurement)
  }
  const sections = new Map<SectionId, EncodedSection>()
  const state = new Map<string, StateScalar>([['agent.helper', asked.status === 'answered' ? 'used' : asked.status]])
  if (asked.status === 'answered') state.set('agent.helper-cpu-ms', asked.answer.cpuMs)
  for (const [id, measurement] of measurements) {
    const { reading, encoded } = sendable(id, measurement.reading)
    measurements.set(id, { ...measurement, reading })
    sections.set(id, encoded)
    if (reading.status === 'measured')
      for (const [key, value] of Object.entries(reading.state ?? {})) state.set(key, value)
  }
  const posture = new Map([...sections].map(([id, { digest }]) => [id, new Uint8Array(digest)] as const))
  const boot = readBootIdentity(host)
  if (!('value' in boot.bootId)) {
    throw new KeepsealError('state.unreadable', '/proc/sys/kernel/random/boot_id', {
      remedy: 'Give the agent read access to /proc.',
    })
  }
  return {
    sections,
    posture,
    postureDigest: postureDigestOf(posture, hash),
    state,
    measurements,
    bootId: boot.bootId.value,
    uptimeSeconds: 'value' in boot.uptimeSeconds ? boot.uptimeSeconds.value : 0,
  }
}
