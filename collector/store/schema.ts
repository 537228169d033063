import type { EnrolmentTokensTable, PendingEnrolmentsTable } from './schema-enrolment.ts'
import type { AdvisoryTables } from './schema-advisories.ts'
import type { Generated } from 'kysely'
import type { HashAlgorithm } from '../../shared/crypto/crypto.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { PaddingMode } from '../../shared/ima/types.ts'
import type { BootCoverage, Enrolment, Identity, Latch, Liveness, Verdict } from '../model/device.ts'
import type { ImaVerdict } from '../model/ima-state.ts'
import type { ApiRole, ApprovalPolicy, IdentityPolicy } from '../model/product.ts'
import type {
  EvidenceMessagesTable,
  EvidenceRunsTable,
  EvidenceTable,
  NewestEvidenceTable,
  QuarantineTable,
} from './schema-evidence.ts'
import type { DeviceEnrolmentsTable, UnitDeclarationsTable } from './schema-mirror.ts'
import type {
  AccountsTable,
  LoginChallengesTable,
  LoginFailuresTable,
  LoginSessionsTable,
  OidcIdentitiesTable,
  PasskeysTable,
  RecoveryCodesTable,
} from './schema-accounts.ts'
import type {
  DeviceGroupsTable,
  DeviceLabelsTable,
  FindingExceptionsTable,
  FindingPoliciesTable,
  FindingsTable,
  FindingTransitionsTable,
  GroupLabelsTable,
} from './schema-findings.ts'
import type { CaseTables } from './schema-cases.ts'
import type {
  BootReferencesTable,
  ImaPoliciesTable,
  PcrSetsTable,
  PosturesTable,
  ReferenceValuesTable,
  ReleasesTable,
  SectionChunksTable,
  SectionsTable,
} from './schema-content.ts'
import type {
  AdvisoryProgressTable,
  PracticeEvaluationsTable,
  PracticeStatesTable,
  PracticeTransitionsTable,
  ProductUnitsTable,
  ProfileDocumentsTable,
  RecordedEventsTable,
  SignalSamplesTable,
} from './schema-practices.ts'
import type {
  AttestationChallengesTable,
  CollectorIntervalsTable,
  DeviceTransitionsTable,
  EpochsTable,
  RestorePointsTable,
  NewestResultsTable,
  ResultDeliveriesTable,
  ResultSigningTable,
  SignedResultsTable,
} from './schema-liveness.ts'
import type { NotificationDeliveriesTable, NotificationEventsTable, RemindersTable } from './schema-notifications.ts'

/** Every table as its columns. Times are ms since 1970 UTC; bytes are blobs; `0 | 1` where a model says boolean. */
export interface Database extends AdvisoryTables, CaseTables {
  products: ProductsTable
  enrolment_tokens: EnrolmentTokensTable
  pending_enrolments: PendingEnrolmentsTable
  api_tokens: ApiTokensTable
  accounts: AccountsTable
  recovery_codes: RecoveryCodesTable
  login_sessions: LoginSessionsTable
  login_failures: LoginFailuresTable
  login_challenges: LoginChallengesTable
  oidc_identities: OidcIdentitiesTable
  passkeys: PasskeysTable
  devices: DevicesTable
  device_states: DeviceStatesTable
  sessions: SessionsTable
  evidence: EvidenceTable
  evidence_messages: EvidenceMessagesTable
  evidence_runs: EvidenceRunsTable
  newest_evidence: NewestEvidenceTable
  refusals: RefusalsTable
  quarantine: QuarantineTable
  refusal_counts: RefusalCountsTable
  epochs: EpochsTable
  receipts: ReceiptsTable
  postures: PosturesTable
  pcr_sets: PcrSetsTable
  boot_references: BootReferencesTable
  sections: SectionsTable
  section_chunks: SectionChunksTable
  reference_values: ReferenceValuesTable
  releases: ReleasesTable
  ima_policies: ImaPoliciesTable
  findings: FindingsTable
  finding_transitions: FindingTransitionsTable
  finding_policies: FindingPoliciesTable
  finding_exceptions: FindingExceptionsTable
  device_labels: DeviceLabelsTable
  device_groups: DeviceGroupsTable
  group_labels: GroupLabelsTable
  audit_log: AuditLogTable
  decisions: DecisionsTable
  notification_events: NotificationEventsTable
  notification_deliveries: NotificationDeliveriesTable
  reminders: RemindersTable
  recorded_events: RecordedEventsTable
  profile_documents: ProfileDocumentsTable
  product_units: ProductUnitsTable
  signal_samples: SignalSamplesTable
  advisory_progress: AdvisoryProgressTable
  practice_evaluations: PracticeEvaluationsTable
  practice_states: PracticeStatesTable
  practice_transitions: PracticeTransitionsTable
  restore_points: RestorePointsTable
  device_transitions: DeviceTransitionsTable
  signed_results: SignedResultsTable
  result_signing: ResultSigningTable
  newest_results: NewestResultsTable
  result_deliveries: ResultDeliveriesTable
  attestation_challenges: AttestationChallengesTable
  collector_intervals: CollectorIntervalsTable
  device_enrolments: DeviceEnrolmentsTable
  unit_declarations: UnitDeclarationsTable
  schema_migrations: SchemaMigrationsTable
}

