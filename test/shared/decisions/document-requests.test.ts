import { beforeEach, describe, expect, test } from 'vitest'
import { standingOfRequest } from '../../../shared/decisions/documents/request.ts'
import { DAY, DecidingPeople, exampleDocument, exampleRequest, signatory } from '../../support/decision-log.ts'
import { newPerson } from '../../../shared/decisions/person.ts'
import { refusalOf } from '../../support/keepseal-error.ts'

let people: DecidingPeople
beforeEach(async () => {
  people = await DecidingPeople.begin()
})

const refused = async (promise: Promise<unknown>): Promise<string> => (await refusalOf(promise)).code
const ask = (over: object = {}, id = 'req_1') =>
  people.decide(people.certifier, 'document.request', id, exampleRequest(people, over))
const submit = (id: string, over: object = {}, by = people.vendor) =>
  people.decide(by, 'document.submit', id, exampleDocument(people, over))
const accept = (id: string) => people.decide(people.certifier, 'document.accept', id, { reason: 'read' })
const request = (id = 'req_1') => {
  const found = people.log.register.documentRequests.get(id)
  if (found === undefined) throw new Error(`no ${id}`)
  return found
}
const standing = (days = 0) => standingOfRequest(request(), people.log.register, people.now + days * DAY)

describe('a document that somebody was asked for', () => {
  test('is owed until it is handed in, and fulfilled when it is accepted', async () => {
    await ask()
    expect([0, 52, 53, 59, 60, 900].map(standing)).toEqual([
      'open',
      'open',
      'due-soon',
      'due-soon',
      'overdue',
      'overdue',
    ])
    people.days(61)
    await submit('doc_1')
    expect(standing()).toBe('handed-in')
    people.days(1)
    await accept('doc_1')
    expect(standing()).toBe('fulfilled')
    expect(request().fulfilled).toEqual({ by: 'doc_1', at: people.now - DAY })
  })

  test('is owed again when what was handed in is rejected', async () => {
    await ask()
    await submit('doc_1')
    await people.decide(people.certifier, 'document.reject', 'doc_1', { reason: 'unsigned' })
    expect(standing()).toBe('open')
  })

  test('stays fulfilled when the document ends: its own reminders tell of that', async () => {
    await ask()
    await submit('doc_1')
    await accept('doc_1')
    await people.decide(people.vendor, 'document.expire-early', 'doc_1', { trigger: 'incident', reason: 'a breach' })
    expect(standing()).toBe('fulfilled')
  })

  test.each<[string, object]>([
    ['of another kind', { kind: 'emergency-patch-procedure' }],
    ['for another practice', { practices: ['access-control'] }],
    ['about another product', { products: ['Acme/Gate 8'] }],
  ])('is not what is %s', async (_, over) => {
    await ask()
    await submit('doc_1', over)
    await accept('doc_1')
    expect(standing()).toBe('open')
  })

  test('is not what was handed in before it was asked for', async () => {
    await submit('doc_1')
    people.days(1)
    await ask()
    await accept('doc_1')
    expect(standing()).toBe('open')
  })

  test('of a person is handed in by nobody else', async () => {
    const other = signatory('per_other', 'vendor')
    await people.decide(people.certifier, 'person.add', other.id, newPerson('other', 'vendor', other.key))
    await ask({ from: { person: other.id } })
    await submit('doc_1')
    await accept('doc_1')
    expect(standing()).toBe('open')
    await submit('doc_2', {}, other)
    await accept('doc_2')
    expect(request().fulfilled?.by).toBe('doc_2')
  })

  test('is asked of nobody who is unknown or revoked, nor until a day that is over, nor twice', async () => {
    expect(await refused(ask({ from: { person: 'per_nobody' } }))).toBe('decision.no-such-subject')
    expect(await refused(ask({ until: people.now }))).toBe('decision.period')
    await ask()
    expect(await refused(ask())).toBe('decision.exists-already')
    await people.decide(people.certifier, 'person.revoke', people.vendor.id, { reason: 'left' })
    expect(await refused(ask({ from: { person: people.vendor.id } }, 'req_2'))).toBe('document.signer-revoked')
  })

  test('is withdrawn by who asked or a certifier, and not by who owes it, nor once it is there', async () => {
    const withdraw = (by = people.vendor) =>
      people.decide(by, 'document.withdraw-request', 'req_1', { reason: 'not wanted' })
    await ask()
    expect(await refused(withdraw())).toBe('decision.role')
    await withdraw(people.second)
    expect(standing()).toBe('withdrawn')
    expect(await refused(withdraw(people.second))).toBe('decision.wrong-state')
    await submit('doc_1')
    await accept('doc_1')
    expect(standing()).toBe('withdrawn')
  })
})
