import { expect, test } from 'vitest'
import { damagedLog } from '../../support/eventlog-damage.ts'

test('any flipped bit of a log is refused or changes nothing that a verdict uses', () => {
  const { whole, harmless } = damagedLog
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const damaged = Buffer.from(whole)
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(harmless(damaged), `bit ${bit}`).toBe(true)
  }
}, 180_000)
