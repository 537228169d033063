import type { PendingUpdate } from '../../../shared/posture/sections/patch-level.ts'
import { PACKAGE_VERSION, type Package } from '../../../shared/posture/sections/packages.ts'
import { compareVersions, type VersionScheme } from '../../../shared/versions/compare.ts'
import type { ListedPackage, NameSet } from './package-list.ts'
import { byWeight } from './updates-reading.ts'

interface Installed {
  readonly name: string
  readonly architecture: string | undefined
  version: string
  best: string | undefined
  hasNewerSecurity: boolean
}

/**
 * Finds for each installed package the newest version in any list, for managers that have no priorities of archives.
 * Of a package that is installed in several versions side by side, as kernels are, the newest counts.
 */
export class NewerVersions {
  readonly #installed = new Map<string, Installed[]>()
  readonly #scheme: VersionScheme
  /** Architectures of packages that are for all of them, and may become or cease to be so with an update. */
  readonly #neutral: ReadonlySet<string | undefined>
  incomparable = 0

  constructor(packages: readonly Package[], scheme: VersionScheme, neutral: readonly string[]) {
    this.#scheme = scheme
    this.#neutral = new Set([...neutral, undefined])
    for (const { name, architecture, version } of packages) {
      const known = this.#installed.get(name) ?? []
      this.#installed.set(name, known)
      const same = known.find((one) => one.architecture === architecture)
      if (same === undefined) known.push({ name, architecture, version, best: undefined, hasNewerSecurity: false })
      else if (this.#isNewer(version, same.version)) same.version = version
    }
  }

  /** By name. */
  get installed(): NameSet {
    return this.#installed
  }

  offer(listed: ListedPackage): void {
    for (const one of this.#matching(listed)) {
      if (!this.#isNewer(listed.version, one.version)) continue
      if (one.best === undefined || this.#isNewer(listed.version, one.best)) one.best = listed.version
    }
  }

  /** A version with which something was mended that bears on security. */
  security(listed: ListedPackage): void {
    for (const one of this.#matching(listed)) one.hasNewerSecurity ||= this.#isNewer(listed.version, one.version)
  }

  #matching({ name, architecture }: ListedPackage): Installed[] {
    const known = this.#installed.get(name) ?? []
    return known.filter(
      (one) =>
        one.architecture === architecture || this.#neutral.has(one.architecture) || this.#neutral.has(architecture),
    )
  }

  #isNewer(version: string, than: string): boolean {
    const comparison = PACKAGE_VERSION.test(version) ? compareVersions(this.#scheme, version, than) : 'incomparable'
    if (comparison === 'incomparable') this.incomparable += 1
    return comparison === 'newer'
  }

  pending(): PendingUpdate[] {
    return byWeight(
      [...this.#installed.values()].flat().flatMap(({ name, architecture, version, best, hasNewerSecurity }) =>
        best === undefined
          ? []
          : [
              {
                name,
                ...(architecture === undefined ? {} : { architecture }),
                installed: version,
                candidate: best,
                security: hasNewerSecurity,
              },
            ],
      ),
    )
  }
}
