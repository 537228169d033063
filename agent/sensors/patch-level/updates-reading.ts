import type { Missing, Observation } from '../../../shared/posture/observation.ts'
import {
  MAX_LISTS,
  MAX_PENDING,
  type PackageList,
  type PendingUpdate,
  type Updates,
} from '../../../shared/posture/sections/patch-level.ts'
import type { Package } from '../../../shared/posture/sections/packages.ts'
import type { Host } from '../host.ts'
import type { Inventory } from '../packages/inventory.ts'
import { SensorFailure } from '../sensor.ts'

/** What one manager's downloaded lists say. */
export interface UpdatesReading {
  readonly updates: Observation<Updates>
  /** Seconds since 1970 of the newest list, or of what vouches for it. */
  readonly newest: number | undefined
}

export const unknownUpdates = (missing: Missing): UpdatesReading => ({ updates: { missing }, newest: undefined })

type Answer = Inventory | 'unread' | undefined

/**
 * What is installed. A damaged database is told by the section on packages; here it is the reason for one fact that is
 * missing. A database without any package is not the system's own: the manager was installed to unpack foreign ones.
 */
export async function installedPackages(
  host: Host,
  read: (host: Host) => Answer | Promise<Answer>,
): Promise<Observation<readonly Package[]>> {
  try {
    const inventory = await read(host)
    if (inventory === undefined) return { missing: 'absent' }
    if (inventory === 'unread') return { missing: 'unreadable' }
    const { packages, malformed } = inventory
    return packages.length === 0 && malformed === 0 ? { missing: 'absent' } : { value: packages }
  } catch (error) {
    if (!(error instanceof SensorFailure)) throw error
    const { reading } = error
    if (reading.status === 'no-permission') return { missing: 'no-permission' }
    return { missing: reading.status === 'failed' && reading.code === 'input-too-large' ? 'too-large' : 'unreadable' }
  }
}

export interface Compared {
  readonly manager: Updates['manager']
  /** Security updates first, then by name. */
  readonly pending: readonly PendingUpdate[]
  readonly securityTold: boolean
  readonly lists: readonly PackageList[]
  /** Lists that were not even counted above. */
  readonly beyond: number
  readonly incomparable: number
  readonly pins: boolean
}

/** The result within the bounds of the section. */
export const boundedUpdates = ({ pending, lists, beyond, ...same }: Compared): Updates => ({
  ...same,
  pending: pending.slice(0, MAX_PENDING),
  total: pending.length,
  security: pending.filter(({ security }) => security).length,
  // By name before the cut, so that the order of the sources does not decide what is left out.
  lists: [...lists].sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, MAX_LISTS),
  unnamed: Math.max(0, lists.length - MAX_LISTS) + beyond,
})

/** Security updates first, then by name: a bounded list keeps what matters most, whatever the order of the lists. */
export const byWeight = (pending: readonly PendingUpdate[]): PendingUpdate[] =>
  [...pending].sort((a, b) => Number(b.security) - Number(a.security) || (a.name < b.name ? -1 : 1))

/** Of file times, those that are known: the newest. */
export const newestOfTimes = (times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((time) => time !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

/** Seconds since 1970 of the last change of a file. */
export function modifiedAt(host: Host, path: string): number | undefined {
  const stat = host.stat(path)
  return stat.status === 'found' ? stat.value.modified : undefined
}
