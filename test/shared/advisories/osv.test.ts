import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { parseOsv } from '../../../shared/advisories/osv.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { fixturesDescribe, readJsonFixture } from '../../support/fixtures.ts'

const codeOf = (action: () => unknown): string => {
  try {
    action()
    return 'nothing'
  } catch (error) {
    if (error instanceof KeepsealError) return error.code
    throw error
  }
}

const affected = (events: object[], more: object = {}) => ({
  id: 'DSA-1-1',
  modified: '2026-01-02T00:00:00Z',
  affected: [
    { package: { ecosystem: 'Debian:12', name: 'openssl' }, ranges: [{ type: 'ECOSYSTEM', events }], ...more },
  ],
})

test('events make ranges: what is introduced again is affected again', () => {
  const events = [{ introduced: '0' }, { fixed: '1' }, { introduced: '2' }, { last_affected: '3' }, { introduced: '4' }]
  expect(parseOsv(affected(events)).statements[0]?.ranges).toEqual([
    { introduced: null, fixed: '1', lastAffected: null },
    { introduced: '2', fixed: null, lastAffected: '3' },
    { introduced: '4', fixed: null, lastAffected: null },
  ])
})

test('commits without versions leave the package under investigation, never out', () => {
  const [statement] = parseOsv({
    ...affected([]),
    affected: [
      { package: { ecosystem: 'Debian:12', name: 'x' }, ranges: [{ type: 'GIT', events: [{ introduced: '0' }] }] },
    ],
  }).statements
  expect(statement).toMatchObject({ statement: 'under-investigation', ranges: [], versions: [] })
})

test('the severity is the CVSS base score, or the word of the distribution', () => {
  const of = (severity: object[], more: object = {}) => parseOsv({ id: 'A-1', severity, ...more }).severity
  expect(of([{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }])).toBe('critical')
  expect(of([{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H' }])).toBe('medium')
  expect(of([{ type: 'Ubuntu', score: 'low' }])).toBe('low')
  expect(of([], { database_specific: { severity: 'MODERATE' } })).toBe('medium')
  expect(of([{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N' }])).toBe(null)
})

test.each([
  ['no id', { modified: '2026-01-01T00:00:00Z' }],
  ['an id with a blank', { id: 'A 1' }],
  ['an id with a line break', { id: 'A\n1' }],
  ['a day that does not exist', { id: 'A-1', modified: '2026-13-01T00:00:00Z' }],
  ['a later schema', { id: 'A-1', schema_version: '2.0.0' }],
  ['an event of nothing', affected([{ introduced: '0' }, {}])],
  ['a range without events', affected([])],
  ['too many aliases', { id: 'A-1', aliases: Array.from({ length: 5000 }, (_, n) => `B-${n}`) }],
  ['a version without end', affected([{ fixed: '1'.repeat(600) }])],
])('%s is refused', (_what, value) => {
  expect(codeOf(() => parseOsv(value))).toBe('advisory.malformed')
})

test('the place of a fault is told', () => {
  expect(() => parseOsv(affected([{ introduced: '0' }, {}]))).toThrow('affected.0.ranges.0.events.1')
  expect(() =>
    parseAdvisories([
      { id: 'A-1', modified: '2026-01-01T00:00:00Z' },
      { id: 7, modified: 'x' },
    ]),
  ).toThrow('1.')
})

test('no value at all ends in another error', () => {
  const codes = ['nothing', 'advisory.malformed', 'advisory.format-unknown', 'advisory.too-large']
  fc.assert(fc.property(fc.jsonValue(), (value) => codes.includes(codeOf(() => parseAdvisories(value)))))
})

test('a record that names itself among its aliases is taken without', () => {
  expect(parseOsv({ id: 'A-1', aliases: ['A-1', 'CVE-2026-1000'] }).aliases).toEqual(['CVE-2026-1000'])
})

fixturesDescribe('advisories', 'recorded OSV records', () => {
  test('an Alpine record has a fixed version for each branch', () => {
    const { statements } = parseOsv(readJsonFixture('advisories', 'osv', 'CVE-2022-27449.json'))
    expect(statements).toContainEqual(
      expect.objectContaining({
        ecosystem: 'Alpine',
        release: '3.12',
        package: 'mariadb',
        scheme: 'apk',
        statement: 'affected',
        ranges: [{ introduced: null, fixed: '10.4.25-r0', lastAffected: null }],
      }),
    )
  })

  test('an Ubuntu record keeps the extended releases apart', () => {
    const record = parseOsv(readJsonFixture('advisories', 'osv', 'UBUNTU-CVE-2025-38094.json'))
    expect(record).toMatchObject({ severity: 'medium', aliases: ['CVE-2025-38094'] })
    expect(record.statements[0]).toMatchObject({ ecosystem: 'Ubuntu Pro', release: '14.04', package: 'linux' })
  })

  test.each(['DLA-3623-1', 'DSA-3029-1', 'USN-6332-1', 'USN-7234-1'])('%s is read', (name) => {
    const record = parseOsv(readJsonFixture('advisories', 'osv', `${name}.json`))
    expect(record.id).toBe(name)
    expect(record.published).toBeGreaterThan(0)
  })
})
