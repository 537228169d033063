import type { Database } from '../schema.ts'

/**
 * How the rows of a table belong to a vendor. `common`: the same for everybody, and changed by nobody who is bound.
 * `closed`: of the collector or of all vendors at once; whoever is bound gets auth.forbidden.
 */
export type TableScope = 'common' | 'closed' | 'products' | OfVendor | Through | AnyOf

/** A column holds the vendor's name: content that is kept once for all of its devices. */
interface OfVendor {
  readonly vendor: string
}

/** A column names a row of another table by its `key`. */
interface Through {
  readonly column: string
  readonly of: keyof Database
  readonly key: string
}

interface AnyOf {
  readonly anyOf: readonly Through[]
}

type ScopeOf<T extends keyof Database> =
  | Exclude<TableScope, OfVendor | Through | AnyOf>
  | { readonly vendor: keyof Database[T] & string }
  | ThroughOf<T>
  | { readonly anyOf: readonly ThroughOf<T>[] }

type ThroughOf<T extends keyof Database> = {
  readonly [Of in keyof Database]: {
    readonly column: keyof Database[T] & string
    readonly of: Of
    readonly key: keyof Database[Of] & string
  }
}[keyof Database]

const ofProduct = { column: 'product_id', of: 'products', key: 'id' } as const
const ofDevice = { column: 'device_id', of: 'devices', key: 'id' } as const
const ofAccount = { column: 'account_id', of: 'accounts', key: 'id' } as const
const ofUeid = { column: 'ueid', of: 'devices', key: 'ueid' } as const

/** Every table of the database. One that is missing here does not compile: nobody decides this by forgetting it. */
export const tableScopes: { readonly [T in keyof Database]: ScopeOf<T> } = {
  products: 'products',
  enrolment_tokens: ofProduct,
  pending_enrolments: { column: 'token_id', of: 'enrolment_tokens', key: 'id' },
  devices: ofProduct,
  device_states: ofDevice,
  sessions: ofDevice,
  evidence: ofDevice,
  evidence_messages: { column: 'evidence_id', of: 'evidence', key: 'id' },
  evidence_runs: ofDevice,
  newest_evidence: ofDevice,
  receipts: ofDevice,
  refusals: ofUeid,
  refusal_counts: ofUeid,
  quarantine: ofUeid,
  postures: { vendor: 'vendor' },
  pcr_sets: { vendor: 'vendor' },
  boot_references: { vendor: 'vendor' },
  sections: { vendor: 'vendor' },
  section_chunks: { vendor: 'vendor' },
  reference_values: ofProduct,
  releases: ofProduct,
  ima_policies: ofProduct,
  recorded_events: ofProduct,
  product_units: ofProduct,
  signal_samples: ofProduct,
  advisory_progress: ofProduct,
  practice_evaluations: ofProduct,
  practice_states: ofProduct,
  practice_transitions: ofProduct,
  findings: ofDevice,
  finding_transitions: { column: 'finding_id', of: 'findings', key: 'id' },
  finding_policies: ofProduct,
  finding_exceptions: ofProduct,
  device_labels: ofDevice,
  device_groups: { vendor: 'vendor' },
  group_labels: { column: 'group_id', of: 'device_groups', key: 'id' },
  reassessment_cases: ofProduct,
  case_findings: { column: 'case_id', of: 'reassessment_cases', key: 'id' },
  standing_causes: ofProduct,
  catalogue_versions: 'closed',
  case_reminders: { column: 'case_id', of: 'reassessment_cases', key: 'id' },
  notification_events: ofProduct,
  // Told to whoever is to hear of it by the events that stand beside.
  reminders: 'closed',
  notification_deliveries: { column: 'event_id', of: 'notification_events', key: 'id' },
  audit_log: {
    anyOf: [
      { column: 'subject', of: 'products', key: 'id' },
      { column: 'subject', of: 'devices', key: 'ueid' },
      { column: 'subject', of: 'releases', key: 'id' },
      { column: 'subject', of: 'findings', key: 'id' },
      { column: 'subject', of: 'accounts', key: 'id' },
      { column: 'subject', of: 'device_groups', key: 'id' },
      { column: 'subject', of: 'reassessment_cases', key: 'id' },
      { column: 'subject', of: 'enrolment_tokens', key: 'id' },
      { column: 'subject', of: 'recorded_events', key: 'id' },
    ],
  },
  accounts: { vendor: 'vendor' },
  recovery_codes: ofAccount,
  login_sessions: ofAccount,
  login_failures: 'closed',
  login_challenges: 'closed',
  passkeys: ofAccount,
  oidc_identities: ofAccount,
  epochs: 'common',
  api_tokens: 'closed',
  decisions: 'closed',
  device_transitions: ofDevice,
  signed_results: ofDevice,
  result_signing: 'closed',
  newest_results: ofDevice,
  result_deliveries: ofDevice,
  attestation_challenges: ofDevice,
  collector_intervals: 'closed',
  device_enrolments: ofDevice,
  unit_declarations: ofProduct,
  // Read by the digests that the part of the log names which is his.
  profile_documents: 'common',
  // Published advisories: the same for everybody.
  advisory_feeds: 'common',
  advisory_sets: 'common',
  wrong_records: 'common',
  advisories: 'common',
  advisory_statements: 'common',
  known_advisories: 'common',
  vulnerability_facts: 'common',
  advisory_fetches: 'common',
  advisory_documents: 'closed',
  advisory_bundles: 'closed',
  bundle_signers: 'closed',
  changed_packages: 'closed',
  inventories: { vendor: 'vendor' },
  inventory_packages: { column: 'inventory_id', of: 'inventories', key: 'id' },
  inventory_postures: { vendor: 'vendor' },
  inventory_releases: { column: 'release_id', of: 'releases', key: 'id' },
  release_sboms: { column: 'release_id', of: 'releases', key: 'id' },
  exposures: { column: 'inventory_id', of: 'inventories', key: 'id' },
  advisory_exclusions: ofProduct,
  product_configurations: ofProduct,
  configuration_postures: { column: 'configuration_id', of: 'product_configurations', key: 'id' },
  tracked_advisories: ofProduct,
  device_counts: ofProduct,
  restore_points: 'closed',
  schema_migrations: 'closed',
}
