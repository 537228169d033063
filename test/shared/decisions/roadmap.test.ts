import { beforeEach, describe, expect, test } from 'vitest'
import { standingOfRecommendation } from '../../../shared/decisions/roadmap/recommendation.ts'
import { standingOfStep } from '../../../shared/decisions/roadmap/item.ts'
import { DAY, DecidingPeople, exampleRecommendation, exampleStep } from '../../support/decision-log.ts'
import { refusalOf } from '../../support/keepseal-error.ts'

let people: DecidingPeople
beforeEach(async () => {
  people = await DecidingPeople.begin()
})

const refused = async (promise: Promise<unknown>): Promise<string> => (await refusalOf(promise)).code

describe('a recommendation', () => {
  const make = (id: string, over: object = {}, by = people.certifier) =>
    people.decide(by, 'recommendation.make', id, exampleRecommendation(over))
  const answer = (id: string, given: string, by = people.vendor) =>
    people.decide(by, 'recommendation.answer', id, { answer: given, reason: 'as planned' })
  const standing = (id: string) => {
    const found = people.log.register.recommendations.get(id)
    return found && standingOfRecommendation(found)
  }

  test('is made by the certifier alone, and answered by the vendor alone, until it is done', async () => {
    expect(await refused(make('rcm_1', {}, people.vendor))).toBe('decision.role')
    await make('rcm_1')
    expect(standing('rcm_1')).toBe('unanswered')
    expect(await refused(answer('rcm_1', 'accepted', people.certifier))).toBe('decision.role')
    for (const given of ['declined', 'accepted', 'done']) {
      await answer('rcm_1', given)
      expect(standing('rcm_1')).toBe(given)
    }
    expect(await refused(answer('rcm_1', 'declined'))).toBe('decision.wrong-state')
    expect(await refused(answer('rcm_2', 'accepted'))).toBe('decision.no-such-subject')
    expect(await refused(answer('rcm_1', 'perhaps'))).toBe('log.malformed')
  })

  test('is withdrawn by a certifier, and answered no more', async () => {
    await make('rcm_1')
    const withdraw = (by = people.second) =>
      people.decide(by, 'recommendation.withdraw', 'rcm_1', { reason: 'it was wrong' })
    expect(await refused(withdraw(people.vendor))).toBe('decision.role')
    await withdraw()
    expect(standing('rcm_1')).toBe('withdrawn')
    expect(await refused(answer('rcm_1', 'accepted'))).toBe('decision.wrong-state')
    expect(await refused(withdraw())).toBe('decision.wrong-state')
  })

  test('is repeated for a similar product, and says after which one', async () => {
    await make('rcm_1')
    await make('rcm_2', { products: ['Acme/Gate 9'], like: 'rcm_1' })
    expect(people.log.register.recommendations.get('rcm_2')).toMatchObject({ like: 'rcm_1', products: ['Acme/Gate 9'] })
    expect(await refused(make('rcm_3', { like: 'rcm_9' }))).toBe('decision.no-such-subject')
    expect(await refused(make('rcm_3', { like: 'rcm_1', practice: 'access-control' }))).toBe('decision.wrong-state')
    expect(await refused(make('rcm_1'))).toBe('decision.exists-already')
  })
})

describe('a step of a roadmap', () => {
  const add = (id: string, over: object = {}, by = people.vendor) =>
    people.decide(by, 'roadmap.add', id, exampleStep(people, over))
  const step = (id: string) => people.log.register.roadmap.get(id) ?? expect.fail(`no ${id}`)

  test('is open until its day, then overdue, and ends as done or dropped', async () => {
    await add('rmi_1')
    await add('rmi_2')
    const { due } = step('rmi_1')
    expect([due - 1, due].map((at) => standingOfStep(step('rmi_1'), at))).toEqual(['open', 'overdue'])
    await people.decide(people.vendor, 'roadmap.close', 'rmi_1', { outcome: 'done', reason: 'the fleet shows it' })
    await people.decide(people.vendor, 'roadmap.close', 'rmi_2', { outcome: 'dropped', reason: 'the product ends' })
    expect([standingOfStep(step('rmi_1'), due), standingOfStep(step('rmi_2'), due)]).toEqual(['done', 'dropped'])
    const again = people.decide(people.vendor, 'roadmap.close', 'rmi_1', { outcome: 'dropped', reason: 'no' })
    expect(await refused(again)).toBe('decision.wrong-state')
  })

  test('keeps the day that was promised at first', async () => {
    await add('rmi_1')
    const { due: first } = step('rmi_1')
    const change = (due: number) =>
      people.decide(people.vendor, 'roadmap.change', 'rmi_1', { owner: 'Ben', due, reason: 'Olga is ill' })
    await change(first + 30 * DAY)
    expect(step('rmi_1')).toMatchObject({ owner: 'Ben', due: first + 30 * DAY, firstDue: first })
    expect(await refused(change(people.now))).toBe('decision.period')
  })

  test('is the matter of whoever mends, lowers no level, and is about what there is', async () => {
    expect(await refused(add('rmi_1', {}, people.certifier))).toBe('decision.role')
    expect(await refused(add('rmi_1', { fromLevel: 3, toLevel: 2 }))).toBe('log.malformed')
    expect(await refused(add('rmi_1', { toLevel: 5 }))).toBe('log.malformed')
    expect(await refused(add('rmi_1', { products: [] }))).toBe('log.malformed')
    expect(await refused(add('rmi_1', { due: people.now }))).toBe('decision.period')
    expect(await refused(add('rmi_1', { due: people.now + 4000 * DAY }))).toBe('decision.period')
    expect(await refused(add('rmi_1', { recommendation: 'rcm_1' }))).toBe('decision.no-such-subject')
    expect(await refused(add('rmi_1', { case: 'cas_1' }))).toBe('decision.no-such-subject')
    await people.decide(
      people.certifier,
      'recommendation.make',
      'rcm_1',
      exampleRecommendation({ practice: 'access-control' }),
    )
    expect(await refused(add('rmi_1', { recommendation: 'rcm_1' }))).toBe('decision.wrong-state')
    await add('rmi_1', { recommendation: 'rcm_1', practice: 'access-control' })
    expect(await refused(add('rmi_1'))).toBe('decision.exists-already')
  })
})
