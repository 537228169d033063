import type { FindingEntry } from './finding-entry.ts'

const LOOK = 'keepseal-agent status on the gateway tells what it waits for; look at its power and its connection.'

/** Whether evidence comes at all: an axis of its own, which changes no verdict and clears no failure. Part of ./findings.ts. */
export const livenessFindings = {
  'liveness.never-seen': {
    axis: 'liveness',
    severity: 'medium',
    trigger: 'T14',
    title: 'the gateway was enrolled and has never sent fresh evidence',
    remedy: LOOK,
  },
  'liveness.stale': {
    axis: 'liveness',
    severity: 'low',
    trigger: 'T14',
    title: 'the gateway has missed its last reports',
    remedy: LOOK,
  },
  'liveness.silent': {
    axis: 'liveness',
    severity: 'high',
    trigger: 'T14',
    title: 'the gateway sends no evidence any more',
    remedy: `${LOOK} Silence proves nothing good: a failure stays one.`,
  },
} as const satisfies Record<string, FindingEntry>
