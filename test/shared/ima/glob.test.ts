import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pathMatcher } from '../../../shared/ima/glob.ts'

describe('a path pattern', () => {
  test.each([
    ['/tmp/**', '/tmp/a', true],
    ['/tmp/**', '/tmp/a/b/c', true],
    ['/tmp/**', '/tmp/', true],
    ['/tmp/**', '/tmp', false],
    ['/tmp/**', '/tmpx/a', false],
    ['/tmp/**', '/var/tmp/a', false],
    ['/tmp/*', '/tmp/a', true],
    ['/tmp/*', '/tmp/a/b', false],
    ['/run/*/x', '/run/1000/x', true],
    ['/run/*/x', '/run/1000/y/x', false],
    ['/run/**/x', '/run/1000/y/x', true],
    ['/lib/lib?.so', '/lib/libc.so', true],
    ['/lib/lib?.so', '/lib/lib/.so', false],
    ['/a.b', '/a.b', true],
    ['/a.b', '/axb', false],
    ['/a+(b)[c]', '/a+(b)[c]', true],
    ['**', '', true],
    ['', '', true],
    ['', '/', false],
    ['***', '/a/b', true],
  ])('%s and %s: %s', (pattern, path, expected) => expect(pathMatcher(pattern)(path)).toBe(expected))

  test('matches what a regular expression of the same meaning matches', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), maxLength: 8 })
    const path = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 })
    fc.assert(
      fc.property(text, path, (pattern, path) => {
        const source = pattern.replace(/\*\*+|\*|\?/g, (wild) =>
          wild === '?' ? '[^/]' : wild === '*' ? '[^/]*' : '.*',
        )
        expect(pathMatcher(pattern)(path)).toBe(new RegExp(`^${source}$`).test(path))
      }),
      { numRuns: 500 },
    )
  })

  test('takes no more steps than pattern times path', () => {
    const path = `${'/a'.repeat(2000)}!`
    expect(pathMatcher(`${'**/a'.repeat(20)}x`)(path)).toBe(false)
  })
})
