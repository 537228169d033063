import type { Bundle } from '../../../shared/posture/sections/packages.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import { Unchanged } from '../unchanged.ts'
import type { BundleReading } from './bundles.ts'

const ROOT = '/var/lib/flatpak'
/** flatpak touches it with every change of the installation. */
const CHANGED = `${ROOT}/.changed`
const KINDS = ['app', 'runtime'] as const
const MAX_ENTRIES = 4096

export const FLATPAK_READS = KINDS.map((kind) => `${ROOT}/${kind}/*/*/*/active`).join(', ')

const kept = new Unchanged<BundleReading>()

/** The system's applications and runtimes: ID/ARCHITECTURE/BRANCH, whose link `active` names the commit. */
export function readFlatpak(host: Host): BundleReading {
  const inputs = [CHANGED, ...KINDS.map((kind) => `${ROOT}/${kind}`)]
  return kept.get(host, inputs, () => read(host))
}

function read(host: Host): BundleReading {
  const bundles: Bundle[] = []
  let [isPartial, isThere] = [false, false]
  const names = (path: string): readonly string[] => {
    const directory = host.readDirectory(path, MAX_ENTRIES)
    if (directory.status === 'found') return directory.value
    // An application's `current` is a link to one of its branches, and plain files may lie about.
    isPartial ||= directory.status !== 'absent'
    return []
  }
  for (const kind of KINDS) {
    const directory = `${ROOT}/${kind}`
    const ids = host.readDirectory(directory, MAX_ENTRIES)
    if (ids.status === 'absent') continue
    if (ids.status !== 'found') return ids
    isThere = true
    for (const id of ids.value) {
      for (const architecture of names(`${directory}/${id}`)) {
        if (architecture === 'current') continue
        for (const branch of names(`${directory}/${id}/${architecture}`)) {
          const active = host.readLink(`${directory}/${id}/${architecture}/${branch}/active`)
          const name = printable(`${id}/${architecture}/${branch}`, 256)
          if (active.status === 'found') bundles.push({ name, version: printable(active.value, 256) })
          else isPartial ||= active.status !== 'absent'
        }
      }
    }
  }
  return isThere ? { status: 'read', bundles, isPartial } : { status: 'absent' }
}
