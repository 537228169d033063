import type { Reading } from '../../agent/sensors/sensor.ts'
import type { SectionReading } from '../../shared/posture/reading.ts'
import type { SectionId } from '../../shared/posture/sections.ts'
import { appraisalOf, approvalOf, deviationsOf } from './appraising.ts'
import { GOOD_READINGS, SoftwareDevice } from './software-device.ts'

/** The findings, as `code subject`, of a device that was approved with one reading of a section and now has another. */
export async function findingsBetween<S extends SectionId>(
  section: S,
  before: Reading<S>,
  after: Reading<S>,
): Promise<string[]> {
  const device = new SoftwareDevice({ tpm: null })
  device.readings = { ...GOOD_READINGS, [section]: before as SectionReading<S> }
  const approved = approvalOf(device)
  const old = device.contents
  device.readings = { ...GOOD_READINGS, [section]: after as SectionReading<S> }
  const contents = new Map([...old, ...device.contents])
  return deviationsOf(appraisalOf(device, (await device.report()).bytes, { approved, contents }))
}
