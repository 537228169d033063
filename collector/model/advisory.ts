import type { ErrorCode } from '../../shared/codes/errors.ts'
import type { Ecosystem } from '../../shared/advisories/ecosystem.ts'
import type { VersionScheme } from '../../shared/versions/compare.ts'
import type { PackageStatement } from '../../shared/advisories/record.ts'
import type { PackagesContent } from '../../shared/posture/sections/packages.ts'

/** One statement of an advisory, as it is kept to be looked up. */
export interface Entry {
  readonly advisory: string
  readonly feed: string
  /** Of the advisory: by them statements about the same vulnerability are found. */
  readonly cves: readonly string[]
  readonly statement: PackageStatement
}

/** A package as advisories see it. */
export interface InventoryPackage {
  readonly name: string
  readonly version: string
  readonly architecture: string | null
  readonly source: string
  readonly sourceVersion: string
  /** Of a component that no package manager of the device has: whose it is, by its package URL. */
  readonly ecosystem?: Ecosystem
}

/** What two sections of a posture tell: the packages, and of which distribution. */
export interface Inventory {
  readonly manager: PackagesContent['manager']
  /** Null: the device does not say what system it runs, and its packages belong to no advisory. */
  readonly ecosystem: Ecosystem | null
  /** `uname -r`; null where it is not told. */
  readonly runningKernel: string | null
  /** False: packages are missing in the list. */
  readonly isWhole: boolean
  readonly packages: readonly InventoryPackage[]
}

/**
 * `fixed-not-running`: on disk it is fixed, and the old one still runs. `unknown`: a version is none that can be
 * compared. What is fixed is no exposure.
 */
export const EXPOSURE_STATUSES = [
  'affected',
  'fixed-not-running',
  'unknown',
  'under-investigation',
  'not-affected',
] as const
export type ExposureStatus = (typeof EXPOSURE_STATUSES)[number]

/** Why it is so: shown with the rest of the exposure, which has the versions. */
export const EXPOSURE_REASONS = [
  'older-than-fix',
  'no-fix-yet',
  'listed-version',
  'kernel-not-restarted',
  'kernel-not-running',
  'no-running-code',
  'running-kernel-unknown',
  'version-not-comparable',
  'stated-not-affected',
  'being-investigated',
  'own-statement',
] as const
export type ExposureReason = (typeof EXPOSURE_REASONS)[number]

export interface Exposure {
  readonly advisory: string
  readonly feed: string
  readonly package: string
  readonly architecture: string | null
  /** Whose package it is, of which release, and the source that it is built from: what an update of it is an update of. */
  readonly ecosystem: string
  readonly source: string
  readonly scheme: VersionScheme
  /** The version that counts: the source's where the advisory is about sources. */
  readonly installed: string
  readonly fixedIn: string | null
  readonly status: ExposureStatus
  readonly reason: ExposureReason
  /** In the words of whoever says so. */
  readonly justification: string | null
  /** Others who say otherwise, of whom this one comes first. */
  readonly disputedBy: readonly string[]
}

/**
 * Whose word counts more where two contradict each other: the vendor's own statements, then the distribution's, then
 * anybody else's.
 */
export const FEED_AUTHORITIES = ['own', 'distribution', 'other'] as const
export type FeedAuthority = (typeof FEED_AUTHORITIES)[number]

/** Where advisories come from, and how far that is known. Times are ms since 1970. */
export interface AdvisoryFeed {
  readonly id: string
  readonly authority: FeedAuthority
  /** The set of advisories that counts. Null: none came yet. */
  readonly activeSet: number | null
  readonly advisories: number
  /** When it was last looked at with success, and when it last brought something new. */
  readonly checkedAt: number | null
  readonly changedAt: number | null
  /** Validators of HTTP (RFC 9110, section 8.8), and the SHA-256 of what was taken. */
  readonly etag: string | null
  readonly lastModified: string | null
  readonly digest: string | null
  /** What is wrong with it since when; null where nothing is. */
  readonly problem: { readonly code: string; readonly detail: string; readonly since: number } | null
  /** Records that were left out of what counts, since something is wrong with them. */
  readonly wrong: number
  /** The most that it had within a month, or since somebody has taken less; null: no more than now. */
  readonly largest: { readonly advisories: number; readonly at: number } | null
}

/** A record of a feed that is not as its format says. What was known of it before goes on to count. */
export interface WrongRecord {
  /** Where it is in the feed: a file, an address, a name. */
  readonly place: string
  /** Which advisory it is, as far as that can be told. */
  readonly advisory: string | null
  /** Of which package alone. */
  readonly package: string | null
  readonly code: ErrorCode
  readonly detail: string
}

/** An advisory as it is kept, without its statements. */
export interface StoredAdvisory {
  readonly id: string
  readonly feed: string
  readonly format: string
  readonly aliases: readonly string[]
  readonly summary: string
  readonly severity: 'critical' | 'high' | 'medium' | 'low' | null
  readonly cvss: string | null
  readonly published: number | null
  readonly modified: number | null
  readonly withdrawn: number | null
  /** When it was first read here. */
  readonly knownAt: number
}

/** Where a package listens: `network` where anybody else can reach it, `local` where only the device itself can. */
export interface Listener {
  readonly reach: 'network' | 'local'
  /** As `tcp/22`; the widest reaching ones where there are both. */
  readonly ports: readonly string[]
}

/** By package. A package that is not there holds no socket itself: what it does for others is not seen. */
export type Listening = Readonly<Record<string, Listener>>
