import { share, upTo, type SignalDefinition } from './definition.ts'

/** Signals of the domain Governance. Most of it is for documents: these contradict, or support little. */
export const governanceSignals = {
  'program.on-time': {
    title: 'Reviews, actions and other duties that were done in time',
    unit: 'share',
    source: 'recorded',
    objective: { target: 0.95, windowDays: 90 },
    practices: { 'security-program-management': upTo(2, { 2: 0.95 }) },
  },
  'risk.expired-acceptances': {
    title: 'Accepted risks whose acceptance has run out',
    unit: 'count',
    source: 'recorded',
    objective: { target: 0, windowDays: 28 },
    practices: { 'risk-attitude': upTo(0, { 2: 0 }) },
  },
  'supply.known-programs': {
    title: 'Units on which every listening program is from a known package',
    unit: 'share',
    source: 'asserted',
    objective: share(0.98),
    practices: { 'supply-chain-risk-management': upTo(3, { 3: 0.98 }) },
  },
} as const satisfies Record<string, SignalDefinition>
