import { expect, test } from 'vitest'
import { DecisionBook } from '../../../../collector/decisions/decision-book.ts'
import type { Store } from '../../../../collector/store/index.ts'
import { ReminderClerk } from '../../../../collector/tracking/reminders/clerk.ts'
import { toHex } from '../../../../shared/bytes/bytes.ts'
import { hash } from '../../../../shared/crypto/node.ts'
import { encodeProfile } from '../../../../shared/maturity/profile-encoding.ts'
import { DAY, DecidingPeople, exampleDocument, exampleRequest } from '../../../support/decision-log.ts'
import { profileOf } from '../../../support/profile.ts'
import { SILENT } from '../../../support/test-collector.ts'
import { storedProduct } from '../../store/samples.ts'
import { describeStore } from '../../store/support.ts'

/** Somebody who decides, and the clerk of a collector on whose clock the days go by. */
async function office(store: Store) {
  const people = await DecidingPeople.begin()
  const begin = people.now
  let day = 0
  let stored = 0
  const save = async () => {
    for (; stored < people.entries.length; stored++) {
      await store.decisions.append(stored, people.entries[stored] ?? new Uint8Array(), begin * 1000)
    }
  }
  const clerk = (isLeader = true) =>
    new ReminderClerk({
      store,
      decisions: new DecisionBook(store),
      clock: () => (begin + day * DAY) * 1000,
      logger: SILENT,
      isLeader: () => Promise.resolve(isLeader),
    })
  let told = 0
  const heard = async () => {
    const events = await store.notifications.undispatched(1000)
    const fresh = events.slice(told)
    told = events.length
    return fresh
  }
  /** What a collector that is started anew on that day tells. */
  const on = async (to: number, who = clerk()) => {
    day = to
    await save()
    await who.look()
    return (await heard()).map(({ kind, subject, severity }) => `${kind} ${subject} ${severity}`)
  }
  const accept = async (id: string, over: object = {}) => {
    await people.decide(people.vendor, 'document.submit', id, exampleDocument(people, over))
    await people.decide(people.certifier, 'document.accept', id, { reason: 'read' })
  }
  return { store, people, clerk, on, accept, heard, setDay: (to: number) => (day = to), save }
}

