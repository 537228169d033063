import type { FindingCode } from '../../shared/codes/findings.ts'
import { OutcomeError } from '../../shared/errors.ts'
import { decodeSection } from '../../shared/posture/canonical.ts'
import { diffSection, STATUS_SUBJECT, type Change } from '../../shared/posture/diff.ts'
import { isSectionId, type SectionId } from '../../shared/posture/sections.ts'
import type { Deviation } from './context.ts'

/** Which finding a change of each section is, unless the section names it. One place to look when one is added. */
export const SECTION_CODES: Readonly<Record<SectionId, Readonly<Record<Change['kind'], FindingCode>>>> = {
  agent: { added: 'agent.changed', removed: 'agent.changed', changed: 'agent.changed' },
  boot: { added: 'boot.fact-changed', removed: 'boot.fact-changed', changed: 'boot.fact-changed' },
  tpm: { added: 'tpm.attribute-changed', removed: 'tpm.attribute-changed', changed: 'tpm.attribute-changed' },
  sockets: {
    added: 'sockets.listener-added',
    removed: 'sockets.listener-removed',
    changed: 'sockets.listener-changed',
  },
  packages: { added: 'packages.added', removed: 'packages.removed', changed: 'packages.changed' },
  'patch-level': {
    added: 'patch-level.image-changed',
    removed: 'patch-level.image-changed',
    changed: 'patch-level.image-changed',
  },
  system: { added: 'system.changed', removed: 'system.changed', changed: 'system.changed' },
  'update-channel': {
    added: 'update-channel.source-added',
    removed: 'update-channel.source-removed',
    changed: 'update-channel.source-changed',
  },
  hardening: {
    added: 'hardening.kernel-setting-changed',
    removed: 'hardening.kernel-setting-changed',
    changed: 'hardening.kernel-setting-changed',
  },
  operations: {
    added: 'operations.audit-changed',
    removed: 'operations.audit-changed',
    changed: 'operations.audit-changed',
  },
  firewall: {
    added: 'firewall.rules-changed',
    removed: 'firewall.rules-changed',
    changed: 'firewall.rules-changed',
  },
  access: {
    added: 'access.account-changed',
    removed: 'access.account-changed',
    changed: 'access.account-changed',
  },
}

/**
 * Whether a part of the posture can be measured, or is named at all, is not as expected. That a sensor failed is told
 * as such, and is then the one finding about the status of its section.
 */
export const sectionStatus = (id: string, before: string | null, after: string | null): Deviation => ({
  code: after?.startsWith('failed: ') === true ? 'agent.sensor-failed' : 'reporting.section-status-changed',
  subject: id,
  before,
  after,
})

/** Whether a finding says that a section, its subject, could not be looked into. There is one of these at a time. */
export const isAboutStatus = (code: FindingCode): boolean =>
  code === 'agent.sensor-failed' || code === 'reporting.section-status-changed'

/**
 * How a reported section differs from the approved one. `null`: the section is not named; `missing`: its content is
 * not here. A section that cannot be read, or that this version does not know, is a deviation and not a silence.
 */
export function sectionDeviations(
  id: string,
  before: Uint8Array | 'missing' | null,
  after: Uint8Array | 'missing' | null,
): readonly Deviation[] | 'content-missing' {
  if (before === null) return [sectionStatus(id, 'not reported', 'reported')]
  if (after === null) return [sectionStatus(id, 'reported', 'not reported')]
  if (before === 'missing' || after === 'missing') return 'content-missing'
  if (!isSectionId(id)) return [sectionStatus(id, 'approved content', 'other content, unknown to this collector')]
  try {
    return diffSection(id, decodeSection(id, before), decodeSection(id, after)).map((change) =>
      changeDeviation(id, change),
    )
  } catch (error) {
    if (!(error instanceof OutcomeError)) throw error
    return [sectionStatus(id, 'readable', error.code)]
  }
}

/** The finding that a change of a section is. */
export function changeDeviation(id: SectionId, change: Change): Deviation {
  const before = change.kind === 'added' ? null : change.before
  const after = change.kind === 'removed' ? null : change.after
  if (change.subject === STATUS_SUBJECT) return sectionStatus(id, before, after)
  const said = after === null || change.parts === undefined ? after : `${after}; with ${partsText(change.parts)}`
  return { code: change.code ?? SECTION_CODES[id][change.kind], subject: change.subject, before, after: said }
}

const MAX_PARTS = 8
const MAX_PART = 160

/** So that a further change of a part shows in the finding of the whole, and nobody approves what he was not told. */
function partsText(parts: readonly string[]): string {
  const shown = parts.slice(0, MAX_PARTS).map((part) => (part.length > MAX_PART ? `${part.slice(0, MAX_PART)}…` : part))
  return parts.length > MAX_PARTS ? `${shown.join(', ')} and ${parts.length - MAX_PARTS} more` : shown.join(', ')
}
