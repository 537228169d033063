import type { Bundle } from '../../../shared/posture/sections/packages.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import type { BundleReading } from './bundles.ts'

/** Where snaps are mounted: on Ubuntu, and on distributions that have no directory of their own for them. */
const MOUNTS = ['/snap', '/var/lib/snapd/snap'] as const
const MAX_ENTRIES = 4096

export const SNAP_READS = MOUNTS.map((mount) => `${mount}/*/current`).join(' or ')

/** The revision that each snap's link `current` names: a number, or `x` and a number for one from a local file. */
export function readSnap(host: Host): BundleReading {
  for (const mount of MOUNTS) {
    const names = host.readDirectory(mount, MAX_ENTRIES)
    if (names.status === 'absent') continue
    if (names.status !== 'found') return names
    const bundles: Bundle[] = []
    let isPartial = false
    for (const name of names.value) {
      const current = host.readLink(`${mount}/${name}/current`)
      if (current.status === 'found') {
        bundles.push({ name: printable(name, 256), version: printable(`revision ${current.value}`, 256) })
      } else isPartial ||= current.status !== 'absent'
    }
    return { status: 'read', bundles, isPartial }
  }
  return { status: 'absent' }
}
