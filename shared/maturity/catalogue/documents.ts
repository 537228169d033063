import type { PracticeId } from '../practices.ts'
import type { DocumentKind } from './schema.ts'

type Level = 1 | 2 | 3 | 4

/** Asked for from the level `from` on, and good for up to `supports`. */
function kind(
  title: string,
  months: number,
  uses: Readonly<Partial<Record<PracticeId, readonly [from: Level, supports: Level]>>>,
  ...expiresOn: DocumentKind['expiresOn']
): DocumentKind {
  const practices = Object.fromEntries(
    Object.entries(uses).map(([practice, [from, supports]]) => [practice, { from, supports }]),
  )
  return { title, months, practices, expiresOn }
}

/** What people have to say about practices, for no sensor sees it. How long it is good for is a default. */
export const documentKinds: Readonly<Record<string, DocumentKind>> = {
  'programme-charter': kind('Charter of the security programme', 12, { 'security-program-management': [1, 4] }),
  'management-review': kind('Review of the programme by those who decide', 12, {
    'security-program-management': [3, 4],
  }),
  'compliance-matrix': kind(
    'Requirements with what meets them',
    12,
    { 'compliance-management': [2, 4] },
    'major-change',
  ),
  'legal-register': kind('Register of laws and contracts', 6, { 'compliance-management': [1, 4] }),
  'threat-model': kind(
    'Threat model',
    12,
    { 'threat-modeling': [1, 4] },
    'interface-change',
    'major-change',
    'new-threat',
  ),
  'risk-policy': kind('Policy for risks, signed by their owner', 12, { 'risk-attitude': [1, 4] }, 'owner-left'),
  'risk-acceptance': kind('Acceptance of one risk', 6, { 'risk-attitude': [3, 4] }, 'incident', 'owner-left'),
  'supplier-review': kind(
    'Review of a supplier',
    12,
    { 'supply-chain-risk-management': [2, 4] },
    'incident',
    'supplier-change',
  ),
  'supplier-contract': kind(
    'Contract with a supplier',
    24,
    { 'supply-chain-risk-management': [3, 4] },
    'supplier-change',
  ),
  'service-agreement': kind(
    'Agreement with the provider of a service',
    12,
    { 'third-party-dependencies-management': [2, 4] },
    'supplier-change',
  ),
  'service-assurance-report': kind(
    'Report of an independent body on a service',
    12,
    { 'third-party-dependencies-management': [3, 4] },
    'incident',
    'supplier-change',
  ),
  'key-management-policy': kind('Policy for keys and certificates', 24, {
    'establishing-and-maintaining-identities': [3, 4],
  }),
  'access-review': kind('Review of accounts and rights', 6, { 'access-control': [3, 4] }, 'owner-left'),
  'remote-access-rule': kind('Rule for remote access', 12, { 'access-control': [3, 4] }, 'interface-change'),
  'change-procedure': kind('Procedure for changes, emergencies included', 12, {
    'asset-change-and-configuration-management': [2, 4],
  }),
  'release-approval': kind(
    'Approval of one release',
    24,
    { 'asset-change-and-configuration-management': [3, 4] },
    'new-release',
  ),
  'enclosure-evidence': kind(
    'Evidence of the enclosure and the place',
    24,
    { 'physical-protection': [1, 4] },
    'major-change',
  ),
  'assembly-control': kind(
    'Control of assembly and delivery',
    24,
    { 'physical-protection': [3, 4] },
    'supplier-change',
  ),
  'data-policy': kind('Policy for data', 12, { 'protection-model-and-policy-for-data': [1, 4] }, 'interface-change'),
  'data-protection-impact-assessment': kind(
    'Assessment of the impact on personal data',
    12,
    { 'protection-model-and-policy-for-data': [3, 4] },
    'interface-change',
    'major-change',
  ),
  'cryptography-review': kind(
    'Review of the use of cryptography',
    12,
    { 'implementation-of-data-protection-controls': [3, 4] },
    'major-change',
    'new-threat',
  ),
  'vulnerability-analysis-report': kind(
    'Report of a targeted search for vulnerabilities',
    12,
    { 'vulnerability-assessment': [3, 4] },
    'major-change',
  ),
  'disclosure-policy': kind('Policy for reports of vulnerabilities', 12, { 'vulnerability-assessment': [3, 4] }),
  'patch-policy': kind('Policy for patches', 12, { 'patch-management': [3, 4] }),
  'emergency-patch-procedure': kind('Procedure for emergency patches', 12, { 'patch-management': [3, 4] }, 'incident'),
  'monitoring-plan': kind('Plan of what is monitored', 12, { 'monitoring-practice': [3, 4] }, 'interface-change'),
  'retention-rule': kind('Rule how long records are kept', 12, { 'monitoring-practice': [3, 4] }),
  'sharing-membership': kind('Membership in a body that shares threat information', 12, {
    'situation-awareness-and-information-sharing': [3, 4],
  }),
  'sharing-agreement': kind('Agreement on sharing', 12, { 'situation-awareness-and-information-sharing': [4, 4] }),
  'incident-response-plan': kind(
    'Plan for incidents',
    12,
    { 'event-detection-and-response-plan': [2, 4] },
    'incident',
    'owner-left',
  ),
  'exercise-record': kind('Record of an exercise', 12, { 'event-detection-and-response-plan': [3, 4] }),
  'contact-list': kind('List of contacts', 6, { 'event-detection-and-response-plan': [1, 4] }, 'owner-left'),
  'continuity-plan': kind(
    'Plan for the continuity of operations',
    12,
    { 'remediation-recovery-and-continuity-of-operations': [3, 4] },
    'incident',
    'major-change',
  ),
  'recovery-objectives': kind('Agreed times and losses of recovery', 12, {
    'remediation-recovery-and-continuity-of-operations': [3, 4],
  }),
  'restore-test-record': kind(
    'Record of a test of restoring',
    6,
    { 'remediation-recovery-and-continuity-of-operations': [3, 4] },
    'major-change',
  ),
}
