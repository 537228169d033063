import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareVersions, type Comparison, type VersionScheme } from '../../../shared/versions/compare.ts'
import { fixturesDescribe, readFixture } from '../../support/fixtures.ts'
import { versions } from '../../support/versions.ts'

const OPPOSITE = { older: 'newer', equal: 'equal', newer: 'older', incomparable: 'incomparable' } as const
const SIGN = { older: -1, equal: 0, newer: 1, incomparable: Number.NaN } as const

describe.each(Object.keys(versions) as VersionScheme[])('the order of %s', (scheme) => {
  const version: fc.Arbitrary<string> = versions[scheme]
  const sign = (a: string, b: string): number => SIGN[compareVersions(scheme, a, b)]
  const runs = { numRuns: 3000 }

  test('makes each version equal to itself', () => {
    fc.assert(
      fc.property(version, (a) => {
        expect(compareVersions(scheme, a, a)).toBe('equal')
      }),
      runs,
    )
  })

  test('is the opposite when asked the other way round', () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(compareVersions(scheme, b, a)).toBe(OPPOSITE[compareVersions(scheme, a, b)])
      }),
      runs,
    )
  })

  test('is transitive', () => {
    fc.assert(
      fc.property(version, version, version, (...three) => {
        const [a, b, c] = three.sort(sign) as [string, string, string]
        expect([sign(a, b), sign(b, c), sign(a, c)].every((one) => one <= 0)).toBe(true)
        if (sign(a, c) === 0) expect([sign(a, b), sign(b, c)]).toEqual([0, 0])
      }),
      runs,
    )
  })

  test('answers about any text at all', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => compareVersions(scheme, a, b) in OPPOSITE))
  })

  test('leaves what is no version incomparable, also with itself', () => {
    for (const text of ['', ' ', '1 2', '1\n', '\u00001', '1'.repeat(513)]) {
      expect(compareVersions(scheme, text, text), JSON.stringify(text)).toBe('incomparable')
      expect(compareVersions(scheme, text, '1.0.0'), JSON.stringify(text)).toBe('incomparable')
      expect(compareVersions(scheme, '1.0.0', text), JSON.stringify(text)).toBe('incomparable')
    }
  })
})

test.each([
  ['dpkg', 'x:1'],
  ['dpkg', ':1'],
  ['dpkg', '-1:1'],
  ['dpkg', '2147483648:1'],
  ['dpkg', '1:'],
  ['dpkg', '1-'],
  ['dpkg', '-1'],
  ['dpkg', '1_2'],
  ['dpkg', '1-ä'],
  ['rpm', '1:'],
  ['rpm', '1:-1'],
  ['rpm', '-1'],
  ['apk', '1-r'],
  ['apk', '1-1'],
  ['apk', '1:1'],
  ['apk', '1..2'],
  ['apk', '1_final'],
  ['apk', '1ab'],
  ['apk', '1~'],
  ['apk', '1-r1_p1'],
] as const)('%s: %s is no version', (scheme, text) => {
  expect(compareVersions(scheme, text, '1.0.0')).toBe('incomparable')
})

test.each([
  ['dpkg', '1~~', 'older', '1~'],
  ['dpkg', '1~', 'older', '1'],
  ['dpkg', '1.0-1', 'older', '1.0-1+b1'],
  ['dpkg', 'a', 'newer', '1'],
  ['dpkg', '1a', 'older', '1+'],
  ['dpkg', '1:1', 'newer', '99'],
  ['dpkg', '1.20260101123456789012', 'older', '1.20260101123456789013'],
  ['rpm', '1.20260101123456789012', 'older', '1.20260101123456789013'],
  ['apk', '1.20260101123456789012', 'older', '1.20260101123456789013'],
  ['rpm', '1.0^', 'older', '1.0.1'],
  ['rpm', '1.0~^', 'older', '1.0'],
  ['apk', '2024.10.20~252a9b0c-r1', 'older', '2024.10.20~252a9b0c-r2'],
  ['apk', '1.06', 'older', '1.1'],
  ['apk', '1.10', 'newer', '1.9'],
  ['apk', '1_alpha', 'older', '1'],
  ['apk', '1_p', 'newer', '1'],
  ['opkg', '1_2', 'newer', '1'],
  ['opkg', '2024-05-13~abc-r2', 'newer', '2024-05-13~abc-r1'],
  ['opkg', '1.0~rc1-1', 'older', '1.0-1'],
  // Semantic Versioning 2.0.0, section 11.4.
  ['semver', '1.0.0-alpha', 'older', '1.0.0-alpha.1'],
  ['semver', '1.0.0-alpha.1', 'older', '1.0.0-alpha.beta'],
  ['semver', '1.0.0-beta.2', 'older', '1.0.0-beta.11'],
  ['semver', '1.0.0-rc.1', 'older', '1.0.0'],
  ['semver', '1.0.0+a', 'equal', '1.0.0+b'],
] as const)('%s: %s is %s than %s', (scheme, a, expected, b) => {
  expect(compareVersions(scheme, a, b)).toBe(expected)
})

/** Texts in the recorded table that apk 2 took without complaint, and that apk 3 calls invalid. */
const NOT_OF_APK_3 = new Set(
  (
    '1-r 1-r-0 1-r-1 1-r-2 0.r1 0..1..0 0..1..1 0...1...0 0...1...1 0...1...0.r1 0...1...0.r2 0...1...0r1 0...1...0r2 ' +
    '0r2 0..8 0...8 0.8.21.r1 0.8.21.r2 0.8.21r2 10.2.22.r0 10.2.24.r0 1.2.0A 1.2.0D 6.6.2p1 6.6.2p2 1-ruff 1-ruff1 ' +
    '1-ruff2 1-r0-1 1-r0-2 1--ruff1 1-r0-ruff1 1-r0-ruff2 1.2_blah 1.2_csv2 .1 .2 a b c 23_foo 1.0bc'
  ).split(' '),
)

fixturesDescribe('versions', 'recorded tables', () => {
  const RESULTS: Readonly<Record<string, Comparison>> = { '<': 'older', '=': 'equal', '>': 'newer' }

  test.each([
    ['dpkg', 'debian-versions.txt', 25],
    ['rpm', 'redhat-versions.txt', 150],
    ['apk', 'alpine-versions.txt', 700],
  ] as const)('%s orders all pairs of %s', (scheme, file, atLeast) => {
    const lines = readFixture('versions', file).toString('utf8').split('\n')
    const pairs = lines.filter((line) => line.trim() !== '' && !line.startsWith('#'))
    expect(pairs.length).toBeGreaterThan(atLeast)
    for (const line of pairs) {
      const [a = '', operator = '', b = ''] = line.split(' ')
      const isOfOldRules = scheme === 'apk' && (NOT_OF_APK_3.has(a) || NOT_OF_APK_3.has(b))
      expect(compareVersions(scheme, a, b), line).toBe(isOfOldRules ? 'incomparable' : RESULTS[operator])
    }
  })
})
