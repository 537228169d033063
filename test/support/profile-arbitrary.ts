import * as fc from 'fast-check'
import { SCOPES } from '../../shared/maturity/levels.ts'
import { PRACTICE_IDS } from '../../shared/maturity/practices.ts'
import { PRIORITIES } from '../../shared/maturity/profile.ts'
import { SIGNAL_IDS } from '../../shared/maturity/signals.ts'
import { profileOf } from './profile.ts'

const text = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 }).map((each) => `x${each}`)
const slug = fc.stringMatching(/^[a-z]([a-z0-9]{0,8})$/)
const override = fc.record({ target: fc.nat(1000), windowDays: fc.integer({ min: 1, max: 366 }) })
const practice = fc.record({
  target: fc.record({ level: fc.integer({ min: 1, max: 4 }), scope: fc.constantFrom(...SCOPES) }),
  priority: fc.constantFrom(...PRIORITIES),
  rationale: text,
  slo: fc.dictionary(fc.constantFrom(...SIGNAL_IDS), override, { maxKeys: 3, noNullPrototype: true }),
  documents: fc.uniqueArray(slug, { maxLength: 4 }),
})
const practices = fc.uniqueArray(fc.constantFrom(...PRACTICE_IDS), { minLength: 1 })
const limitation = fc.record({
  id: slug,
  title: text,
  reason: text,
  practices,
  compensation: fc.option(
    fc.record({ text, check: fc.record({ kind: fc.constant('document' as const), document: slug }) }),
  ),
  public: fc.boolean(),
})
export const anyProfile = fc
  .record({
    ids: practices,
    each: practice,
    limitations: fc.uniqueArray(limitation, { selector: ({ id }) => id, maxLength: 5 }),
    days: fc.integer({ min: 1, max: 1096 }),
  })
  .map(({ ids, each, limitations, days }) =>
    profileOf({
      practices: Object.fromEntries(ids.map((id) => [id, each])),
      limitations,
      review: { everyDays: days },
    }),
  )
