import { boundedState } from '../../shared/evidence/state.ts'
import type { SectionReading } from '../../shared/posture/reading.ts'
import type { Host } from '../sensors/host.ts'
import { measureAll, SENSORS, type Measurement } from '../sensors/registry.ts'
import { writable } from '../sensors/sendable.ts'
import type { Sensor } from '../sensors/sensor.ts'
import {
  encodeLogAnswer,
  encodeSectionsAnswer,
  MAX_DETAIL,
  type HelperReading,
  type LogContent,
  type SystemIdentity,
} from './answer.ts'
import { LOGS, type LogProbe, type ProbeId } from './protocol.ts'

/** Reads something of the system and answers with an encoded answer. Changes nothing. */
export type Probe = (host: Host, system: SystemIdentity) => Promise<Uint8Array>

/** All that the helper does. A request names one of these and says nothing more. */
export const PROBES: Readonly<Record<ProbeId, Probe>> = {
  sections: (host, system) => measureSections(host, system, SENSORS),
  'firmware-log': (host, system) => readLog('firmware-log', host, system),
  'measurement-list': (host, system) => readLog('measurement-list', host, system),
}

/** What all sensors find that see more with privileges. */
export async function measureSections(
  host: Host,
  system: SystemIdentity,
  sensors: readonly Sensor[],
): Promise<Uint8Array> {
  const measurements = await measureAll(
    host,
    sensors.filter(({ privileged }) => privileged === true),
  )
  const readings = [...measurements.values()].map(toReading)
  return encodeSectionsAnswer({ ...system, cpuMs: totalCpuMs(host), readings })
}

/** Whether it is what a section may hold is for the agent to see, which does not believe it anyway. */
function toReading({ sensor: { section }, reading: measured, cpuMs }: Measurement): HelperReading {
  const { reading, encoded } = writable(section, measured)
  const state = boundedState(Object.entries(reading.status === 'measured' ? (reading.state ?? {}) : {}))
  const detail = 'detail' in reading ? reading.detail.slice(0, MAX_DETAIL).replace(/\p{Surrogate}|^\ufeff/gu, '?') : ''
  return { section, reading: reading as SectionReading, bytes: encoded.bytes, state, cpuMs: Math.round(cpuMs), detail }
}

async function readLog(probe: LogProbe, host: Host, system: SystemIdentity): Promise<Uint8Array> {
  const { path, maxBytes } = LOGS[probe]
  const file = host.readFile(path, maxBytes)
  const log: LogContent =
    file.status === 'found' ? { status: file.status, content: file.value } : { status: file.status }
  return encodeLogAnswer(probe, { ...system, cpuMs: totalCpuMs(host), log })
}

/** The unit of times in /proc, USER_HZ of proc(5): 100 a second on every architecture that Node runs on. */
const MS_PER_TICK = 10

/** Of this process and of the commands that it has waited for: cutime and cstime of proc_pid_stat(5). */
function totalCpuMs(host: Host): number {
  const stat = host.readText('/proc/self/stat', 4096)
  const own = Math.round(host.cpuMs())
  if (stat.status !== 'found') return own
  // The name of the program, in parentheses, may hold anything; the third field follows it.
  const fields = stat.value.slice(stat.value.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[16 - 3]) + Number(fields[17 - 3])
  return Number.isSafeInteger(ticks) && ticks >= 0 ? own + ticks * MS_PER_TICK : own
}
