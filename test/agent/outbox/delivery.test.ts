import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nextDelivery, NOTHING_SENT, recordSent, type SentReports } from '../../../agent/outbox/delivery.ts'
import type { OutboxEntry } from '../../../agent/outbox/entry.ts'
import { session } from './support.ts'

const RULES = { resendSeconds: 100, backlogPerSecond: 2 }
const entry = (order: number): OutboxEntry => ({
  order,
  session: session(1),
  sequence: order,
  createdAt: 0,
  size: 1,
  hash: new Uint8Array(32),
})
const entries = (count: number): OutboxEntry[] => Array.from({ length: count }, (_, order) => entry(order))

interface Sending {
  readonly order: number
  readonly at: number
}

/** Sends what is due until there is nothing to do before `end`. */
function run(pending: readonly OutboxEntry[], end: number, from: SentReports = NOTHING_SENT, start = 0) {
  const sendings: Sending[] = []
  let sent = from
  let now = start
  for (;;) {
    const next = nextDelivery(pending, sent, now, RULES)
    if (next.kind === 'wait') {
      if (next.until === null || next.until > end) return { sendings, sent, until: next.until }
      // A time that is not ahead would make the caller spin.
      expect(next.until).toBeGreaterThan(now)
      now = next.until
      continue
    }
    sendings.push({ order: next.entry.order, at: now })
    sent = recordSent(sent, next, now, pending)
  }
}

describe('delivery', () => {
  test('has nothing to do for an empty outbox', () => {
    expect(nextDelivery([], NOTHING_SENT, 0, RULES)).toEqual({ kind: 'wait', until: null })
  })

  test('begins with the newest, then the backlog oldest first, at the bounded rate', () => {
    expect(run(entries(5), 90_000).sendings).toEqual([
      { order: 4, at: 0 },
      { order: 0, at: 0 },
      { order: 1, at: 500 },
      { order: 2, at: 1000 },
      { order: 3, at: 1500 },
    ])
  })

  test('sends a new report at once, in the middle of the backlog', () => {
    const { sent } = run(entries(5), 700)
    const next = nextDelivery(entries(6), sent, 701, RULES)
    expect(next).toMatchObject({ kind: 'send', entry: { order: 5 }, backlog: false })
  })

  test('sends again what got no receipt in time, not earlier', () => {
    const { sendings, until } = run(entries(2), 250_000)
    expect(sendings.filter(({ order }) => order === 1).map(({ at }) => at)).toEqual([0, 100_500, 200_500])
    expect(until).toBeGreaterThan(250_000)
  })

  test('sends everything again on a new connection', () => {
    const { sent } = run(entries(3), 10_000)
    expect(run(entries(3), 10_000, sent, 10_000).sendings).toEqual([])
    expect(run(entries(3), 20_000, NOTHING_SENT, 10_000).sendings.map(({ order }) => order)).toEqual([2, 0, 1])
  })

  test('forgets what has left the outbox', () => {
    const { sent } = run(entries(5), 10_000)
    const left = entries(5).slice(3)
    const after = recordSent(sent, { kind: 'send', entry: entry(4), backlog: true }, 20_000, left)
    expect([...after.at.keys()].sort()).toEqual([3, 4])
  })
})

test('for any outbox: all are sent, the newest first, never faster than allowed, none twice before its time', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat({ max: 1000 }), { maxLength: 30 }),
      fc.integer({ min: 0, max: 400_000 }),
      (orders, end) => {
        const pending = orders.sort((a, b) => a - b).map(entry)
        const { sendings } = run(pending, end)
        expect(sendings[0]?.order).toBe(pending.at(-1)?.order)
        if (end > 30_000) expect(new Set(sendings.map(({ order }) => order)).size).toBe(orders.length)
        const last = new Map<number, number>()
        for (const { order, at } of sendings) {
          expect(at - (last.get(order) ?? -Infinity)).toBeGreaterThanOrEqual(100_000)
          last.set(order, at)
        }
        const backlog = sendings.slice(1)
        for (const [i, { at }] of backlog.entries())
          expect(at - (backlog[i - 1]?.at ?? -500)).toBeGreaterThanOrEqual(500)
      },
    ),
  )
})