export interface ProductsTable {
  id: string
  vendor: string
  model: string
  identity_policy: IdentityPolicy
  approval_policy: ApprovalPolicy
  /** Grows with each change of a release. */
  release_version: Generated<number>
  created_at: number
}

export interface ApiTokensTable {
  id: string
  name: string
  token_hash: Uint8Array
  role: ApiRole
  /** null: bound to no vendor. */
  vendor: string | null
  /** JSON array of ids; null: all products of the vendor. */
  products: string | null
  created_at: number
  expires_at: number | null
  revoked_at: number | null
}

export interface DevicesTable {
  id: Generated<number>
  ueid: Ueid
  product_id: string
  vendor: string
  model: string
  hardware_revision: string
  serial: string
  enrolment: Enrolment
  identity: Identity
  device_key: Uint8Array
  device_key_thumbprint: Uint8Array
  tls_key_hash: Uint8Array
  certificate_not_after: number
  ek_name: Uint8Array | null
  ek_certificate: Uint8Array | null
  ak_public: Uint8Array | null
  ak_name: Uint8Array | null
  enrolled_at: number
  revoked_at: number | null
}

/** One narrow row a device, updated by every report: no secondary index. */
export interface DeviceStatesTable {
  device_id: number
  verdict: Verdict
  verdict_code: string | null
  latch: Latch
  liveness: Liveness
  boot_coverage: BootCoverage
  last_received_at: number | null
  last_fresh_at: number | null
  last_fresh_epoch: number | null
  fresh_extended: 0 | 1
  fresh_session: Uint8Array | null
  fresh_sequence: number | null
  posture_digest: Uint8Array | null
  pcr_digest: Uint8Array | null
  boot_digest: Uint8Array | null
  boot_awaited_since: number | null
  boot_awaited_reports: number | null
  /** Decimal text: the TPM's clock is an unsigned 64-bit number, which no integer column of either database holds. */
  tpm_clock_ms: string | null
  tpm_reset_count: number | null
  tpm_restart_count: number | null
  tpm_observed_at: number | null
  boot_seed: Uint8Array | null
  /** Of the kernel's measurement list; all null where none was ever sent. */
  ima_boot_seed: Uint8Array | null
  ima_bank: HashAlgorithm | null
  ima_entries: number | null
  ima_pcr10: Uint8Array | null
  ima_padding_mode: PaddingMode | null
  ima_verdict: ImaVerdict | null
  /** JSON. */
  ima_summary: string | null
  /** The release that it conforms to, since when; the latest one ever; by which releases it was judged last. */
  release_id: string | null
  release_since: number | null
  release_highest: string | null
  release_judged_by: string | null
  named_receipt: number
  last_receipt_number: number
  agent_version: string | null
  /** Seconds: how often the agent says that it reports, where that is less often than is usual. */
  report_interval: number | null
  /** Of the advance that was the last change of the device; null where something else was: see steady/steady.ts. */
  steady_mark: Generated<number | null>
}

export interface SessionsTable {
  device_id: number
  session: Uint8Array
  contiguous_to: number
  /** JSON array of ascending [first, last]. */
  extra: string
  first_seen_at: number
  first_epoch: number | null
  last_epoch: number | null
}

export interface RefusalsTable {
  id: Generated<number>
  ueid: Ueid | null
  topic: string
  code: string
  hash: Uint8Array
  received_at: number
  bytes: Uint8Array
}

/** Every refusal ever, also those whose message is no longer kept. `ueid` is empty where none was readable. */
export interface RefusalCountsTable {
  ueid: string
  code: string
  total: number
}

export interface ReceiptsTable {
  device_id: number
  number: number
  hash: Uint8Array
  issued_at: number
}

export interface AuditLogTable {
  id: Generated<number>
  at: number
  actor: string
  action: string
  subject: string
  /** JSON object. */
  detail: string
}

export interface DecisionsTable {
  entry_index: number
  entry: Uint8Array
  appended_at: number
}

export interface SchemaMigrationsTable {
  version: number
  name: string
}
