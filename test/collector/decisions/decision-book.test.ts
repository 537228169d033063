import { expect, test } from 'vitest'
import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { certify, DecidingPeople, exampleDocument, exampleRequest } from '../../support/decision-log.ts'
import { refusalOf } from '../../support/keepseal-error.ts'
import { storedProduct } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'

describeStore('a book of decisions', (store) => {
  async function filled(people: DecidingPeople): Promise<DecisionBook> {
    const book = new DecisionBook(store())
    for (const entry of people.entries) await book.append(entry, people.now)
    return book
  }

  test('says after a restart what it said before', async () => {
    const people = await DecidingPeople.begin()
    const book = await filled(people)
    expect(await new DecisionBook(store()).register()).toEqual(await book.register())
    expect((await book.register()).people.size).toBe(3)
  })

  test('lets one of two who decide at once be first, and tells the other', async () => {
    const people = await DecidingPeople.begin()
    const [one, other] = [await filled(people), new DecisionBook(store())]
    await other.register()
    const revoke = { reason: 'left' }
    const [first, second] = await Promise.all([
      people.sign(people.certifier, 'person.revoke', people.vendor.id, revoke),
      people.sign(people.second, 'person.revoke', people.vendor.id, revoke),
    ])
    const outcomes = await Promise.allSettled([one.append(first, people.now), other.append(second, people.now)])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
    expect(['log.moved-on', 'log.broken-link']).toContain(refused[0])
    expect((await other.register()).people.get(people.vendor.id)?.revokedAt).toBe(people.now)
    expect(await one.register()).toEqual(await other.register())
  })

  test('takes no entry that is from the future', async () => {
    const people = await DecidingPeople.begin()
    const book = await filled(people)
    people.days(1)
    const entry = await people.sign(people.certifier, 'person.revoke', people.vendor.id, { reason: 'left' })
    const refused = await refusalOf(book.append(entry, people.now - 86_400))
    expect(refused.code).toBe('log.time-reversed')
    expect((await book.next()).index).toBe(3)
  })

  test('takes no entry that is from the past', async () => {
    const people = await DecidingPeople.begin()
    const book = await filled(people)
    const entry = await people.sign(people.certifier, 'person.revoke', people.vendor.id, { reason: 'left' })
    expect((await refusalOf(book.append(entry, people.now + 301))).code).toBe('log.time-reversed')
    await book.append(entry, people.now + 300)
  })

  test('forgets what the database did not take', async () => {
    const people = await DecidingPeople.begin()
    const book = await filled(people)
    const entry = await people.sign(people.certifier, 'person.revoke', people.vendor.id, { reason: 'left' })
    await store().decisions.append(3, new Uint8Array([1]), 0)
    await expect(book.append(entry, people.now)).rejects.toMatchObject({ code: 'log.malformed' })
  })
})

describeStore('the certificates of a product', (store) => {
  test('are asked within a transaction while somebody reads outside, and follow what was decided', async () => {
    const owner = await storedProduct(store(), { vendor: 'Acme', model: 'Gate 7' })
    const other = await storedProduct(store(), { vendor: 'Acme', model: 'Gate 8' })
    const people = await certify(store(), 'Acme/Gate 7')
    const book = new DecisionBook(store())
    const now = people.now * 1000
    const inside = store().transaction(async (transaction) => {
      const outside = book.register()
      return { outside, found: await book.certificatesCovering(owner.id, now, transaction) }
    })
    expect((await inside).found.map(({ id }) => id)).toEqual(['crt_1'])
    expect((await (await inside).outside).certificates.size).toBe(1)
    expect(await book.certificatesCovering(other.id, now)).toEqual([])
    expect(await book.certificatesCovering(owner.id, now + 1001 * 86_400_000)).toEqual([])
    await book.append(
      await people.sign(people.certifier, 'certificate.withdraw', 'crt_1', { reason: 'a hole' }),
      people.now,
    )
    expect(await book.certificatesCovering(owner.id, now)).toEqual([])
  })
})

describeStore('documents in the book', (store) => {
  test('are of a kind that the catalogue has for the practice, and so is what is asked for', async () => {
    const people = await DecidingPeople.begin()
    const book = new DecisionBook(store())
    for (const entry of people.entries) await book.append(entry, people.now)
    const tryOut = async (kind: string, subject: string, detail: object) =>
      book.append(await people.sign(people.vendor, kind, subject, detail), people.now)
    for (const over of [{ kind: 'no-such-kind' }, { practices: ['patch-management', 'risk-attitude'] }]) {
      const refused = await refusalOf(tryOut('document.submit', 'doc_1', exampleDocument(people, over)))
      expect(refused.code).toBe('document.kind-unknown')
    }
    for (const over of [{ kind: 'no-such-kind' }, { practice: 'risk-attitude' }]) {
      const refused = await refusalOf(tryOut('document.request', 'req_1', exampleRequest(people, over)))
      expect(refused.code).toBe('document.kind-unknown')
    }
    expect((await book.next()).index).toBe(people.entries.length)
    await tryOut('document.submit', 'doc_1', exampleDocument(people))
    expect((await book.register()).documents.size).toBe(1)
  })
})
