import { expect, it } from 'vitest'
import { keepaliveFor } from '../../../agent/transport/keepalive.ts'

it('pings a broker only where no report comes in time', () => {
  const of = (intervalSeconds: number, jitterSeconds: number) => keepaliveFor({ intervalSeconds, jitterSeconds })
  expect(of(300, 30)).toBeGreaterThan(330)
  expect([of(10, 0), of(3600, 60)]).toEqual([60, 1200])
})
