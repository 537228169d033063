import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeepsealError } from '../../../shared/errors.ts'
import { FINAL_STATES, isFinal, type CaseState } from '../../../shared/decisions/cases/case.ts'
import { CASE, CaseWork } from '../../support/case-decisions.ts'

const STEPS = ['triage', 'aware', 'impact', 'scope', 'plan', 'fixed', 'verify', 'decide', 'escalate'] as const
const OUTCOMES = ['closed', 'remediation', 'profile-change', 'resume', 'ended'] as const

const moveOf = (step: fc.Arbitrary<(typeof STEPS)[number]>, outcome: fc.Arbitrary<(typeof OUTCOMES)[number]>) =>
  fc.record({
    step,
    by: fc.constantFrom('certifier', 'second', 'vendor', 'other'),
    outcome,
    shown: fc.constantFrom(0, 94, 95, 100),
    early: fc.boolean(),
  })
const anyMove = moveOf(fc.constantFrom(...STEPS), fc.constantFrom(...OUTCOMES))
/** The last steps, by whoever: here it shows whether somebody closes what he has mended. */
const lastMove = moveOf(fc.constantFrom('fixed', 'verify', 'verify', 'decide', 'decide'), fc.constant('closed'))

/** Weighted towards the way that leads somewhere: random orders alone would hardly ever come to the end of it. */
const walk = fc
  .tuple(fc.array(anyMove, { maxLength: 8 }), fc.array(lastMove, { maxLength: 16 }), fc.boolean())
  .map(([before, after, led]) => ({ before, after, led }))

test('no order of decisions closes a case without fresh evidence of enough units and a sign-off by another person', async () => {
  const reached = new Set<CaseState>()
  await fc.assert(
    fc.asyncProperty(walk, async ({ before, after, led }) => {
      const work = await CaseWork.begin()
      const { people, other } = work
      const persons = { certifier: people.certifier, second: people.second, vendor: people.vendor, other }
      if (led) await work.until('fixed')
      for (const { step, by, outcome, shown, early } of [...before, ...after]) {
        const details = work.details()
        const verify = { ...details.verify, fleet: { ...details.verify.fleet, shown } }
        if (early) verify.fleet.since -= 86_400
        const detail = { ...details, verify, decide: { ...details.decide, outcome } }[step]
        const was = people.log.register.cases.get(CASE)
        try {
          await work.decide(persons[by], step, detail)
        } catch (error) {
          // Whatever is refused is refused by a guard, and has changed nothing.
          if (!(error instanceof KeepsealError)) throw error
          expect(people.log.register.cases.get(CASE)).toBe(was)
          continue
        }
        expect(was === undefined || !isFinal(was.state)).toBe(true)
        reached.add(work.found.state)
        people.days(1)
      }
      const found = people.log.register.cases.get(CASE)
      if (found?.state !== 'closed') return
      const { verification, fix, fixers, history } = found
      expect(fixers.length).toBeGreaterThan(0)
      expect(fixers).not.toContain(verification?.by)
      expect(fixers).not.toContain(history.at(-1)?.by)
      expect(verification?.fleet?.shown).toBeGreaterThanOrEqual(95)
      expect(verification?.fleet?.since).toBeGreaterThanOrEqual(fix?.fixedAt ?? Infinity)
      expect(verification?.results.map(({ practice }) => practice)).toEqual(found.scope?.practices)
    }),
    { numRuns: 150 },
  )
  // A walk that never arrives would prove nothing.
  expect(reached).toContain('closed')
  expect(reached).toContain('escalated')
  expect(FINAL_STATES.some((state) => reached.has(state))).toBe(true)
})
