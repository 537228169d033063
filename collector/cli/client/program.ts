import { withCompletion } from '../../../shared/cli/completion/command.ts'
import { version } from '../../../shared/version.ts'
import { advisoryCommands } from './advisory.ts'
import { advisoryBundleCommands } from './advisory-bundle.ts'
import { advisoryFeedCommands } from './advisory-feeds.ts'
import { advisoryConfigurationCommands } from './advisory-configuration.ts'
import { advisoryFileCommands } from './advisory-file.ts'
import { advisoryStatementCommands } from './advisory-statement.ts'
import { bulkCommands } from './bulk.ts'
import { certificateCommands } from './certificates/index.ts'
import { caseCommands } from './cases/index.ts'
import { keyCommands } from './decisions/key.ts'
import { logCommands } from './decisions/log.ts'
import { peopleCommands } from './decisions/people.ts'
import { deviceCommands } from './device.ts'
import { deviceVulnerabilityCommands } from './device-vulnerabilities.ts'
import { eventCommands } from './event.ts'
import { catalogueCommands } from './maturity/catalogue.ts'
import { profileCommands } from './maturity/profile.ts'
import { documentRequestCommands } from './maturity/document-request.ts'
import { documentCommands } from './maturity/document.ts'
import { profileViewCommands } from './maturity/profile-view.ts'
import { profileFileCommands } from './maturity/profile-file.ts'
import { mirrorCommands } from './mirror/index.ts'
import { evidenceCommands } from './evidence.ts'
import { findingActCommands } from './finding-acts.ts'
import { findingExceptionCommands } from './finding-exception.ts'
import { findingPolicyCommands } from './finding-policy.ts'
import { findingSummaryCommands } from './finding-summary.ts'
import { findingCommands } from './finding.ts'
import { fleetCommands } from './fleet.ts'
import { groupCommands } from './group.ts'
import { imaPolicyCommands } from './ima-policy.ts'
import { inspectCommands } from './inspect/index.ts'
import { notificationCommands } from './notification.ts'
import { quarantineCommands } from './quarantine.ts'
import { practiceCommands } from './practice.ts'
import { productCommands } from './product.ts'
import { reportCommands } from './reports/index.ts'
import { restoreCommands } from './restore.ts'
import { attestCommands } from './device-attest.ts'
import { resultCommands } from './result.ts'
import { releaseCommands } from './release.ts'
import { releaseDiffCommands } from './release-diff.ts'
import { releaseFileCommands } from './release-file.ts'
import { releaseSbomCommands } from './release-sbom.ts'
import { assessmentCommands } from './roadmap/assessment.ts'
import { recommendationCommands } from './roadmap/recommendation.ts'
import { roadmapCommands } from './roadmap/roadmap.ts'
import { signalCommands } from './signal.ts'
import { registrationCommands } from './registration.ts'
import { tokenCommands } from './token.ts'

/** `keepseal`: what people do with a collector, over its API. One file a group of commands. */
export const client = withCompletion({
  name: 'keepseal',
  summary: 'Look at the fleet and decide about it',
  version,
  commands: [
    ...productCommands,
    ...releaseCommands,
    ...releaseFileCommands,
    ...releaseDiffCommands,
    ...releaseSbomCommands,
    ...imaPolicyCommands,
    ...tokenCommands,
    ...registrationCommands,
    ...fleetCommands,
    ...deviceCommands,
    ...evidenceCommands,
    ...eventCommands,
    ...advisoryCommands,
    ...advisoryFileCommands,
    ...advisoryStatementCommands,
    ...advisoryConfigurationCommands,
    ...advisoryFeedCommands,
    ...advisoryBundleCommands,
    ...deviceVulnerabilityCommands,
    ...practiceCommands,
    ...signalCommands,
    ...attestCommands,
    ...resultCommands,
    ...findingCommands,
    ...findingActCommands,
    ...findingSummaryCommands,
    ...findingPolicyCommands,
    ...findingExceptionCommands,
    ...groupCommands,
    ...bulkCommands,
    ...caseCommands,
    ...notificationCommands,
    ...quarantineCommands,
    ...restoreCommands,
    ...catalogueCommands,
    ...profileFileCommands,
    ...profileCommands,
    ...profileViewCommands,
    ...documentCommands,
    ...documentRequestCommands,
    ...recommendationCommands,
    ...roadmapCommands,
    ...assessmentCommands,
    ...keyCommands,
    ...peopleCommands,
    ...certificateCommands,
    ...reportCommands,
    ...logCommands,
    ...mirrorCommands,
    ...inspectCommands,
  ],
})
