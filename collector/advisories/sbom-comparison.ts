import type { Sbom } from '../../shared/sbom/component.ts'
import type { InventoryPackage } from '../model/advisory.ts'
import type { Store } from '../store/index.ts'

/** A component of a package manager that devices of the release do not have as it is named. */
export interface MissingComponent {
  readonly name: string
  readonly version: string | null
  readonly devices: number
  /** Versions that devices have instead; none: they do not have it at all. */
  readonly installed: readonly string[]
}

/** A package that devices of the release report, and that is no component of it. */
export interface ExtraPackage {
  readonly name: string
  readonly version: string
  readonly devices: number
}

export interface SbomComparison {
  /** Devices that run the release and tell their packages, and those that do not tell. */
  readonly devices: number
  readonly silent: number
  /** False: the document names nothing that a package manager would know, so nothing can be compared. */
  readonly isComparable: boolean
  readonly missing: readonly MissingComponent[]
  readonly extra: readonly ExtraPackage[]
}

/** What the document says of packages, against what devices that run the release report. */
export async function compareSbom(store: Store, releaseId: string, { components }: Sbom): Promise<SbomComparison> {
  const managed = components.filter(({ isManaged }) => isManaged)
  const named = new Map<string, Set<string | null>>()
  for (const { name, version } of managed) named.set(name, (named.get(name) ?? new Set()).add(version))
  const missing = new Map<string, { name: string; version: string | null; devices: number; installed: Set<string> }>()
  const extra = new Map<string, { name: string; version: string; devices: number }>()
  let [devices, silent] = [0, 0]
  for (const { inventory: id, count } of await store.releaseSboms.devicesOf(releaseId)) {
    const found = id === null ? undefined : await store.exposures.inventory(id)
    if (found === undefined) {
      silent += count
      continue
    }
    devices += count
    if (managed.length === 0) continue
    const installed = versionsOf(found.inventory.packages)
    for (const { name, version } of managed) {
      const versions = installed.get(name)
      if (versions !== undefined && (version === null || versions.has(version))) continue
      const key = `${name}\n${version ?? ''}`
      const one = missing.get(key) ?? { name, version, devices: 0, installed: new Set<string>() }
      one.devices += count
      for (const each of versions ?? []) one.installed.add(each)
      missing.set(key, one)
    }
    for (const { name, version, source } of found.inventory.packages) {
      // Some tools name sources, others what is built from them.
      if (named.has(name) || named.has(source)) continue
      const key = `${name}\n${version}`
      const one = extra.get(key) ?? { name, version, devices: 0 }
      one.devices += count
      extra.set(key, one)
    }
  }
  return {
    devices,
    silent,
    isComparable: managed.length > 0,
    missing: [...missing.values()].map((one) => ({ ...one, installed: [...one.installed].sort() })).sort(byDevices),
    extra: [...extra.values()].sort(byDevices),
  }
}

/** By the name of the package and by that of its source. */
function versionsOf(packages: readonly InventoryPackage[]): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  const add = (name: string, version: string) => found.set(name, (found.get(name) ?? new Set()).add(version))
  for (const { name, version, source, sourceVersion } of packages) {
    add(name, version)
    add(source, sourceVersion)
  }
  return found
}

const byDevices = (
  a: { readonly devices: number; readonly name: string },
  b: { readonly devices: number; readonly name: string },
): number => b.devices - a.devices || (a.name < b.name ? -1 : 1)
