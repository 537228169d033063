import { expect, it } from 'vitest'
import { upstreamTopic } from '../../../shared/evidence/topics.ts'
import { makeUeid, type Ueid } from '../../../shared/evidence/identifiers.ts'
import type { SetAside } from '../../../collector/model/quarantine.ts'
import { bytes, NOW } from './samples.ts'
import { describeStore } from './support.ts'

describeStore('quarantine', (createStore) => {
  const one = makeUeid(bytes('one', 16))
  const message = (label: string, ueid: Ueid = one): SetAside => ({
    topic: upstreamTopic(ueid, 'evidence'),
    bytes: bytes(label, 64),
    receivedAt: NOW,
    reason: 'TypeError',
    detail: 'x is undefined',
    tries: 2,
  })

  it('holds a message once, with the first arrival and all of its tries', async () => {
    const { quarantine } = createStore()
    expect(await quarantine.add([message('a'), message('b')], NOW)).toBe(2)
    const again = { ...message('a'), receivedAt: NOW + 5, reason: 'state.busy', detail: '' }
    expect(await quarantine.add([again], NOW + 9)).toBe(0)
    const { items } = await quarantine.list({ limit: 9 })
    expect(items).toMatchObject([
      { tries: 2, lastFailedAt: NOW, reason: 'TypeError' },
      {
        ...message('a'),
        ueid: one,
        tries: 4,
        receivedAt: NOW,
        lastFailedAt: NOW + 9,
        reason: 'state.busy',
        detail: '',
      },
    ])
    expect(await quarantine.byId(items[1]?.id ?? 0)).toEqual(items[1])
  })

  it('keeps the newest of each device, so that one has no room of another, and is bounded in all', async () => {
    const { quarantine } = createStore()
    const quiet = makeUeid(bytes('quiet', 16))
    await quarantine.add([message('quiet', quiet)], NOW)
    await quarantine.add(
      Array.from({ length: 25 }, (_, index) => message(`${index}`)),
      NOW,
    )
    expect((await quarantine.list({ limit: 99 }, { ueid: one })).items).toHaveLength(20)
    expect((await quarantine.list({ limit: 99 }, { ueid: quiet })).items).toHaveLength(1)
    const fleet = Array.from({ length: 1005 }, (_, index) => message('same', makeUeid(bytes(`device ${index}`, 16))))
    await quarantine.add(fleet, NOW)
    expect(await quarantine.count()).toBe(1000)
  })

  it('gives up what a person removes, and what is old', async () => {
    const store = createStore()
    await store.quarantine.add([message('a'), message('b')], NOW)
    const [newest] = (await store.quarantine.list({ limit: 1 })).items
    expect(await store.quarantine.remove(newest?.id ?? 0)).toBe(true)
    expect(await store.quarantine.remove(newest?.id ?? 0)).toBe(false)
    const times = { evidence: 0, history: 0, findings: 0, pcrValues: 0 }
    expect((await store.sweep({ ...times, refusals: NOW }, 9)).get('quarantine')).toBe(0)
    expect((await store.sweep({ ...times, refusals: NOW + 1 }, 9)).get('quarantine')).toBe(1)
  })
})
