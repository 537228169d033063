import type { HelperMeasurements } from '../../sensors/registry.ts'
import type { Reading } from '../../sensors/sensor.ts'
import type { HelperReading, SectionsAnswer } from '../answer.ts'
import type { Asked } from './asked.ts'

/** What of a helper's answer takes the place of the agent's own readings; nothing where there is no good answer. */
export function measurementsOf(asked: Asked<SectionsAnswer>): HelperMeasurements {
  if (asked.status !== 'answered') return new Map()
  return new Map(asked.answer.readings.map((one) => [one.section, { reading: toReading(one), cpuMs: one.cpuMs }]))
}

function toReading({ reading, state, detail }: HelperReading): Reading {
  switch (reading.status) {
    case 'measured':
      return { ...reading, state: Object.fromEntries(state) }
    case 'not-supported':
      return reading
    default:
      return { ...reading, detail }
  }
}
