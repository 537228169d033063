import type { PendingUpdate } from '../../../shared/posture/sections/patch-level.ts'
import { PACKAGE_VERSION, type Package } from '../../../shared/posture/sections/packages.ts'
import { compareDpkgVersions, parseDpkgVersion, type DpkgVersion } from '../../../shared/versions/dpkg.ts'
import type { ReleaseFacts } from './apt-release.ts'
import type { ListedPackage, NameSet } from './package-list.ts'
import { byWeight } from './updates-reading.ts'

/** apt_preferences(5): what an installed version is worth by itself. */
const INSTALLED_PRIORITY = 100

interface Installed {
  readonly name: string
  readonly architecture: string | undefined
  readonly versionText: string
  readonly version: DpkgVersion | undefined
  /** Highest priority of the archives that have this very version. */
  priority: number
  best: { readonly text: string; readonly version: DpkgVersion; readonly priority: number } | undefined
  hasNewerSecurity: boolean
}

/**
 * Finds for each installed package the version that apt would choose among all lists: that of the archive with the
 * highest priority, the highest of several, never an older one. The rules of apt_preferences(5) without preferences.
 */
export class Candidates {
  readonly #installed = new Map<string, Installed[]>()
  readonly #native: string
  incomparable = 0

  /** @param native the architecture that packages for all architectures count as */
  constructor(packages: readonly Package[], native: string) {
    this.#native = native
    for (const { name, architecture, version } of packages) {
      const one: Installed = {
        name,
        architecture,
        versionText: version,
        version: parseDpkgVersion(version),
        priority: INSTALLED_PRIORITY,
        best: undefined,
        hasNewerSecurity: false,
      }
      if (one.version === undefined) this.incomparable += 1
      const known = this.#installed.get(name)
      if (known === undefined) this.#installed.set(name, [one])
      else known.push(one)
    }
  }

  /** By name. */
  get installed(): NameSet {
    return this.#installed
  }

  /** @param listArchitecture that of the list, for packages of all architectures */
  offer(listed: ListedPackage, listArchitecture: string, release: ReleaseFacts): void {
    const architecture = listed.architecture === 'all' ? listArchitecture : listed.architecture
    for (const one of this.#installed.get(listed.name) ?? []) {
      if (this.#architectureOf(one) !== architecture || one.version === undefined) continue
      if (listed.version === one.versionText) one.priority = Math.max(one.priority, release.priority)
      else this.#compare(one, one.version, listed.version, release)
    }
  }

  #architectureOf({ architecture }: Installed): string {
    return architecture === undefined || architecture === 'all' ? this.#native : architecture
  }

  #compare(one: Installed, installed: DpkgVersion, text: string, release: ReleaseFacts): void {
    const version = PACKAGE_VERSION.test(text) ? parseDpkgVersion(text) : undefined
    if (version === undefined) {
      this.incomparable += 1
      return
    }
    if (compareDpkgVersions(version, installed) <= 0) return
    one.hasNewerSecurity ||= release.isSecurity
    const { best } = one
    const isBetter =
      best === undefined ||
      release.priority > best.priority ||
      (release.priority === best.priority && compareDpkgVersions(version, best.version) > 0)
    if (isBetter) one.best = { text, version, priority: release.priority }
  }

  pending(): PendingUpdate[] {
    const pending: PendingUpdate[] = []
    for (const { name, architecture, versionText, best, priority, hasNewerSecurity } of [
      ...this.#installed.values(),
    ].flat()) {
      if (best === undefined || best.priority < priority) continue
      pending.push({
        name,
        ...(architecture === undefined ? {} : { architecture }),
        installed: versionText,
        candidate: best.text,
        security: hasNewerSecurity,
      })
    }
    return byWeight(pending)
  }
}
