import * as v from 'valibot'
import type { RecordedEventKind } from '../../../shared/maturity/events/kinds.ts'
import type { ExamplePeople } from './people.ts'

const DAY_MS = 86_400_000

/** What happened, and how many days ago. */
const EVENTS: readonly (readonly [days: number, kind: RecordedEventKind, detail: Record<string, unknown>])[] = [
  [60, 'drill-held', { drill: 'EXAMPLE-DRILL-1' }],
  [45, 'restore-tested', { success: true }],
  [20, 'advisory-published', { advisory: 'EXAMPLE-2026-1', severity: 'high' }],
  [19, 'advisory-triaged', { advisory: 'EXAMPLE-2026-1' }],
  [8, 'fix-released', { advisory: 'EXAMPLE-2026-1', fixedIn: { release: '2.4.1' } }],
  [8, 'own-advisory-published', { advisory: 'EXAMPLE-2026-1' }],
  [7, 'vulnerabilities-analysed', { release: '2.4.1' }],
  [7, 'roll-out-begun', { release: '2.4.1' }],
  [0, 'advisory-feed-read', { feed: 'EXAMPLE-FEED' }],
  [0, 'components-matched', { feed: 'EXAMPLE-FEED' }],
]

/** What people would have recorded about a product in two months. */
export async function record(people: ExamplePeople, productId: string): Promise<void> {
  const vendor = people.api('vendor')
  for (const [days, kind, detail] of EVENTS) {
    const occurredAt = new Date(Date.now() - days * DAY_MS).toISOString()
    await vendor.post('/events', { productId, kind, detail, occurredAt, reference: 'EXAMPLE' }, v.looseObject({}))
  }
}
