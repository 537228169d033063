import type { Generated } from 'kysely'
import type { AdvisorySeverity } from '../../shared/maturity/events/kinds.ts'
import type { SignatureState } from '../model/advisory-fetch.ts'
import type { ExposureStatus, FeedAuthority } from '../model/advisory.ts'
import type { Justification, ProductVerdict } from '../model/product-statement.ts'

/** Tables of advisories and of what they mean for devices: part of ./schema.ts, where the conventions stand. */

export interface AdvisoryFeedsTable {
  id: string
  authority: FeedAuthority
  active_set: number | null
  advisories: number
  checked_at: number | null
  changed_at: number | null
  etag: string | null
  last_modified: string | null
  digest: string | null
  problem_code: string | null
  problem_detail: string | null
  problem_since: number | null
  /** Records of the set that counts that were left out. */
  wrong: Generated<number>
  /** The most that it had of late, and when. Null: what it has now. */
  largest: number | null
  largest_at: number | null
}

/** What a feed brought at once. It counts when its feed says so: until then it is filled, afterwards it is removed. */
export interface AdvisorySetsTable {
  id: Generated<number>
  feed: string
  started_at: number
}

/** Records that were left out of a set, and what they would have been about. */
export interface WrongRecordsTable {
  set_id: number
  place: string
  advisory: string | null
  package: string | null
  code: string
  detail: string
}

export interface AdvisoriesTable {
  set_id: number
  id: string
  severity: AdvisorySeverity | null
  published: number | null
  withdrawn: number | null
  /** JSON: what else is kept of it. */
  content: string
}

/** Without those of advisories that were withdrawn. */
export interface AdvisoryStatementsTable {
  set_id: number
  package: string
  advisory: string
  /** JSON: PackageStatement without the package, and the CVE names of the advisory. */
  content: string
}

export interface KnownAdvisoriesTable {
  id: string
  known_at: number
}

/** Of a catalogue of exploited vulnerabilities, or of estimates: each has its own columns. */
export interface VulnerabilityFactsTable {
  set_id: number
  cve: string
  added_at: number | null
  due_at: number | null
  probability: number | null
  percentile: number | null
}

/** One for each pair of the sections packages and system that a vendor's devices report. */
export interface InventoriesTable {
  id: Generated<number>
  vendor: string
  packages_digest: Uint8Array
  /** Empty where the posture has no section of the system. */
  system_digest: Uint8Array
  /** JSON: Inventory. */
  content: string
  /** Packages whose version is none that can be compared. */
  incomparable: number
}

/** Inventories by the names of their packages and of the sources of those. */
export interface InventoryPackagesTable {
  package: string
  inventory_id: number
}

/** Null: a posture without packages. */
export interface InventoryPosturesTable {
  vendor: string
  posture_digest: Uint8Array
  inventory_id: number | null
  /** JSON: Listening. Null: the posture does not tell. */
  listening: string | null
}

/** What a release is made of, as its vendor says: for the content that it had then. */
export interface ReleaseSbomsTable {
  release_id: string
  release_digest: Uint8Array
  /** SHA-256 of the document in hexadecimal. */
  digest: string
  /** JSON: Sbom. */
  content: string
  imported_at: number
  imported_by: string
  imported_by_name: string
}

/** The product and the components of each release, as an inventory. */
export interface InventoryReleasesTable {
  release_id: string
  inventory_id: number
  /** The digests of the release and of its bill of materials that it was made from. */
  basis: string
}

export interface ExposuresTable {
  id: Generated<number>
  inventory_id: number
  package: string
  advisory: string
  status: ExposureStatus
  /** JSON: the rest of Exposure. */
  content: string
}

/** Packages of whom something else is said now, and whose exposure has not been computed since. */
export interface ChangedPackagesTable {
  package: string
}

export interface AdvisoryExclusionsTable {
  id: string
  product_id: string
  advisory: string
  package: string | null
  reason: string
  created_at: number
  created_by: string
  created_by_name: string
  expires_at: number
  verdict: ProductVerdict
  justification: Justification | null
  release_id: string | null
  configuration_id: string | null
  group_id: string | null
  environment_name: string | null
  /** JSON: Labels. Null: whatever labels a device has. */
  environment_labels: string | null
  ended_at: number | null
  ended_by: string | null
}

