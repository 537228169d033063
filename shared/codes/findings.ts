import { accessFindings } from './access-findings.ts'
import { agentFindings } from './agent-findings.ts'
import { bootFindings } from './boot-findings.ts'
import { EXAMINE, type FindingEntry } from './finding-entry.ts'
import { hardeningFindings } from './hardening-findings.ts'
import { livenessFindings } from './liveness-findings.ts'
import { postureFindings } from './posture-findings.ts'
import { releaseFindings } from './release-findings.ts'

export type { FindingAxis, FindingEntry, Severity } from './finding-entry.ts'

const table = {
  ...agentFindings,
  ...bootFindings,
  'identity.clone': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T15',
    title: 'two agents report with one identity',
    remedy: 'Revoke the device, find the copy, and enrol both anew.',
  },
  'identity.tpm-cleared': {
    axis: 'integrity',
    severity: 'high',
    trigger: 'T15',
    title: 'the TPM was cleared: its counters went back',
    remedy: EXAMINE,
  },
  'reporting.tpm-clock-implausible': {
    axis: 'reporting',
    severity: 'medium',
    trigger: 'T14',
    title: "the TPM's clock advanced faster than time went by",
    remedy: 'Expected after somebody set the clock of the TPM forward; otherwise examine the gateway.',
  },
  'reporting.rollback': {
    axis: 'reporting',
    severity: 'medium',
    trigger: 'T14',
    title: "the agent's state was set back to an earlier one",
    remedy: 'Expected after restoring an image; otherwise examine the gateway.',
  },
  'reporting.loss': {
    axis: 'reporting',
    severity: 'low',
    trigger: 'T14',
    title: 'the agent had to drop evidence that it could not deliver',
    remedy: 'Look at the connection, or enlarge the outbox.',
  },
  'reporting.section-status-changed': {
    axis: 'reporting',
    severity: 'medium',
    trigger: 'T14',
    title: 'whether a part of the posture can be measured has changed',
    remedy: 'keepseal-agent doctor on the gateway tells why.',
  },
  ...postureFindings,
  ...hardeningFindings,
  ...accessFindings,
  ...releaseFindings,
  ...livenessFindings,
} as const satisfies Record<string, FindingEntry>

export type FindingCode = keyof typeof table

export const findings: Readonly<Record<FindingCode, FindingEntry>> = table
