import { describe, expect, test } from 'vitest'
import { deadlinesOf, overdueOf, type Deadline } from '../../../shared/decisions/cases/deadlines.ts'
import { CASE_STATES, isFinal } from '../../../shared/decisions/cases/case.ts'
import { NEXT_STEPS } from '../../../shared/decisions/cases/next-steps.ts'
import { CaseWork } from '../../support/case-decisions.ts'
import { DAY } from '../../support/decision-log.ts'

const HOUR = 3600
const shown = (work: CaseWork): readonly Deadline[] => {
  const { cases, certificates } = work.people.log.register
  return deadlinesOf(work.identity, cases.get(work.id), certificates.get('crt_1'))
}
const dueOf = (work: CaseWork, id: string) => shown(work).find((deadline) => deadline.id === id)?.due

describe('deadlines of a case', () => {
  test('begin with its triage, a day for an integrity failure', async () => {
    const work = await CaseWork.begin()
    expect(shown(work)).toMatchObject([{ id: 'triage', due: work.identity.openedAt + 24 * HOUR, metAt: null }])
    expect(overdueOf(shown(work), work.identity.openedAt + 24 * HOUR)).toEqual([])
    expect(overdueOf(shown(work), work.identity.openedAt + 24 * HOUR + 1)).toHaveLength(1)
  })

  test('are met by the step that they ask for, and follow the step before', async () => {
    const work = await (await CaseWork.begin()).until('triage')
    const { triaged } = work.found
    expect(shown(work)).toMatchObject([
      { id: 'triage', metAt: triaged?.at },
      { id: 'impact', metAt: null },
    ])
    expect(dueOf(work, 'impact')).toBe((triaged?.at ?? 0) + 7 * DAY)
    await (await CaseWork.begin()).until('scope')
  })

  test.each([
    // From a Saturday on: five working days.
    ['none', 6],
    ['minor', 30],
    ['major', 90],
    ['emergency', 30],
  ])('of a change of the class %s end %i days after its scope was set', async (name, days) => {
    const work = await (await CaseWork.begin()).until('impact')
    await work.decide(work.people.certifier, 'scope', { ...work.details().scope, class: name })
    expect(dueOf(work, 'class')).toBe(work.people.now + days * DAY)
  })

  test('of the law count from what a person of the vendor has said, and from nothing else', async () => {
    const work = await (await CaseWork.begin()).until('plan')
    const { people } = work
    expect(shown(work).some(({ isLegal }) => isLegal)).toBe(false)
    const awareAt = people.now - 2 * DAY
    for (const scheme of ['cra-vulnerability', 'cra-incident', 'eucc']) {
      await work.decide(people.vendor, 'aware', { ...work.details().aware, scheme, awareAt })
    }
    expect(dueOf(work, 'cra-vulnerability.early-warning')).toBe(awareAt + 24 * HOUR)
    expect(dueOf(work, 'cra-vulnerability.notification')).toBe(awareAt + 72 * HOUR)
    expect(dueOf(work, 'cra-vulnerability.final-report')).toBeUndefined()
    expect(dueOf(work, 'eucc.remedy')).toBe(awareAt + 30 * DAY)
    expect(dueOf(work, 'eucc.suspension')).toBeUndefined()
    await work.decide(people.vendor, 'fixed', work.details().fixed)
    expect(dueOf(work, 'cra-vulnerability.final-report')).toBe(people.now + 14 * DAY)
    const suspend = { reason: 'r', until: people.now + 30 * DAY, products: null }
    await people.decide(people.certifier, 'certificate.suspend', 'crt_1', suspend)
    expect(dueOf(work, 'eucc.suspension')).toBe(people.now + 42 * DAY)
  })

  test.each([
    ['2026-01-31', '2026-02-28'],
    ['2028-01-31', '2028-02-29'],
    ['2026-12-05', '2027-01-05'],
  ])('a month after %s is %s', async (from, until) => {
    const work = await CaseWork.begin()
    const awareAt = Date.parse(`${from}T10:00:00Z`) / 1000
    work.people.now = Date.UTC(2028, 5, 1) / 1000
    await work.decide(work.people.vendor, 'aware', { ...work.details().aware, scheme: 'cra-incident', awareAt })
    expect(dueOf(work, 'cra-incident.final-report')).toBe(Date.parse(`${until}T10:00:00Z`) / 1000)
  })

  test('of its own steps are over when it is closed', async () => {
    const work = await (await CaseWork.begin()).until('decide')
    expect(shown(work)).toEqual([])
  })

  test('there is something to do next in each state that is not final', () => {
    for (const state of CASE_STATES) expect(NEXT_STEPS[state] === null).toBe(isFinal(state))
  })
})
