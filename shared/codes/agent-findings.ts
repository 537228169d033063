import { APPROVE, type FindingEntry } from './finding-entry.ts'

/** The agent itself. Part of ./findings.ts. */
export const agentFindings = {
  'agent.changed': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T2',
    title: 'the agent is not the approved one: its program, its runtime or how it is started',
    remedy:
      'Expected after an update of the agent: keepseal device approve UEID. Otherwise install it anew from its ' +
      'package, and examine the gateway.',
  },
  'agent.configuration-changed': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T14',
    title: 'an option of the agent is not the approved one',
    remedy: APPROVE,
  },
  'agent.sensor-failed': {
    axis: 'reporting',
    severity: 'medium',
    trigger: 'T14',
    title: 'a sensor failed, so that its part of the posture is not known',
    remedy: 'keepseal-agent doctor on the gateway tells which input it could not use.',
  },
} as const satisfies Record<string, FindingEntry>
