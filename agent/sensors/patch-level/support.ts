import type { Observation } from '../../../shared/posture/observation.ts'
import type { Support } from '../../../shared/posture/sections/patch-level.ts'
import { supportDatesOf } from '../../../shared/posture/support-dates.ts'
import type { Host } from '../host.ts'
import { readOsRelease } from '../os-release.ts'

/** Until when the distribution gets security updates: by its own word, else by the table. */
export function readSupport(host: Host): Observation<Support> {
  const file = readOsRelease(host)
  if ('missing' in file) return file
  const own = file.value.get('SUPPORT_END')
  if (own !== undefined && own !== '') {
    // os-release(5): YYYY-MM-DD.
    return /^\d{4}-\d{2}-\d{2}$/.test(own) ? { value: { end: own, source: 'os-release' } } : { missing: 'malformed' }
  }
  const dates = supportDatesOf(file.value.get('ID') ?? 'linux', file.value.get('VERSION_ID') ?? '')
  return dates === undefined ? { missing: 'absent' } : { value: { ...dates, source: 'table' } }
}
