import { choice, text, type ValueType } from '../../../../shared/config/value-types.ts'
import { CHANGE_CLASSES } from '../../../../shared/decisions/cases/schemes.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { PRACTICE_IDS } from '../../../../shared/maturity/practices.ts'

/** Options that several decisions about cases have. */

export const TEXT = { value: text(8192), placeholder: 'TEXT' } as const
export const reason = { description: 'Why: it is what others will read.', ...TEXT, required: true } as const
export const practice = {
  description: 'A practice that is affected.',
  value: choice(PRACTICE_IDS),
  placeholder: 'PRACTICE',
  multiple: true,
  required: true,
} as const
export const several = (description: string, placeholder: string, value: ValueType<string> = text(8192)) =>
  ({ description: `${description}.`, value, placeholder, multiple: true }) as const
export const changeClass = {
  description: `${CHANGE_CLASSES.join(', ')}.`,
  value: choice(CHANGE_CLASSES),
  placeholder: 'CLASS',
  required: true,
} as const

export const secondsOf = (time: string): number => Math.floor(Date.parse(time) / 1000)

/** `FIRST: SECOND` of an option. */
export function pair(value: string, form: string): readonly [string, string] {
  const colon = value.indexOf(':')
  const [first, second] = [value.slice(0, colon).trim(), value.slice(colon + 1).trim()]
  if (colon < 0 || first === '' || second === '') throw new KeepsealError('usage.invalid', `${form} is wanted`)
  return [first, second]
}
