import type { Host } from '../host.ts'

/** Of update-notifier-common after each check that succeeded, and of apt's own daily job after its own ones. */
const STAMPS = ['/var/lib/apt/periodic/update-success-stamp', '/var/lib/apt/periodic/update-stamp']
const LISTS = '/var/lib/apt/lists'
const MAX_LISTS = 8192

/**
 * When apt last asked its sources with success, in seconds since 1970, and by what it was told. Without the stamp of
 * the periodic job it is the time of the newest release file, which apt dates as the archive does: not later than the
 * check. Undefined if there is no trace of any check.
 */
export function lastCheck(host: Host): { at: number; source: string } | undefined {
  const stamps = STAMPS.map((path) => host.stat(path)).flatMap((stamp) =>
    stamp.status === 'found' ? [stamp.value.modified] : [],
  )
  if (stamps.length > 0) return { at: Math.max(...stamps), source: 'stamp' }
  const names = host.readDirectory(LISTS, MAX_LISTS)
  let newest: number | undefined
  for (const name of names.status === 'found' ? names.value : []) {
    if (!name.endsWith('_InRelease') && !name.endsWith('_Release')) continue
    const file = host.stat(`${LISTS}/${name}`)
    if (file.status === 'found') newest = Math.max(newest ?? file.value.modified, file.value.modified)
  }
  return newest === undefined ? undefined : { at: newest, source: 'release-file' }
}
