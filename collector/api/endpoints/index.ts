import type { Endpoint } from '../endpoint.ts'
import { advisoryEndpoints } from './advisories.ts'
import { advisoryBundleEndpoints } from './advisory-bundle.ts'
import { advisoryFeedEndpoints } from './advisory-feeds.ts'
import { accountEndpoints } from './accounts.ts'
import { bulkEndpoints } from './bulk.ts'
import { bootEndpoints } from './boot.ts'
import { caseEndpoints } from './cases.ts'
import { certificateEndpoints } from './certificates.ts'
import { decisionEndpoints } from './decisions.ts'
import { deviceGroupEndpoints } from './device-groups.ts'
import { deviceHistoryEndpoints } from './device-history.ts'
import { devicePostureEndpoints } from './device-posture.ts'
import { deviceEndpoints } from './devices.ts'
import { documentRequestEndpoints } from './document-requests.ts'
import { documentEndpoints } from './documents.ts'
import { enrolmentTokenEndpoints } from './enrolment-tokens.ts'
import { registrationEndpoints } from './registrations.ts'
import { evidenceEndpoints } from './evidence.ts'
import { findingActEndpoints } from './finding-acts.ts'
import { findingExceptionEndpoints } from './finding-exceptions.ts'
import { findingPolicyEndpoints } from './finding-policies.ts'
import { findingSummaryEndpoints } from './finding-summary.ts'
import { findingEndpoints } from './findings.ts'
import { fleetEndpoints } from './fleet.ts'
import { imaPolicyEndpoints } from './ima-policies.ts'
import { notificationEndpoints } from './notifications.ts'
import { recordedEventEndpoints } from './recorded-events.ts'
import { quarantineEndpoints } from './quarantine.ts'
import { practiceEndpoints } from './practices.ts'
import { productUnitsEndpoints } from './product-units.ts'
import { releaseDecisionEndpoints } from './release-decisions.ts'
import { releaseDiffEndpoints } from './release-diffs.ts'
import { releaseEndpoints } from './releases.ts'
import { releaseSbomEndpoints } from './release-sboms.ts'
import { practiceCatalogueEndpoints } from './practice-catalogue.ts'
import { profileEndpoints } from './profiles.ts'
import { productEndpoints } from './products.ts'
import { coverageEndpoints } from './coverage.ts'
import { reportEndpoints } from './reports.ts'
import { mirrorEndpoints } from './mirror.ts'
import { restoreEndpoints } from './restores.ts'
import { challengeEndpoints } from './challenges.ts'
import { deviceBootsEndpoints } from './device-boots.ts'
import { deviceListenerEndpoints } from './device-listeners.ts'
import { rollOutEndpoints } from './roll-out.ts'
import { resultEndpoints } from './results.ts'
import { roadmapEndpoints } from './roadmap.ts'
import { advisoryStatementEndpoints } from './advisory-statements.ts'
import { productConfigurationEndpoints } from './product-configurations.ts'
import { vulnerabilityEndpoints } from './vulnerabilities.ts'

/** Every route below /api/v1 that needs a token. */
export const endpoints: readonly Endpoint[] = [
  ...productEndpoints,
  ...imaPolicyEndpoints,
  ...releaseEndpoints,
  ...releaseDecisionEndpoints,
  ...releaseDiffEndpoints,
  ...releaseSbomEndpoints,
  ...certificateEndpoints,
  ...enrolmentTokenEndpoints,
  ...registrationEndpoints,
  ...deviceEndpoints,
  ...coverageEndpoints,
  ...deviceHistoryEndpoints,
  ...devicePostureEndpoints,
  ...fleetEndpoints,
  ...evidenceEndpoints,
  ...resultEndpoints,
  ...challengeEndpoints,
  ...deviceBootsEndpoints,
  ...deviceListenerEndpoints,
  ...rollOutEndpoints,
  ...bootEndpoints,
  ...findingEndpoints,
  ...findingActEndpoints,
  ...findingPolicyEndpoints,
  ...findingExceptionEndpoints,
  ...findingSummaryEndpoints,
  ...deviceGroupEndpoints,
  ...bulkEndpoints,
  ...caseEndpoints,
  ...notificationEndpoints,
  ...quarantineEndpoints,
  ...restoreEndpoints,
  ...decisionEndpoints,
  ...recordedEventEndpoints,
  ...advisoryEndpoints,
  ...advisoryFeedEndpoints,
  ...advisoryBundleEndpoints,
  ...vulnerabilityEndpoints,
  ...advisoryStatementEndpoints,
  ...productConfigurationEndpoints,
  ...practiceEndpoints,
  ...productUnitsEndpoints,
  ...practiceCatalogueEndpoints,
  ...accountEndpoints,
  ...profileEndpoints,
  ...documentEndpoints,
  ...reportEndpoints,
  ...mirrorEndpoints,
  ...documentRequestEndpoints,
  ...roadmapEndpoints,
]
