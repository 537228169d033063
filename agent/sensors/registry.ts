import { setImmediate } from 'node:timers/promises'
import type { SectionId } from '../../shared/posture/sections.ts'
import { accessSensor } from './access.ts'
import { agentSensor } from './agent.ts'
import { bootSensor } from './boot.ts'
import { hardeningSensor } from './hardening.ts'
import { firewallSensor } from './firewall.ts'
import type { Host } from './host.ts'
import { operationsSensor } from './operations.ts'
import { packagesSensor } from './packages.ts'
import { patchLevelSensor } from './patch-level.ts'
import { SensorFailure, type Reading, type Sensor } from './sensor.ts'
import { socketsSensor } from './sockets.ts'
import { systemSensor } from './system.ts'
import { tpmSensor } from './tpm.ts'
import { updateChannelSensor } from './update-channel.ts'

/** All sensors, one for each section. */
export const SENSORS: readonly Sensor[] = [
  bootSensor,
  tpmSensor,
  socketsSensor,
  packagesSensor,
  patchLevelSensor,
  systemSensor,
  updateChannelSensor,
  hardeningSensor,
  operationsSensor,
  firewallSensor,
  accessSensor,
  agentSensor,
]

export interface Measurement {
  readonly sensor: Sensor
  readonly reading: Reading
  /** Processor time of the process meanwhile: an upper bound of the sensor's own. */
  readonly cpuMs: number
  /** Whether the privileged helper measured it. */
  readonly byHelper: boolean
}

/** What the privileged helper has measured. */
export type HelperMeasurements = ReadonlyMap<SectionId, Pick<Measurement, 'reading' | 'cpuMs'>>

/**
 * Measures every section, one after the other, but for those that `helper` has and sees more of. A sensor that throws becomes a reading with status `failed`; it
 * neither disappears nor keeps the others from being asked. Never rejects.
 */
export async function measureAll(
  host: Host,
  sensors: readonly Sensor[] = SENSORS,
  helper: HelperMeasurements = new Map(),
): Promise<ReadonlyMap<SectionId, Measurement>> {
  const measurements = new Map<SectionId, Measurement>()
  for (const sensor of sensors) {
    const privileged = sensor.privileged === true ? helper.get(sensor.section) : undefined
    if (privileged !== undefined) {
      measurements.set(sensor.section, { sensor, ...privileged, byHelper: true })
      continue
    }
    // Lets MQTT keep-alives and signals through between two sensors.
    await setImmediate()
    const before = host.cpuMs()
    const reading = await measure(sensor, host)
    measurements.set(sensor.section, { sensor, reading, cpuMs: host.cpuMs() - before, byHelper: false })
  }
  return measurements
}

async function measure(sensor: Sensor, host: Host): Promise<Reading> {
  try {
    return await sensor.measure(host)
  } catch (error) {
    if (error instanceof SensorFailure) return error.reading as Reading
    return { status: 'failed', code: 'sensor-fault', detail: error instanceof Error ? error.message : String(error) }
  }
}
