import * as v from 'valibot'
import { PRACTICE_IDS } from '../../maturity/practices.ts'
import { PROOFS, TRIGGER_IDS } from '../../maturity/triggers.ts'
import { digest, longText, seconds, shortText } from '../kind.ts'
import { OUTCOMES } from './case.ts'
import { CHANGE_CLASSES, LEGAL_SCHEMES } from './schemes.ts'

/** What each decision about a case says. Bounded: whoever reads a log reads all of it. */

const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const
const list = <const S extends v.GenericSchema>(item: S, most: number) => v.pipe(v.array(item), v.maxLength(most))
const some = <const S extends v.GenericSchema>(item: S, most: number) =>
  v.pipe(v.array(item), v.minLength(1), v.maxLength(most))
const practice = v.picklist(PRACTICE_IDS)
const practices = v.pipe(
  some(practice, PRACTICE_IDS.length),
  v.check((given) => new Set(given).size === given.length, 'a practice is named twice'),
)
const changeClass = v.picklist(CHANGE_CLASSES)
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

const identity = v.strictObject({
  facts: digest,
  product: shortText,
  certificate: shortText,
  trigger: v.picklist(TRIGGER_IDS),
  cause: shortText,
  proof: v.picklist(PROOFS),
  openedAt: seconds,
})

export const triageSchema = v.strictObject({
  case: identity,
  /** As the collector has it now: it grows with the number of units. */
  severity: v.picklist(SEVERITIES),
  outcome: v.picklist(['accepted', 'dismissed']),
  reason: longText,
})

export const awareSchema = v.strictObject({
  case: identity,
  scheme: v.picklist(LEGAL_SCHEMES),
  awareAt: seconds,
  reason: longText,
  /** Who or what made the vendor aware. */
  source: longText,
})

export const impactSchema = v.strictObject({
  summary: longText,
  from: v.nullable(shortText),
  to: v.nullable(shortText),
  changes: list(v.strictObject({ what: longText, effect: longText }), 64),
  practices,
  affectedEvidence: list(longText, 64),
  proposedClass: changeClass,
})

export const scopeSchema = v.pipe(
  v.strictObject({
    practices,
    criteria: list(v.strictObject({ practice, criterion: longText }), 128),
    class: changeClass,
    severity: v.picklist(SEVERITIES),
    recommendations: list(longText, 64),
    reason: longText,
  }),
  v.check(
    ({ practices: named, criteria }) => criteria.every((each) => named.includes(each.practice)),
    'a criterion is of a practice that is not in the scope',
  ),
)

export const planSchema = v.pipe(
  v.strictObject({
    actions: some(v.strictObject({ what: longText, owner: shortText, due: seconds }), 64),
    until: seconds,
  }),
  v.check(({ actions, until }) => actions.every(({ due }) => due <= until), 'an action is due after the plan ends'),
)

export const fixedSchema = v.strictObject({ fixedAt: seconds, what: longText, release: v.nullable(shortText) })

export const verifySchema = v.strictObject({
  results: some(v.strictObject({ practice, result: longText }), PRACTICE_IDS.length),
  fleet: v.nullable(
    v.pipe(
      v.strictObject({ since: seconds, shown: count, declared: count }),
      v.check(({ shown, declared }) => shown <= declared, 'more units show the fix than there are'),
    ),
  ),
  documents: list(v.strictObject({ title: shortText, digest, dated: seconds }), 64),
})

export const decideSchema = v.strictObject({ outcome: v.picklist(OUTCOMES), reason: longText })

export const escalateSchema = v.strictObject({
  measure: v.picklist(['suspend', 'withdraw']),
  /** Products that it is proposed for; null: all of the certificate. */
  products: v.nullable(some(shortText, 256)),
  reason: longText,
})
