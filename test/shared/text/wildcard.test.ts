import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { wildcardMatcher } from '../../../shared/text/wildcard.ts'

describe('a pattern with wildcards', () => {
  test.each([
    ['*', '', true],
    ['2.*', '2.4.1', true],
    ['2.*', '3.2.', false],
    ['*.1', '2.4.1', true],
    ['*a*b', 'xaabab', true],
    ['*a*b', 'xaaba', false],
    ['rev-?', 'rev-B', true],
    ['rev-?', 'rev-', false],
    ['[a-z]', 'b', false],
    ['', 'b', false],
    ['?', '\u{1f512}', true],
  ])('%s against %j: %s', (pattern, text, expected) => {
    expect(wildcardMatcher(pattern)(text)).toBe(expected)
  })

  test('says what a regular expression of the same meaning says', () => {
    const word = (...from: string[]) => fc.array(fc.constantFrom(...from), { maxLength: 12 }).map((all) => all.join(''))
    fc.assert(
      fc.property(word('a', 'b', '.', '*', '?'), word('a', 'b', '.'), (pattern, text) => {
        const source = pattern.replace(/[.]/g, '\\.').replace(/\*+/g, '.*').replace(/\?/g, '.')
        expect(wildcardMatcher(pattern)(text)).toBe(new RegExp(`^${source}$`).test(text))
      }),
    )
  })

  test('does not take long for a text that a device made up', () => {
    expect(wildcardMatcher(`${'*a'.repeat(60)}b`)('a'.repeat(5000))).toBe(false)
  }, 2000)
})
