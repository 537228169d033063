import { PRACTICE_IDS, type PracticeId } from './practices.ts'
import type { SignalDefinition } from './signals/definition.ts'
import { enablementSignals } from './signals/enablement.ts'
import { governanceSignals } from './signals/governance.ts'
import { hardeningSignals } from './signals/hardening.ts'

/**
 * Everything that is measured about practices, each with its default objective: the closed list. What a practice asks for
 * and none of these measures is for documents (the catalogue says which). Numbers are defaults, which a profile can
 * override.
 */
const ALL = { ...governanceSignals, ...enablementSignals, ...hardeningSignals }

export type SignalId = keyof typeof ALL

export const SIGNALS: Readonly<Record<SignalId, SignalDefinition>> = ALL

export const SIGNAL_IDS = Object.keys(ALL) as [SignalId, ...SignalId[]]

export function isSignalId(id: string): id is SignalId {
  return Object.hasOwn(ALL, id)
}

/** The signals that say something about a practice. */
export function signalsOf(practice: PracticeId): readonly SignalId[] {
  return SIGNAL_IDS.filter((id) => SIGNALS[id].practices[practice] !== undefined)
}

/** What only documents and people can tell of: no signal speaks of these practices. */
export const DOCUMENT_ONLY_PRACTICES: readonly PracticeId[] = PRACTICE_IDS.filter(
  (practice) => signalsOf(practice).length === 0,
)
