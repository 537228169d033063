import {
  MAX_BUNDLES,
  type Bundle,
  type BundleKind,
  type BundleSource,
} from '../../../shared/posture/sections/packages.ts'
import type { Host, HostFailure } from '../host.ts'
import {
  CONTAINERD_READS,
  DOCKER_READS,
  PODMAN_READS,
  readContainerd,
  readDocker,
  readPodman,
} from './container-images.ts'
import { FLATPAK_READS, readFlatpak } from './flatpak.ts'
import { readSnap, SNAP_READS } from './snap.ts'

/** What is installed of one kind, or why that is not known. */
export type BundleReading =
  | { readonly status: 'read'; readonly bundles: readonly Bundle[]; readonly isPartial?: boolean }
  | HostFailure
  | { readonly status: 'malformed' | 'unsupported' }

const READERS: readonly (readonly [BundleKind, (host: Host) => BundleReading])[] = [
  ['flatpak', readFlatpak],
  ['snap', readSnap],
  ['docker', readDocker],
  ['podman', readPodman],
  ['containerd', readContainerd],
]

export const BUNDLES_READS = [FLATPAK_READS, SNAP_READS, DOCKER_READS, PODMAN_READS, CONTAINERD_READS].join(', ')

/** Applications and container images that came without the package manager. Kinds that are not there are left out. */
export function readBundles(host: Host): BundleSource[] {
  return READERS.flatMap(([kind, read]): BundleSource[] => {
    const reading = read(host)
    if (reading.status === 'absent') return []
    if (reading.status !== 'read') return [{ kind, status: reading.status, bundles: [], total: 0 }]
    // By name before the cut, so that the order of directories does not decide what is left out.
    const bundles = [...reading.bundles].sort((a, b) => (a.name < b.name ? -1 : 1))
    const status = reading.isPartial === true ? 'incomplete' : 'read'
    return [{ kind, status, bundles: bundles.slice(0, MAX_BUNDLES), total: bundles.length }]
  })
}
