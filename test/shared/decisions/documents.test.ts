import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { GRACE_SECONDS } from '../../../shared/decisions/documents/document.ts'
import { standingOfDocument } from '../../../shared/decisions/documents/standing.ts'
import { DAY, DecidingPeople, exampleDocument, type Signatory } from '../../support/decision-log.ts'
import { refusalOf } from '../../support/keepseal-error.ts'

let people: DecidingPeople
beforeEach(async () => {
  people = await DecidingPeople.begin()
})

const refused = async (promise: Promise<unknown>): Promise<string> => (await refusalOf(promise)).code

const submit = (id: string, over: object = {}, by: Signatory = people.vendor) =>
  people.decide(by, 'document.submit', id, exampleDocument(people, over))
const accept = (id: string, by: Signatory = people.certifier) =>
  people.decide(by, 'document.accept', id, { reason: 'read and found right' })
const standing = (id: string) => {
  const { register } = people.log
  const document = register.documents.get(id)
  if (document === undefined) throw new Error(`no ${id}`)
  return standingOfDocument(document, register, people.now)
}

describe('a document', () => {
  test('counts once somebody else has accepted it, expires with grace, and then counts no more', async () => {
    await submit('doc_1')
    expect(standing('doc_1')).toMatchObject({ standing: 'submitted', counts: false })
    await accept('doc_1')
    const seen: [number, string, boolean][] = []
    for (const days of [0, 334, 335, 364, 365, 378, 379, 800]) {
      const document = people.log.register.documents.get('doc_1')
      if (document === undefined) throw new Error('gone')
      const { standing: is, counts } = standingOfDocument(document, people.log.register, people.now + days * DAY)
      seen.push([days, is, counts])
    }
    expect(seen).toEqual([
      [0, 'accepted', true],
      [334, 'accepted', true],
      [335, 'expiring', true],
      [364, 'expiring', true],
      [365, 'in-grace', true],
      [378, 'in-grace', true],
      [379, 'expired', false],
      [800, 'expired', false],
    ])
  })

  test('counts at no time after its end and grace, whatever its dates', async () => {
    await submit('doc_1')
    await accept('doc_1')
    const { register } = people.log
    const document = register.documents.get('doc_1')
    if (document === undefined) throw new Error('gone')
    fc.assert(
      fc.property(fc.nat(1000 * DAY), fc.nat(2000 * DAY), (validUntil, at) => {
        const { counts } = standingOfDocument({ ...document, validUntil }, register, at)
        expect(counts).toBe(at < validUntil + GRACE_SECONDS)
      }),
    )
  })

  test('is accepted by nobody who submitted it, nor by the vendor', async () => {
    await submit('doc_1', {}, people.certifier)
    expect(await refused(accept('doc_1'))).toBe('decision.own-work')
    expect(await refused(accept('doc_1', people.vendor))).toBe('decision.role')
    await accept('doc_1', people.second)
  })

  test.each<[string, () => object]>([
    ['for longer than 24 months', () => ({ validUntil: people.now + 745 * DAY })],
    ['that has expired', () => ({ issued: people.now - 20 * DAY, validUntil: people.now })],
    ['of the future', () => ({ issued: people.now + 2 * DAY })],
  ])('%s is refused', async (_, over) => {
    expect(await refused(submit('doc_1', over()))).toBe('decision.period')
  })

  test.each<[string, object]>([
    ['an unknown practice', { practices: ['patch-managment'] }],
    ['no practice', { practices: [] }],
    ['no digest', { file: { name: 'a', sha256: '' } }],
    ['an end before its beginning', { validUntil: 0 }],
  ])('with %s is not as documented', async (_, over) => {
    expect(await refused(submit('doc_1', over))).toBe('log.malformed')
  })

  test('that nobody accepted in time cannot be accepted any more', async () => {
    await submit('doc_1')
    people.days(366)
    expect(standing('doc_1').standing).toBe('expired')
    expect(await refused(accept('doc_1'))).toBe('decision.period')
  })

  test('replaces another of its kind when it is accepted, not before', async () => {
    await submit('doc_1')
    await accept('doc_1')
    await submit('doc_2', { supersedes: 'doc_1' })
    expect(standing('doc_1').standing).toBe('accepted')
    expect(await refused(submit('doc_3', { supersedes: 'doc_1', kind: 'threat-model' }))).toBe('decision.wrong-state')
    await accept('doc_2')
    expect([standing('doc_1').standing, standing('doc_2').standing]).toEqual(['superseded', 'accepted'])
  })

  test('ends early without grace, and is not brought back', async () => {
    await submit('doc_1')
    await accept('doc_1')
    await people.decide(people.vendor, 'document.expire-early', 'doc_1', { trigger: 'incident', reason: 'a breach' })
    expect(standing('doc_1')).toMatchObject({ standing: 'ended', counts: false })
    expect(await refused(accept('doc_1'))).toBe('decision.wrong-state')
  })

  test('that was rejected is not accepted', async () => {
    await submit('doc_1')
    await people.decide(people.certifier, 'document.reject', 'doc_1', { reason: 'it is another product' })
    expect(standing('doc_1')).toMatchObject({ standing: 'rejected', counts: false })
    expect(await refused(accept('doc_1'))).toBe('decision.wrong-state')
  })
})

describe('a document that is replaced by decision', () => {
  const supersede = (id: string, by: string, who: Signatory = people.certifier) =>
    people.decide(who, 'document.supersede', id, { by, reason: 'a newer one says the same' })

  test('counts no more, and the other goes on', async () => {
    for (const id of ['doc_1', 'doc_2']) {
      await submit(id)
      await accept(id)
    }
    await supersede('doc_1', 'doc_2')
    expect(standing('doc_1')).toMatchObject({ standing: 'superseded', counts: false })
    expect(standing('doc_2')).toMatchObject({ standing: 'accepted', counts: true })
    expect(await refused(supersede('doc_2', 'doc_1'))).toBe('decision.wrong-state')
  })

  test('is replaced by an accepted one of its kind alone, other than itself, by a certifier', async () => {
    await submit('doc_1')
    await accept('doc_1')
    await submit('doc_waiting')
    await submit('doc_other', { kind: 'emergency-patch-procedure' })
    await accept('doc_other')
    expect(await refused(supersede('doc_1', 'doc_1'))).toBe('decision.wrong-state')
    expect(await refused(supersede('doc_1', 'doc_waiting'))).toBe('decision.wrong-state')
    expect(await refused(supersede('doc_1', 'doc_other'))).toBe('decision.wrong-state')
    expect(await refused(supersede('doc_1', 'doc_9'))).toBe('decision.no-such-subject')
    expect(await refused(supersede('doc_waiting', 'doc_1'))).toBe('decision.wrong-state')
    expect(await refused(supersede('doc_1', 'doc_other', people.vendor))).toBe('decision.role')
    expect(standing('doc_1').counts).toBe(true)
  })
})

describe('a person who was revoked', () => {
  const revoke = () => people.decide(people.certifier, 'person.revoke', people.vendor.id, { reason: 'left' })

  test('leaves accepted documents that are flagged', async () => {
    await submit('doc_1')
    await accept('doc_1')
    expect(standing('doc_1').signerRevoked).toBe(false)
    await revoke()
    expect(standing('doc_1')).toMatchObject({ standing: 'accepted', signerRevoked: true })
  })

  test('has no document accepted, and submits none', async () => {
    await submit('doc_1')
    await revoke()
    expect(await refused(accept('doc_1'))).toBe('document.signer-revoked')
    expect(await refused(submit('doc_2'))).toBe('log.revoked-author')
  })
})
