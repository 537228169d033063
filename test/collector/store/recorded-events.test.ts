import { expect, it } from 'vitest'
import { recordEvent, type NewEvent } from '../../../collector/tracking/practices/record.ts'
import { bytes, everyPage, NOW, storedProduct } from './samples.ts'
import { describeStore } from './support.ts'

const by = { id: 'api_x', name: 'Ada' }
let serial = 0
const at = (now: number) => ({ now, random: (size: number) => bytes(`event ${serial++}`, size) })

describeStore('recorded events', (createStore) => {
  const event = (productId: string, over: Partial<NewEvent> = {}): NewEvent => ({
    productId,
    kind: 'advisory-triaged',
    detail: { advisory: 'CVE-2026-1' },
    occurredAt: NOW,
    reference: '',
    corrects: null,
    ...over,
  })

  it('are kept with who said so and when, apart from when it happened', async () => {
    const store = createStore()
    const { id: productId } = await storedProduct(store)
    const long = event(productId, { occurredAt: NOW - 90 * 86_400_000, reference: 'https://tickets.example/7' })
    const made = await recordEvent(store, long, by, at(NOW))
    expect(await store.recordedEvents.byId(made.id)).toEqual(made)
    expect(made).toMatchObject({ occurredAt: NOW - 90 * 86_400_000, recordedAt: NOW, recordedByName: 'Ada' })
    const [entry] = (await store.auditLog.list({ limit: 1 })).items
    expect(entry).toMatchObject({ action: 'event.record', subject: made.id, actor: 'api_x' })
  })

  it('are corrected by another one, once, and both stay', async () => {
    const store = createStore()
    const { id: productId } = await storedProduct(store)
    const wrong = await recordEvent(store, event(productId), by, at(NOW))
    const right = event(productId, { detail: { advisory: 'CVE-2026-2' }, corrects: wrong.id })
    const corrected = await recordEvent(store, right, by, at(NOW + 1))
    await expect(recordEvent(store, right, by, at(NOW + 2))).rejects.toMatchObject({ code: 'request.conflict' })
    expect((await store.recordedEvents.counting(productId)).map(({ id }) => id)).toEqual([corrected.id])
    const listed = (await everyPage((cursor) => store.recordedEvents.list({ limit: 1, cursor }, { productId }))).flat()
    expect(listed.map(({ event: each, correctedBy }) => [each.id, correctedBy])).toEqual([
      [corrected.id, null],
      [wrong.id, corrected.id],
    ])
    expect(
      (await store.auditLog.list({ limit: 10 })).items.filter(({ action }) => action === 'event.record'),
    ).toHaveLength(2)
  })

  it('of another product are corrected by none of this one', async () => {
    const store = createStore()
    const one = await storedProduct(store)
    const two = await storedProduct(store, { model: 'another' })
    const other = await recordEvent(store, event(two.id), by, at(NOW))
    const foreign = recordEvent(store, event(one.id, { corrects: other.id }), by, at(NOW))
    await expect(foreign).rejects.toMatchObject({ code: 'request.invalid' })
    const unknown = recordEvent(
      store,
      event(one.id, { corrects: other.id.replace(/.$/, (last) => (last === '0' ? '1' : '0')) }),
      by,
      at(NOW),
    )
    await expect(unknown).rejects.toMatchObject({ code: 'request.not-found' })
    expect(await store.recordedEvents.counting(one.id)).toEqual([])
  })

  it('cannot be of the future, nor say less or more than their kind does', async () => {
    const store = createStore()
    const { id: productId } = await storedProduct(store)
    const refused: Partial<NewEvent>[] = [
      { occurredAt: NOW + 300_001 },
      { detail: {} },
      { detail: { advisory: 'CVE-2026-1', extra: 1 } },
      { detail: { advisory: 'two words' } },
      { kind: 'fix-released', detail: { advisory: 'CVE-2026-1', fixedIn: { package: 'openssl' } } },
      { kind: 'unit-recovered', detail: { minutes: -1, visit: false } },
    ]
    for (const over of refused) {
      const made = recordEvent(store, event(productId, over), by, at(NOW))
      await expect(made, JSON.stringify(over)).rejects.toMatchObject({ code: 'request.invalid' })
    }
    expect(await store.recordedEvents.counting(productId)).toEqual([])
  })
})
