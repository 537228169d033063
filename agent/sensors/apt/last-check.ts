import type { Host } from '../host.ts'
import type { StateScalar } from '../sensor.ts'

const STAMP = '/var/lib/apt/periodic/update-success-stamp'
const LISTS = '/var/lib/apt/lists'
const MAX_LISTS = 8192

/**
 * How long ago apt last asked its sources with success, in seconds, and by what it was told. Without the stamp of the
 * periodic job it is the age of the newest release file, which apt dates as the archive does: an upper bound.
 * Negative where the file's time lies in the future. Nothing if there is no trace of any check.
 */
export function lastCheck(host: Host): Readonly<Record<string, StateScalar>> {
  const stamp = host.stat(STAMP)
  if (stamp.status === 'found') return ageState(host, stamp.value.modified, 'stamp')
  const names = host.readDirectory(LISTS, MAX_LISTS)
  let newest: number | undefined
  for (const name of names.status === 'found' ? names.value : []) {
    if (!name.endsWith('_InRelease') && !name.endsWith('_Release')) continue
    const file = host.stat(`${LISTS}/${name}`)
    if (file.status === 'found') newest = Math.max(newest ?? file.value.modified, file.value.modified)
  }
  return newest === undefined ? {} : ageState(host, newest, 'release-file')
}

const ageState = (host: Host, modified: number, source: string): Readonly<Record<string, StateScalar>> => ({
  'update-channel.last-check-age': host.now() - modified,
  'update-channel.last-check-source': source,
})
