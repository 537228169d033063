import { expect, it } from 'vitest'
import { PRACTICE_STATUSES, worstStatus } from '../../../../shared/maturity/conformity/status.ts'
import { practiceChangeHandlers, type PracticeChange } from '../../../../collector/tracking/practices/changes.ts'
import { bytes, NOW, storedProduct } from '../../store/samples.ts'
import { describeStore } from '../../store/support.ts'

describeStore('a practice whose conformity changed', (createStore) => {
  it('is told to people, but for the first look at what is not bad', async () => {
    const store = createStore()
    const product = await storedProduct(store)
    const reasons = [{ code: 'signal-broken', text: 'p90 is 20 days', restore: 'roll it out' }] as const
    const change = { product, practice: 'patch-management', at: NOW, reasons } as const
    const changes: PracticeChange[] = [
      { ...change, from: null, to: 'conforming' },
      { ...change, from: 'conforming', to: 'at-risk' },
      { ...change, from: 'at-risk', to: 'drift' },
    ]
    for (const each of changes) {
      for (const handle of practiceChangeHandlers)
        await handle(store, each, { random: (size) => bytes('x', size), certificates: [] })
    }
    const told = (await store.notifications.undispatched(10)).map(({ kind, severity, text }) => [kind, severity, text])
    const name = 'Acme Gate 7: Patch Management'
    expect(told).toEqual([
      ['practice.changed', 'medium', `${name} is at-risk, was conforming: p90 is 20 days`],
      ['practice.changed', 'high', `${name} is drift, was at-risk: p90 is 20 days`],
    ])
  })

  it('to drift opens one case of each certificate, and again only when it comes to drift again', async () => {
    const store = createStore()
    const product = await storedProduct(store)
    const reasons = [{ code: 'signal-broken', text: 'p90 is 20 days', restore: 'roll it out' }] as const
    const steps = [
      ['conforming', 'at-risk'],
      ['at-risk', 'drift'],
      ['drift', 'conforming'],
      ['conforming', 'drift'],
    ] as const
    const opened: number[] = []
    let drawn = 0
    const context = { random: (size: number) => bytes(`case ${drawn++}`, size), certificates: ['crt_1', 'crt_2'] }
    for (const [index, [from, to]] of steps.entries()) {
      const change = { product, practice: 'patch-management', at: NOW + index, reasons, from, to } as const
      for (const handle of practiceChangeHandlers) await handle(store, change, context)
      const { items } = await store.cases.list({ limit: 10 })
      opened.push(items.length)
      expect(items.every(({ cause, subject }) => cause === 'practice.drift' && subject === 'patch-management')).toBe(
        true,
      )
      if (to === 'conforming') for (const { id } of items) await store.cases.setState(id, 'closed')
    }
    expect(opened).toEqual([0, 2, 2, 4])
    const { items } = await store.cases.list({ limit: 10 })
    expect(items.map(({ certificateId }) => certificateId).sort()).toEqual(['crt_1', 'crt_1', 'crt_2', 'crt_2'])
  })

  it('counts for several as the worst of them, and for none as unknown', () => {
    expect(worstStatus([])).toBe('unknown')
    expect(worstStatus(['conforming', 'unknown', 'at-risk'])).toBe('unknown')
    expect(worstStatus(PRACTICE_STATUSES)).toBe('nonconforming')
  })
})
