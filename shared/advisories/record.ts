import type { AdvisorySeverity } from '../maturity/events/kinds.ts'
import type { VersionScheme } from '../versions/compare.ts'

/** In what an advisory came. */
export const ADVISORY_FORMATS = ['osv', 'debian-tracker', 'alpine-secdb', 'csaf', 'openvex', 'cyclonedx-vex'] as const
export type AdvisoryFormat = (typeof ADVISORY_FORMATS)[number]

/** The words of CSAF VEX, OpenVEX and CycloneDX for the same four things (VEX minimum requirements, section 3). */
export const STATEMENTS = ['affected', 'fixed', 'not-affected', 'under-investigation'] as const
export type Statement = (typeof STATEMENTS)[number]

/** Versions from `introduced` on (null: from the first) until before `fixed`, or until `lastAffected` with it. */
export interface VersionRange {
  readonly introduced: string | null
  readonly fixed: string | null
  readonly lastAffected: string | null
}

/** Whose name and version count: those of the source that packages are built from, or those of the package itself. */
export const PACKAGE_SIDES = ['source', 'binary'] as const
export type PackageSide = (typeof PACKAGE_SIDES)[number]

/** What an advisory says of one package in one release of a distribution. */
export interface PackageStatement {
  readonly ecosystem: string
  /** As the distribution numbers it: 12, 24.04, 3.19. Empty: all releases. */
  readonly release: string
  readonly package: string
  readonly side: PackageSide
  /** Null: all. */
  readonly architecture: string | null
  readonly scheme: VersionScheme
  /** In this product alone, by the author's name of it. Null: wherever the package is. */
  readonly product: string | null
  readonly statement: Statement
  /** Of these versions. Both lists empty: of all versions. */
  readonly ranges: readonly VersionRange[]
  readonly versions: readonly string[]
  /** Why not, or what to do, in the author's words. */
  readonly justification: string | null
}

/** One advisory, whatever it came in. Times are ms since 1970. */
export interface AdvisoryRecord {
  readonly id: string
  readonly format: AdvisoryFormat
  /** Other names of the same thing, and the vulnerabilities that it is about. Without its own. */
  readonly aliases: readonly string[]
  readonly summary: string
  /** Null: nobody has rated it. */
  readonly severity: AdvisorySeverity | null
  /** The vector of its CVSS score. */
  readonly cvss: string | null
  readonly published: number | null
  readonly modified: number | null
  readonly withdrawn: number | null
  readonly statements: readonly PackageStatement[]
}

/** Vulnerabilities that are used in attacks (CISA's catalogue), by their CVE name. */
export interface ExploitedVulnerability {
  readonly cve: string
  readonly addedAt: number
  readonly dueAt: number | null
}

/** The Exploit Prediction Scoring System's estimate, in millionths. */
export interface ExploitProbability {
  readonly cve: string
  readonly probability: number
  readonly percentile: number
}

export const MAX_STATEMENTS = 50_000
export const MAX_ALIASES = 4096