/** Named conditions over postures. */
export interface ProductConfigurationsTable {
  id: string
  product_id: string
  name: string
  /** JSON: PostureCondition[]. */
  conditions: string
  created_at: number
  created_by: string
  created_by_name: string
}

/** Postures that were looked at: 1 meets it, 0 does not, 2 does not tell. Of one that is missing here nobody knows yet. */
export interface ConfigurationPosturesTable {
  configuration_id: string
  posture_digest: Uint8Array
  is_met: 0 | 1 | 2
}

/** Active devices that are alike: rows of the same add up to how many there are. Written by triggers alone. */
export interface DeviceCountsTable {
  id: Generated<number>
  product_id: string
  vendor: string
  hardware_revision: string
  posture_digest: Uint8Array | null
  release_id: string | null
  devices: number
}

/** Advisories that devices of a product were affected by, since it was watched. */
export interface TrackedAdvisoriesTable {
  product_id: string
  advisory: string
  severity: AdvisorySeverity
  exploited: 0 | 1
  published_at: number
  known_at: number
  exposed_at: number
  fix_known_at: number | null
  /** Since when no device is affected any more. */
  patched_at: number | null
  /** Devices are affected, and of all of them it was said that they are not, or that it does not matter. */
  is_settled: 0 | 1
}

/** Feeds that are fetched. */
export interface AdvisoryFetchesTable {
  feed: string
  kind: string
  url: string
  declared_at: number
  max_age_ms: number
  next_at: number
  attempts: number
  attempted_at: number | null
  failures: number
  may_shrink: 0 | 1
  is_stale: 0 | 1
  signature: SignatureState | null
  /** How often somebody has asked for it, and how often he had when what was fetched last was begun. */
  asked: Generated<number>
  answered: Generated<number>
}

export interface AdvisoryDocumentsTable {
  feed: string
  url: string
  updated: string
  /** JSON: names. */
  advisories: string
  /** Of documents of which the feed does not say when they were changed. */
  etag: string | null
  last_modified: string | null
  digest: string | null
}

/** Bundles of advisories that are on their way in. */
export interface AdvisoryBundlesTable {
  id: Uint8Array
  signer: string
  head: Uint8Array
  pages: number
  next_feed: number
  next_after: string
  is_forced: 0 | 1
  /** JSON: ids of sets. */
  sets: string
  started_at: number
}

/** Collectors whose bundles are taken, and whose keys have changed since. */
export interface BundleSignersTable {
  /** Thumbprint of the key that people have named, hexadecimal. */
  trusted_key: string
  /** keepseal.cddl, key-history: what has led on from it. */
  history: Uint8Array
  followed_at: number
}

export interface AdvisoryTables {
  advisory_feeds: AdvisoryFeedsTable
  advisory_sets: AdvisorySetsTable
  wrong_records: WrongRecordsTable
  advisories: AdvisoriesTable
  advisory_statements: AdvisoryStatementsTable
  known_advisories: KnownAdvisoriesTable
  vulnerability_facts: VulnerabilityFactsTable
  inventories: InventoriesTable
  inventory_packages: InventoryPackagesTable
  inventory_postures: InventoryPosturesTable
  release_sboms: ReleaseSbomsTable
  inventory_releases: InventoryReleasesTable
  exposures: ExposuresTable
  changed_packages: ChangedPackagesTable
  advisory_exclusions: AdvisoryExclusionsTable
  product_configurations: ProductConfigurationsTable
  configuration_postures: ConfigurationPosturesTable
  tracked_advisories: TrackedAdvisoriesTable
  device_counts: DeviceCountsTable
  advisory_fetches: AdvisoryFetchesTable
  advisory_documents: AdvisoryDocumentsTable
  advisory_bundles: AdvisoryBundlesTable
  bundle_signers: BundleSignersTable
}
