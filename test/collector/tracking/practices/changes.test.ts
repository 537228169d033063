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

  it('counts for several as the worst of them, and for none as unknown', () => {
    expect(worstStatus([])).toBe('unknown')
    expect(worstStatus(['conforming', 'unknown', 'at-risk'])).toBe('unknown')
    expect(worstStatus(PRACTICE_STATUSES)).toBe('nonconforming')
  })
})
