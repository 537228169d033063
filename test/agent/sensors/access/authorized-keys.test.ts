import { expect, test } from 'vitest'
import { canonicalKey } from '../../../../agent/sensors/access/authorized-keys.ts'

test('a line of its user that quotes without end is read in proportion to its length', () => {
  const line = `"${'\\"'.repeat(200_000)}`
  const before = process.cpuUsage()
  canonicalKey(line)
  const { user } = process.cpuUsage(before)
  expect(user / 1000).toBeLessThan(2000)
})

test('an option with blanks and quotation marks is part of the key, a comment is not', () => {
  const options = 'command="echo \\"a b\\"",no-pty'
  expect(canonicalKey(`${options} ssh-ed25519 AAAA me@here`)).toBe(`${options} ssh-ed25519 AAAA`)
})

test('a quotation that does not end takes what follows with it, and nothing is left out', () => {
  const line = 'command="x ssh-ed25519 AAAA'
  expect(canonicalKey(line)).toBe(line)
})
