import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { ContentStore } from '../../../agent/outbox/contents.ts'
import { openUnsent } from '../../../agent/outbox/open.ts'
import { statePaths } from '../../../agent/state/paths.ts'
import { random, sha256 } from '../../../shared/crypto/node.ts'
import { concat, utf8 } from '../../../shared/bytes/bytes.ts'
import { partsOf } from '../../../shared/evidence/section-part.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { BLOCK, session } from './support.ts'

const scratch = useScratchDirectories('contents')
const open = (directory: string, blocks = 4): Promise<ContentStore> =>
  ContentStore.open({ directory, maxBytes: blocks * BLOCK, report: (problem) => expect.unreachable(problem.message) })
const content = (number: number): Uint8Array => utf8(`content ${number} `.repeat(20))

describe('a content', () => {
  test('comes back as it travels, also after a restart', async () => {
    const directory = scratch()
    expect(await (await open(directory)).put(content(1))).toBe(true)
    const found = await (await open(directory)).get(sha256(content(1)))
    if (found === undefined) throw new Error('not found')
    expect(found).toMatchObject({ size: content(1).length, encoding: 1 })
    const parts = partsOf(found, found.encoding, found.encoded)
    expect(new Uint8Array(inflateRawSync(concat(...parts.map(({ part }) => part))))).toEqual(content(1))
  })

  test('that does not get smaller travels as it is', async () => {
    const store = await open(scratch())
    const noise = new Uint8Array(random(500))
    await store.put(noise)
    expect(await store.get(sha256(noise))).toMatchObject({ encoding: 0, encoded: noise, size: 500 })
    await store.put(new Uint8Array(0))
    expect(await store.get(sha256(new Uint8Array(0)))).toMatchObject({ encoding: 0, size: 0 })
  })

  test('that is not there, or not whole, is none', async () => {
    const directory = scratch()
    const store = await open(directory)
    expect(await store.get(sha256(content(1)))).toBeUndefined()
    await store.put(content(1))
    const [name = ''] = readdirSync(directory)
    writeFileSync(join(directory, name), 'torn')
    writeFileSync(join(directory, `${name}.new`), 'torn')
    const reopened = await open(directory)
    expect(await reopened.get(sha256(content(1)))).toBeUndefined()
    expect(reopened.has(sha256(content(1)))).toBe(false)
    expect(readdirSync(directory)).toEqual([])
    expect(await reopened.put(content(1))).toBe(true)
  })

  test('that cannot be kept is not, and nothing gives way for it', async () => {
    const store = await open(scratch())
    await store.put(content(1))
    expect(await store.put(new Uint8Array(random(5 * BLOCK)))).toBe(false)
    expect(store.has(sha256(content(1)))).toBe(true)
  })
})

describe('when there is no room', () => {
  test('what was put longest ago gives way, and what is put again is recent', async () => {
    const store = await open(scratch(), 3)
    for (const number of [1, 2, 3, 1, 4]) await store.put(content(number))
    expect([1, 2, 3, 4].map((number) => store.has(sha256(content(number))))).toEqual([true, false, true, true])
    expect(store.bytes).toBe(3 * BLOCK)
  })

  test('the order is the same after a restart', async () => {
    const directory = scratch()
    const store = await open(directory, 3)
    for (const number of [1, 2, 3]) await store.put(content(number))
    const newest = Buffer.from(sha256(content(3))).toString('hex')
    for (const name of readdirSync(directory)) {
      utimesSync(join(directory, name), 0, name.startsWith(newest) ? 100 : 200)
    }
    const reopened = await open(directory, 2)
    expect(reopened.has(sha256(content(3)))).toBe(false)
  })
})

test('pruning keeps what is asked for', async () => {
  const directory = scratch()
  const store = await open(directory)
  for (const number of [1, 2, 3]) await store.put(content(number))
  await store.prune([sha256(content(2)), sha256(content(9))])
  expect([1, 2, 3].map((number) => store.has(sha256(content(number))))).toEqual([false, true, false])
  expect(readdirSync(directory)).toHaveLength(1)
})

test('reports and contents share one bound, of which contents take at most half', async () => {
  const { outbox, contents } = await openUnsent({
    paths: statePaths(scratch()),
    maxBytes: 8 * BLOCK,
    maxAgeSeconds: 1000,
    now: () => 0,
    report: (problem) => expect.unreachable(problem.message),
  })
  for (let sequence = 0; sequence < 8; sequence++) {
    await outbox.put(content(sequence), { session: session(1), sequence, createdAt: 0 })
  }
  expect(outbox.bytes).toBe(8 * BLOCK)
  for (let number = 0; number < 6; number++) {
    await contents.put(content(number))
    expect(outbox.bytes + contents.bytes).toBeLessThanOrEqual(8 * BLOCK)
  }
  expect([outbox.bytes, contents.bytes, outbox.droppedCount]).toEqual([4 * BLOCK, 4 * BLOCK, 4])
})
