import { renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createHost } from '../../../agent/sensors/host.ts'
import { Unchanged, UnchangedFiles } from '../../../agent/sensors/unchanged.ts'
import { withoutPermission, writeTree } from '../../support/host-tree.ts'

const FILES = ['/a', '/b']

function watched(start = 1_000_000) {
  const root = writeTree({ '/a': 'one' })
  utimesSync(join(root, 'a'), 1, 1)
  let now = start
  const host = createHost({ root, now: () => now })
  const kept = new Unchanged<number>()
  let made = 0
  return {
    path: (name: string) => join(root, name),
    host,
    made: (on = host) => kept.get(on, FILES, () => ++made),
    pass: (seconds: number) => void (now += seconds),
  }
}

test('what has not changed is not read again', () => {
  const { made } = watched()
  expect([made(), made(), made()]).toEqual([1, 1, 1])
})

test.each<[string, (path: (name: string) => string) => void]>([
  ['written to', (path) => writeFileSync(path('a'), 'two')],
  ['made longer', (path) => writeFileSync(path('a'), 'longer than before')],
  ['removed', (path) => rmSync(path('a'))],
  ['joined by another', (path) => writeFileSync(path('b'), '')],
  [
    'replaced by one of the same size and time',
    (path) => {
      writeFileSync(path('new'), 'two')
      utimesSync(path('new'), 1, 1)
      renameSync(path('new'), path('a'))
    },
  ],
  [
    'written to, with its time set back',
    (path) => {
      writeFileSync(path('a'), 'two')
      utimesSync(path('a'), 1, 1)
    },
  ],
])('a file that is %s is', (_, change) => {
  const { made, path } = watched()
  made()
  change(path)
  expect([made(), made()]).toEqual([2, 2])
})

test('one that may not be looked at any more is not what it was', () => {
  const { made, host } = watched()
  made()
  expect(made(withoutPermission(host, '/a'))).toBe(2)
})

test('after six hours it is read again, and when the clock went back', () => {
  const { made, pass } = watched()
  made()
  pass(6 * 3600 - 1)
  expect(made()).toBe(1)
  pass(1)
  expect(made()).toBe(2)
  pass(-10)
  expect(made()).toBe(3)
})

test('a failure is not kept, at once or later', async () => {
  const { host } = watched()
  const sync = new Unchanged<number>()
  expect(() =>
    sync.get(host, FILES, () => {
      throw new Error('x')
    }),
  ).toThrow('x')
  expect(sync.get(host, FILES, () => 7)).toBe(7)
  const later = new Unchanged<Promise<number>>()
  await expect(later.get(host, FILES, () => Promise.reject(new Error('x')))).rejects.toThrow('x')
  expect(await later.get(host, FILES, () => Promise.resolve(7))).toBe(7)
})

test('of many files each is read again when it changes, and no other', () => {
  const root = writeTree({ '/a': 'one', '/b': 'two' })
  const host = createHost({ root })
  const kept = new UnchangedFiles<number>()
  let made = 0
  const read = () => ['/a', '/b'].map((path) => kept.get(host, path, () => ++made))
  expect([read(), read()]).toEqual([
    [1, 2],
    [1, 2],
  ])
  writeFileSync(join(root, 'b'), 'three')
  expect(read()).toEqual([1, 3])
  expect(kept.get(createHost({ root }), '/a', () => ++made)).toBe(4)
})
