import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { entryEnds } from '../../../shared/ima/offsets.ts'
import { parseBinaryImaList } from '../../../shared/ima/parse-binary.ts'
import { fixturesDescribe, readFixture } from '../../support/fixtures.ts'
import { binaryEntry, binaryList, goodList, type ImaSpec } from '../../support/ima-builder.ts'

const mixed: readonly ImaSpec[] = [...goodList(), { path: '/legacy', template: 'ima' }, { path: '/x', violation: true }]

const endsOf = (specs: readonly ImaSpec[], order?: 'big-endian'): number[] => {
  let end = 0
  return specs.map((spec) => (end += binaryEntry(spec, order).length))
}

test('every entry ends where the next one begins, in both byte orders', () => {
  expect(entryEnds(binaryList(mixed))).toEqual(endsOf(mixed))
  expect(entryEnds(binaryList(mixed, 'big-endian'), 'big-endian')).toEqual(endsOf(mixed, 'big-endian'))
  expect(entryEnds(new Uint8Array(0))).toEqual([])
})

test('what is cut is no entry: a list cut anywhere has the ends of its whole entries', () => {
  const bytes = binaryList(mixed)
  const ends = endsOf(mixed)
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(entryEnds(bytes.subarray(0, cut))).toEqual(ends.filter((end) => end <= cut))
  }
})

test('any bytes have ends in order and within them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const ends = [0, ...entryEnds(bytes)]
      for (const [index, end] of ends.slice(1).entries()) expect(end).toBeGreaterThan(ends[index] ?? 0)
      expect(ends.at(-1)).toBeLessThanOrEqual(bytes.length)
    }),
  )
})

fixturesDescribe('vm-sb', 'the list of a measured boot', () => {
  test('falls into suffixes that parse where it is cut at an end', () => {
    const bytes = readFixture('vm-sb', 'ima_binary.at_quote')
    const ends = entryEnds(bytes)
    const { entries } = parseBinaryImaList(bytes)
    expect(ends).toHaveLength(entries.length)
    expect(ends.at(-1)).toBe(bytes.length)
    const half = Math.floor(entries.length / 2)
    const suffix = parseBinaryImaList(bytes.subarray(ends[half - 1]), { first: half })
    expect(suffix.entries).toHaveLength(entries.length - half)
    expect(suffix.entries[0]).toMatchObject({ sequence: half, path: entries[half]?.path })
  })
})
