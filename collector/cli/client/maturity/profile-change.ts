import type { ProfileChange } from '../../../../shared/decisions/profile.ts'
import { choice, text } from '../../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../../shared/errors.ts'

const KINDS = ['raise', 'lower-guarantee', 'unresolvable-nonconformity'] as const

const words = (description: string) => ({ description, value: text(8192), placeholder: 'TEXT' }) as const

/** What a change of an approved profile has to say, by its kind. */
export const changeOptions = {
  change: { description: `${KINDS.join(', ')}.`, value: choice(KINDS), placeholder: 'KIND' },
  reason: words('Why: of raise and lower-guarantee.'),
  'public-note': words('What customers are told of a lowering.'),
  recommendation: words('Of lower-guarantee: what the next product version should do.'),
  case: { description: 'Of unresolvable-nonconformity: its case.', value: text(128), placeholder: 'ID' },
  unresolvable: words('Why the nonconformity cannot be resolved.'),
  unforeseen: words('Why nobody could foresee that.'),
} as const

interface ChangeFlags {
  readonly change: (typeof KINDS)[number] | undefined
  readonly reason: string | undefined
  readonly publicNote: string | undefined
  readonly recommendation: string | undefined
  readonly case: string | undefined
  readonly unresolvable: string | undefined
  readonly unforeseen: string | undefined
}

/** Throws `usage.invalid` where the proof that the kind asks for is missing. */
export function changeOf(flags: ChangeFlags, isFirst: boolean): ProfileChange {
  if (isFirst) {
    if (flags.change === undefined) return { kind: 'initial' }
    throw new KeepsealError('usage.invalid', '--change is for a profile that was approved before')
  }
  const { change: kind, publicNote, recommendation, case: caseId, unresolvable, unforeseen } = flags
  if (kind === undefined) throw new KeepsealError('usage.invalid', `--change is needed: ${KINDS.join(', ')}`)
  const need = (option: string, value: string | undefined): string => {
    if (value !== undefined) return value
    throw new KeepsealError('usage.invalid', `--change ${kind} needs --${option}`)
  }
  if (kind === 'raise') return { kind, reason: need('reason', flags.reason) }
  const note = need('public-note', publicNote)
  if (kind === 'lower-guarantee') {
    const reason = need('reason', flags.reason)
    return { kind, reason, publicNote: note, recommendation: need('recommendation', recommendation) }
  }
  return {
    kind,
    case: need('case', caseId),
    unresolvable: need('unresolvable', unresolvable),
    unforeseen: need('unforeseen', unforeseen),
    publicNote: note,
  }
}
