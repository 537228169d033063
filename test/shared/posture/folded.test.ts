import { expect, test } from 'vitest'
import { changesOf, type Statement } from '../../../shared/posture/diff.ts'

const statements = (entries: Readonly<Record<string, [value: string, ...within: string[]]>>): Map<string, Statement> =>
  new Map(Object.entries(entries).map(([subject, [value, ...within]]) => [subject, { value, within }]))

const before = statements({ account: ['bin/sh'], keys: ['1', 'account'], other: ['x'] })

test('a part that changes alone is a change of its own', () => {
  const after = statements({ account: ['bin/sh'], keys: ['2', 'account'], other: ['x'] })
  expect(changesOf(before, after)).toEqual([{ subject: 'keys', kind: 'changed', before: '1', after: '2' }])
})

test('a part that changes with its whole is told with it, and tells again when it changes further', () => {
  const at = (keys: string) =>
    changesOf(before, statements({ account: ['bin/zsh'], keys: [keys, 'account'], other: ['x'] }))
  expect(at('2')).toEqual([
    { subject: 'account', kind: 'changed', before: 'bin/sh', after: 'bin/zsh', parts: ['keys: 2'] },
  ])
  expect(at('3')).not.toEqual(at('2'))
  expect(at('1')).toEqual([{ subject: 'account', kind: 'changed', before: 'bin/sh', after: 'bin/zsh' }])
})

test('parts of parts are told with the outermost, and what is gone is said to be', () => {
  const old = statements({ a: ['1'], b: ['1', 'a'], c: ['1', 'b'] })
  expect(changesOf(old, statements({ a: ['2'], b: ['2', 'a'] }))).toEqual([
    { subject: 'a', kind: 'changed', before: '1', after: '2', parts: ['b: 2', 'c: gone'] },
  ])
})
