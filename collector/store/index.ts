import { accountsRepository } from './accounts.ts'
import { loginChallengesRepository } from './login-challenges.ts'
import { loginSessionsRepository } from './login-sessions.ts'
import { advisoriesRepository } from './advisories.ts'
import { advisoryBundlesRepository } from './advisory-bundles.ts'
import { bundleSignersRepository } from './bundle-signers.ts'
import { advisorySetsRepository } from './advisory-sets.ts'
import { attestationChallengesRepository } from './attestation-challenges.ts'
import { apiTokensRepository } from './api-tokens.ts'
import { auditLogRepository } from './audit-log.ts'
import { casesRepository } from './cases.ts'
import { catalogueVersionsRepository } from './catalogue-versions.ts'
import { collectorIntervalsRepository } from './collector-intervals.ts'
import { decisionsRepository } from './decisions.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import { openDatabase, openPostgres, transaction, transactionOf, type Executor } from './database.ts'
import { deviceGroupsRepository } from './device-groups.ts'
import { deviceLabelsRepository } from './device-labels.ts'
import { devicesRepository } from './devices.ts'
import { registrationsRepository } from './registrations.ts'
import { enrolmentTokensRepository } from './enrolment-tokens.ts'
import { epochsRepository } from './epochs.ts'
import { evidenceRepository } from './evidence.ts'
import { evidencePartitions } from './evidence-partitions.ts'
import { evidenceRunsRepository } from './evidence-runs.ts'
import { deviceCountsRepository } from './device-counts.ts'
import { exposedDevicesRepository } from './exposed-devices.ts'
import { exposuresRepository } from './exposures.ts'
import { findingExceptionsRepository } from './finding-exceptions.ts'
import { findingPoliciesRepository } from './finding-policies.ts'
import { summarizeFindings, type SummaryRequest } from './finding-summary.ts'
import { findingTransitionsRepository } from './finding-transitions.ts'
import { feedFetchesRepository } from './feed-fetches.ts'
import { fleetRepository } from './fleet.ts'
import { fleetPageRepository } from './fleet-page.ts'
import { fleetProofRepository } from './fleet-proof.ts'
import { findingsRepository } from './findings.ts'
import { imaPoliciesRepository } from './ima-policies.ts'
import { mirrorRepository } from './mirror.ts'
import { notificationsRepository } from './notifications.ts'
import { migrate, pendingMigrations } from './migrations/index.ts'
import { oidcIdentitiesRepository } from './oidc-identities.ts'
import { passkeysRepository } from './passkeys.ts'
import { pendingEnrolmentsRepository } from './pending-enrolments.ts'
import { bootReferencesRepository, pcrSetsRepository, posturesRepository } from './postures.ts'
import { practicesRepository } from './practices.ts'
import { profileDocumentsRepository } from './profile-documents.ts'
import { productsRepository } from './products.ts'
import { recordedEventsRepository } from './recorded-events.ts'
import { quarantineRepository } from './quarantine.ts'
import { receiptsRepository } from './receipts.ts'
import { remindersRepository } from './reminders.ts'
import { referencesRepository } from './references.ts'
import { restorePointsRepository } from './restore-points.ts'
import { reportingRepository } from './reporting.ts'
import { releasesRepository } from './releases.ts'
import { refusalsRepository } from './refusals.ts'
import { sectionsRepository } from './sections.ts'
import { sessionsRepository } from './sessions.ts'
import { newestResultsRepository } from './newest-results.ts'
import { resultDeliveriesRepository } from './result-deliveries.ts'
import { signedResultsRepository } from './signed-results.ts'
import { standingCausesRepository } from './standing-causes.ts'
import { steadyRepository } from './steady/steady.ts'
import type { PostgresSettings } from './postgres/pool.ts'
import type { VendorScope } from '../model/scope.ts'
import { VendorScopePlugin } from './scope/plugin.ts'
import { readSummary } from './summary.ts'
import { dueRepository } from './due.ts'
import { releaseSbomsRepository } from './release-sboms.ts'
import { trackedAdvisoriesRepository } from './tracked-advisories.ts'
import { productConfigurationsRepository } from './product-configurations.ts'
import { productStatementsRepository } from './product-statements.ts'
import { wrongRecordsRepository } from './wrong-records.ts'
import { transitionsRepository } from './transitions.ts'
import { sweepOnce, type SweepTimes } from './sweep.ts'

/** Everything that the collector remembers, and the only way to it. */
export interface Store extends Repositories {
  /**
   * Everything that `action` does through the store it is given, or nothing when it throws. Transactions run one after
   * another; one within another joins it. `action` must use its own store: the outer one waits until the transaction
   * has ended.
   */
  transaction<T>(action: (store: Store) => Promise<T>): Promise<T>
  /**
   * The same for work that concerns these devices: with several collectors, work for other devices goes on beside it.
   * `action` may be done again after it was undone.
   */
  transactionOf<T>(devices: readonly Ueid[], action: (store: Store) => Promise<T>): Promise<T>
  /** The same as somebody sees it who is bound to a vendor: what is not his is not there, and cannot be changed. */
  within(scope: VendorScope): Store
}