describeStore('reminders of documents', (createStore) => {
  test('are told once at each threshold, by whichever process runs then', async () => {
    const { on, accept } = await office(createStore())
    await accept('doc_1')
    const seen: [number, string[]][] = []
    for (const day of [0, 334, 335, 336, 364, 365, 378, 379, 380, 800]) {
      const told = await on(day)
      if (told.length > 0) seen.push([day, told])
    }
    expect(seen).toEqual([
      [335, ['document.due doc_1 medium']],
      [365, ['document.due doc_1 medium']],
      [379, ['document.due doc_1 high']],
    ])
  })

  test('are not told twice when the clock is put back, nor what lies before what was told', async () => {
    const { on, accept } = await office(createStore())
    await accept('doc_1')
    expect(await on(370)).toHaveLength(1)
    expect(await on(340)).toEqual([])
    expect(await on(366)).toEqual([])
    expect(await on(379)).toEqual(['document.due doc_1 high'])
  })

  test('tell only the last of what passed while no collector ran', async () => {
    const { on, accept } = await office(createStore())
    await accept('doc_1')
    expect(await on(500)).toEqual(['document.due doc_1 high'])
  })

  test('are told by one of several that look at once, and by nobody who does not lead', async () => {
    const { clerk, on, accept, heard, setDay } = await office(createStore())
    await accept('doc_1')
    expect(await on(340, clerk(false))).toEqual([])
    setDay(340)
    const counts = await Promise.all([clerk().look(), clerk().look(), clerk().look()])
    expect(counts.reduce((sum, each) => sum + each, 0)).toBe(1)
    expect(await heard()).toHaveLength(1)
  })

  test('are neither told nor forgotten when the event cannot be written', async () => {
    const { store, clerk, on, accept, setDay, save } = await office(createStore())
    await accept('doc_1')
    setDay(340)
    await save()
    const failing: Store = {
      ...store,
      transaction: (action) =>
        store.transaction((inner) =>
          action({
            ...inner,
            notifications: { ...inner.notifications, add: () => Promise.reject(new Error('disk full')) },
          }),
        ),
    }
    const broken = new ReminderClerk({
      store: failing,
      decisions: new DecisionBook(store),
      clock: () => Date.UTC(2026, 11, 7),
      logger: SILENT,
      isLeader: () => Promise.resolve(true),
    })
    await expect(broken.look()).rejects.toThrow('disk full')
    expect((await store.reminders.stages()).size).toBe(0)
    expect(await on(340, clerk())).toHaveLength(1)
  })

  test('concern neither what was never accepted nor what was replaced or ended', async () => {
    const { people, on, accept } = await office(createStore())
    await people.decide(people.vendor, 'document.submit', 'doc_waiting', exampleDocument(people))
    await accept('doc_ended')
    await people.decide(people.vendor, 'document.expire-early', 'doc_ended', {
      trigger: 'incident',
      reason: 'a breach',
    })
    await accept('doc_old')
    await accept('doc_new', { supersedes: 'doc_old' })
    expect(await on(340)).toEqual(['document.due doc_new medium'])
  })

  test('are of one product, or of none when they concern several', async () => {
    const { store, on, accept, heard, save, setDay, clerk } = await office(createStore())
    const { id } = await storedProduct(store, { vendor: 'Acme', model: 'Gate 7' })
    await accept('doc_one')
    await accept('doc_two', { products: ['Acme/Gate 7', 'Acme/Gate 8'] })
    await save()
    setDay(340)
    await clerk().look()
    expect((await heard()).map(({ subject, productId }) => [subject, productId])).toEqual([
      ['doc_one', id],
      ['doc_two', null],
    ])
    expect(await on(341)).toEqual([])
  })
})

describeStore('reminders of requests', (createStore) => {
  test('are told when a document is due soon and when it is overdue, not while one waits to be accepted', async () => {
    const { people, on } = await office(createStore())
    await people.decide(people.certifier, 'document.request', 'req_1', exampleRequest(people))
    expect(await on(52)).toEqual([])
    expect(await on(53)).toEqual(['request.due req_1 medium'])
    await people.decide(people.vendor, 'document.submit', 'doc_1', exampleDocument(people))
    expect(await on(61)).toEqual([])
    await people.decide(people.certifier, 'document.reject', 'doc_1', { reason: 'unsigned' })
    expect(await on(62)).toEqual(['request.due req_1 high'])
    expect(await on(63)).toEqual([])
  })
})

describeStore('reminders of reviews', (createStore) => {
  test('are told when a review is near and when it is overdue, and anew after it was held', async () => {
    const store = createStore()
    const { people, on } = await office(store)
    const bytes = encodeProfile(profileOf())
    const sha256 = hash('sha256', bytes)
    await store.profileDocuments.save(new Uint8Array(sha256), bytes, 0)
    const named = { version: 1, digest: toHex(sha256) }
    const targets = { 'patch-management': { level: 3, scope: 'system' } }
    await people.decide(people.vendor, 'profile.submit', 'gate', { ...named, targets, change: { kind: 'initial' } })
    expect(await on(1000)).toEqual([])
    await people.decide(people.certifier, 'profile.approve', 'gate', named)
    expect(await on(149)).toEqual([])
    expect(await on(150)).toEqual(['review.due gate medium'])
    expect(await on(151)).toEqual([])
    expect(await on(180)).toEqual(['review.due gate high'])
    expect(await on(170)).toEqual([])
    people.days(190)
    await people.decide(people.vendor, 'profile.review', 'gate', { ...named, outcome: 'confirmed', text: 'as before' })
    expect(await on(191)).toEqual([])
    expect(await on(190 + 150)).toEqual(['review.due gate medium'])
  })
})
