import { measurementsOf } from '../measure/client/measurements.ts'
import { measureAll, SENSORS, type Measurement } from '../sensors/registry.ts'
import type { Sensor } from '../sensors/sensor.ts'
import { good, type Check, type CheckContext, type CheckResult } from './check.ts'
import { helperOf, START_HELPER } from './helper.ts'
import { hiddenFields } from './hidden-fields.ts'

export const sensors: Check = {
  id: 'sensors',
  title: 'Sensors',
  // The check of the TPM asks that itself, perhaps at this moment: a software TPM serves one client at a time.
  run: (context) =>
    checkSensors(
      context,
      SENSORS.filter(({ section }) => section !== 'tpm'),
    ),
}

/** What each of them cannot see, and what to do about it. */
export async function checkSensors(context: CheckContext, asked: readonly Sensor[]): Promise<CheckResult> {
  const answer = await helperOf(context).sections()
  const measurements = [...(await measureAll(context.host, asked, measurementsOf(answer))).values()]
  const start = answer.status === 'absent' ? START_HELPER : 'see what is said about it above'
  const told = measurements.flatMap((one) => tell(one, start) ?? [])
  if (told.length === 0) return good(`all ${measurements.length} measure`)
  const remedies = new Set(told.map(({ remedy }) => remedy))
  return { status: 'warning', detail: told.map(({ text }) => text).join('; '), remedy: [...remedies].join(' ') }
}

function tell({ sensor, reading, byHelper }: Measurement, start: string): { text: string; remedy: string } | undefined {
  const { id } = sensor
  // As far as privileges go: those are the helper's to have, where it sees more, and it was not asked or not there.
  const helps = sensor.privileged === true && !byHelper
  const remedy = helps ? `What takes root is seen by the privileged helper: ${start}.` : `${id}: ${sensor.remedy}`
  if (reading.status === 'measured') {
    const hidden = hiddenFields(reading.content)
    return hidden.length === 0 ? undefined : { text: `${id}: no permission for ${hidden.join(', ')}`, remedy }
  }
  if (reading.status === 'no-permission') return { text: `${id}: no permission for ${reading.detail}`, remedy }
  return { text: `${id}: ${reading.status}`, remedy: `${id}: ${sensor.remedy}` }
}