type Repositories = ReturnType<typeof repositories>

function repositories(db: Executor) {
  return {
    products: productsRepository(db),
    enrolmentTokens: enrolmentTokensRepository(db),
    registrations: registrationsRepository(db),
    pendingEnrolments: pendingEnrolmentsRepository(db),
    apiTokens: apiTokensRepository(db),
    accounts: accountsRepository(db),
    loginSessions: loginSessionsRepository(db),
    loginChallenges: loginChallengesRepository(db),
    passkeys: passkeysRepository(db),
    oidcIdentities: oidcIdentitiesRepository(db),
    devices: devicesRepository(db),
    sessions: sessionsRepository(db),
    steady: steadyRepository(db),
    evidence: evidenceRepository(db),
    evidenceRuns: evidenceRunsRepository(db),
    refusals: refusalsRepository(db),
    quarantine: quarantineRepository(db),
    epochs: epochsRepository(db),
    receipts: receiptsRepository(db),
    postures: posturesRepository(db),
    pcrSets: pcrSetsRepository(db),
    bootReferences: bootReferencesRepository(db),
    sections: sectionsRepository(db),
    references: referencesRepository(db),
    reporting: reportingRepository(db),
    releases: releasesRepository(db),
    imaPolicies: imaPoliciesRepository(db),
    findings: findingsRepository(db),
    findingTransitions: findingTransitionsRepository(db),
    findingPolicies: findingPoliciesRepository(db),
    findingExceptions: findingExceptionsRepository(db),
    findingSummary: (request: SummaryRequest) => summarizeFindings(db, request),
    deviceLabels: deviceLabelsRepository(db),
    deviceGroups: deviceGroupsRepository(db),
    cases: casesRepository(db),
    standingCauses: standingCausesRepository(db),
    catalogueVersions: catalogueVersionsRepository(db),
    fleetPage: fleetPageRepository(db),
    fleetProof: fleetProofRepository(db),
    auditLog: auditLogRepository(db),
    notifications: notificationsRepository(db),
    reminders: remindersRepository(db),
    decisions: decisionsRepository(db),
    mirror: mirrorRepository(db),
    profileDocuments: profileDocumentsRepository(db),
    restorePoints: restorePointsRepository(db),
    recordedEvents: recordedEventsRepository(db),
    transitions: transitionsRepository(db),
    signedResults: signedResultsRepository(db),
    newestResults: newestResultsRepository(db),
    resultDeliveries: resultDeliveriesRepository(db),
    attestationChallenges: attestationChallengesRepository(db),
    collectorIntervals: collectorIntervalsRepository(db),
    due: dueRepository(db),
    fleet: fleetRepository(db),
    practices: practicesRepository(db),
    advisories: advisoriesRepository(db),
    advisorySets: advisorySetsRepository(db),
    wrongRecords: wrongRecordsRepository(db),
    exposedDevices: exposedDevicesRepository(db),
    deviceCounts: deviceCountsRepository(db),
    feedFetches: feedFetchesRepository(db),
    advisoryBundles: advisoryBundlesRepository(db),
    bundleSigners: bundleSignersRepository(db),
    exposures: exposuresRepository(db),
    releaseSboms: releaseSbomsRepository(db),
    trackedAdvisories: trackedAdvisoriesRepository(db),
    productStatements: productStatementsRepository(db),
    productConfigurations: productConfigurationsRepository(db),
    summary: () => readSummary(db),
    sweep: (times: SweepTimes, limit: number) => sweepOnce(db, times, limit),
    evidencePartitions: evidencePartitions(db),
  }
}

/** `db` must have been migrated. */
export function createStore(db: Executor): Store {
  return {
    ...repositories(db),
    transaction: (action) => transaction(db, (executor) => action(createStore(executor))),
    transactionOf: (devices, action) => transactionOf(db, devices, (executor) => action(createStore(executor))),
    within: (scope) => createStore(db.withPlugin(new VendorScopePlugin(db, scope))),
  }
}

export interface OpenStore {
  readonly store: Store
  close(): Promise<void>
}

/** The file of the embedded database, or where that of PostgreSQL is. */
export type StoreLocation = { readonly path: string } | { readonly postgres: PostgresSettings }

/** Opens the database, brings its schema up to date and gives the store over it. */
export async function openStore(location: StoreLocation): Promise<OpenStore> {
  await migrateStore(location)
  const db = 'path' in location ? openDatabase(location) : openPostgres(location.postgres)
  return { store: createStore(db), close: () => db.destroy() }
}

/** Applies what the schema lacks, or only says what that is. Gives the names of the steps. Error: state.schema-newer. */
export async function migrateStore(
  location: StoreLocation,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<readonly string[]> {
  const db =
    'path' in location
      ? openDatabase(location)
      : openPostgres({ ...location.postgres, connections: 1 }, { patient: true })
  try {
    return await (dryRun ? pendingMigrations(db) : migrate(db))
  } finally {
    await db.destroy()
  }
}
