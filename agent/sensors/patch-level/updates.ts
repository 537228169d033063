import type { Host } from '../host.ts'
import { APK_UPDATES_READS, readApkUpdates } from './apk-updates.ts'
import { APT_UPDATES_READS, readAptUpdates } from './apt-updates.ts'
import { DNF_UPDATES_READS } from './dnf-repositories.ts'
import { readDnfUpdates } from './dnf-updates.ts'
import { OPKG_UPDATES_READS, readOpkgUpdates } from './opkg-updates.ts'
import { unknownUpdates, type UpdatesReading } from './updates-reading.ts'

/** In the order of ../packages.ts: the first manager that has a database here is the system's own. */
const READERS = [readAptUpdates, readApkUpdates, readOpkgUpdates, readDnfUpdates] as const

export const UPDATES_READS = [APT_UPDATES_READS, APK_UPDATES_READS, OPKG_UPDATES_READS, DNF_UPDATES_READS].join(', ')

/** Pending updates by what the package manager has downloaded itself. Asks no server and runs no package manager. */
export async function readUpdates(host: Host): Promise<UpdatesReading> {
  for (const read of READERS) {
    const reading = await read(host)
    if (reading !== undefined) return reading
  }
  return unknownUpdates('absent')
}
