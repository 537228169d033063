import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { cvesOf, groupsOf } from '../../../shared/advisories/aliases.ts'
import { baseScore } from '../../../shared/advisories/cvss.ts'
import { ecosystemOf, parseEcosystem } from '../../../shared/advisories/ecosystem.ts'
import { formatOf, parseAdvisories } from '../../../shared/advisories/format.ts'
import { parseEpss, parseKev } from '../../../shared/advisories/kev.ts'
import { parsePackageUrl } from '../../../shared/advisories/package-url.ts'
import { parseVersionRange } from '../../../shared/advisories/version-range.ts'
import { fixturesDescribe, readJsonFixture } from '../../support/fixtures.ts'

test("Debian's tracker: open, fixed, never present and undetermined are four things", () => {
  const records = parseAdvisories({
    openssl: {
      'CVE-2026-1000': {
        releases: {
          bookworm: { status: 'resolved', fixed_version: '3.0.1-1', urgency: 'high' },
          bullseye: { status: 'open', nodsa_reason: 'postponed' },
          trixie: { status: 'resolved', fixed_version: '0' },
          buster: { status: 'undetermined' },
          sid: { status: 'open' },
        },
      },
    },
  })
  expect(records[0]).toMatchObject({ id: 'CVE-2026-1000', format: 'debian-tracker', severity: 'high' })
  const said = Object.fromEntries(records[0]?.statements.map((each) => [each.release, each.statement]) ?? [])
  expect(said).toEqual({ '12': 'affected', '11': 'affected', '13': 'not-affected', '10': 'under-investigation' })
  expect(records[0]?.statements[0]?.ranges).toEqual([{ introduced: null, fixed: '3.0.1-1', lastAffected: null }])
})

test("Alpine's secdb: one record for each vulnerability, with its other names", () => {
  const packages = [
    { pkg: { name: 'zlib', secfixes: { '1.2.12-r0': ['CVE-2018-25032 GHSA-x'], '0': ['CVE-2020-0001'] } } },
    { pkg: { name: 'minizip', secfixes: { '1.2.13-r0': ['CVE-2018-25032'] } } },
    { pkg: { name: 'none', secfixes: null } },
  ]
  const records = parseAdvisories({ distroversion: 'v3.19', reponame: 'main', packages })
  const [never, zlib] = records.toSorted((a, b) => (a.id < b.id ? 1 : -1))
  expect(zlib).toMatchObject({ id: 'CVE-2018-25032', aliases: ['GHSA-x'] })
  expect(zlib?.statements.map((each) => [each.package, each.ranges[0]?.fixed])).toEqual([
    ['zlib', '1.2.12-r0'],
    ['minizip', '1.2.13-r0'],
  ])
  expect(never?.statements[0]).toMatchObject({ statement: 'not-affected', release: '3.19' })
})

const openVex = (statement: object) => ({
  '@context': 'https://openvex.dev/ns/v0.2.0',
  '@id': 'https://vendor.example/vex/1',
  author: 'Vendor',
  timestamp: '2026-01-01T00:00:00Z',
  version: 1,
  statements: [
    {
      vulnerability: { name: 'CVE-2026-1000' },
      products: [{ '@id': 'pkg:deb/debian/zlib1g@1.2?arch=amd64' }],
      ...statement,
    },
  ],
})

test('OpenVEX: whoever says that something is not affected says why', () => {
  expect(() => parseAdvisories(openVex({ status: 'not_affected' }))).toThrow('statements.0')
  const justification = 'vulnerable_code_not_in_execute_path'
  const [record] = parseAdvisories(openVex({ status: 'not_affected', justification }))
  expect(record?.statements).toMatchObject([
    {
      ecosystem: 'Debian',
      package: 'zlib1g',
      side: 'binary',
      architecture: 'amd64',
      versions: ['1.2'],
      statement: 'not-affected',
      justification: 'vulnerable code not in execute path',
    },
  ])
})

test('OpenVEX: a statement about a part of a product is for that product alone', () => {
  const products = [{ '@id': 'pkg:generic/acme/gw', subcomponents: [{ '@id': 'pkg:deb/debian/zlib1g' }] }]
  const [record] = parseAdvisories(openVex({ status: 'under_investigation', products }))
  expect(record?.statements[0]).toMatchObject({ package: 'zlib1g', product: 'pkg:generic/acme/gw' })
})

test('CycloneDX: the state of the analysis is for all versions that the entry calls affected', () => {
  const [record] = parseAdvisories({
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    components: [{ 'bom-ref': 'z', purl: 'pkg:apk/alpine/zlib@1.2.11-r3?distro=alpine-3.19' }],
    vulnerabilities: [
      {
        id: 'CVE-2026-1000',
        ratings: [{ severity: 'high' }],
        analysis: { state: 'not_affected', justification: 'code_not_reachable' },
        affects: [
          { ref: 'z', versions: [{ version: '1.2.11-r3' }, { range: 'vers:apk/<1.2.11-r0', status: 'unaffected' }] },
        ],
      },
    ],
  })
  expect(record?.severity).toBe('high')
  expect(record?.statements).toMatchObject([
    { ecosystem: 'Alpine', release: '3.19', statement: 'not-affected', versions: ['1.2.11-r3'] },
    { statement: 'not-affected', ranges: [{ introduced: null, fixed: '1.2.11-r0', lastAffected: null }] },
  ])
})

test('CSAF: a status of a product that the document does not have is refused', () => {
  const document = {
    category: 'csaf_vex',
    csaf_version: '2.0',
    title: 'x',
    tracking: {
      id: 'X-1',
      status: 'final',
      initial_release_date: '2026-01-01T00:00:00Z',
      current_release_date: '2026-01-01T00:00:00Z',
    },
  }
  const vulnerabilities = [{ cve: 'CVE-2026-1000', product_status: { known_affected: ['nobody'] } }]
  expect(() => parseAdvisories({ document, vulnerabilities })).toThrow(
    'vulnerabilities.0.product_status.known_affected',
  )
  let branches: unknown = []
  for (let depth = 0; depth < 40; depth++) branches = [{ category: 'vendor', name: 'x', branches }]
  expect(() => parseAdvisories({ document, product_tree: { branches }, vulnerabilities: [] })).toThrow('nest deeper')
})

test('aliases that go round in circles are one group, and a collection of many is none', () => {
  const records = [
    { id: 'A', aliases: ['B'] },
    { id: 'B', aliases: ['C'] },
    { id: 'C', aliases: ['A'] },
    { id: 'D', aliases: ['CVE-2026-1000', 'CVE-2026-1001'] },
  ]
  expect(groupsOf(records)).toEqual([['A', 'B', 'C'], ['D']])
  expect(cvesOf({ id: 'UBUNTU-CVE-2026-1000', aliases: ['CVE-2026-1000', 'x'] })).toEqual(['CVE-2026-1000'])
})

test('each name is in exactly one group, whatever records say of each other', () => {
  const name = fc.constantFrom('A', 'B', 'C', 'D', 'E', 'F')
  fc.assert(
    fc.property(fc.array(fc.record({ id: name, aliases: fc.array(name) })), (records) => {
      const all = groupsOf(records).flat()
      expect(new Set(all).size).toBe(all.length)
      expect(new Set(all)).toEqual(new Set(records.flatMap(({ id, aliases }) => [id, ...aliases])))
    }),
  )
})

test.each([
  ['Debian:12', { name: 'Debian', release: '12' }],
  ['Ubuntu:22.04:LTS', { name: 'Ubuntu', release: '22.04' }],
  ['Ubuntu:Pro:18.04:LTS', { name: 'Ubuntu Pro', release: '18.04' }],
  ['Alpine:v3.19', { name: 'Alpine', release: '3.19' }],
  ['Red Hat:enterprise_linux:9::baseos', { name: 'Red Hat', release: '9' }],
  ['npm', { name: 'npm', release: '' }],
])('the ecosystem %s', (text, expected) => {
  expect(parseEcosystem(text)).toEqual(expected)
})

test.each([
  [
    { id: 'debian', versionId: '12' },
    { name: 'Debian', release: '12' },
  ],
  [
    { id: 'alpine', versionId: '3.19.1' },
    { name: 'Alpine', release: '3.19' },
  ],
  [
    { id: 'rhel', versionId: '9.4' },
    { name: 'Red Hat', release: '9' },
  ],
  [
    { id: 'acme', idLike: 'debian', versionCodename: 'bookworm' },
    { name: 'Debian', release: '12' },
  ],
  [
    { id: 'acme', versionId: '4.1' },
    { name: 'acme', release: '4.1' },
  ],
  [{}, undefined],
])('the system %j is %j', (os, expected) => {
  expect(ecosystemOf(os)).toEqual(expected)
})

test.each([
  ['pkg:deb/debian/curl@7.50.3-1?arch=source&distro=debian-12', ['Debian', '12', 'curl', 'source', '7.50.3-1']],
  ['pkg:rpm/redhat/kernel@5.14.0-1.el9?arch=x86_64&epoch=1', ['Red Hat', '', 'kernel', 'binary', '1:5.14.0-1.el9']],
  ['pkg:npm/%40angular/core@12.0.0', ['npm', '', '@angular/core', 'binary', '12.0.0']],
  ['pkg:maven/org.apache/log4j', ['Maven', '', 'org.apache:log4j', 'binary', null]],
])('the package URL %s', (text, expected) => {
  const found = parsePackageUrl(text)
  expect([found?.ecosystem, found?.release, found?.package, found?.side, found?.version]).toEqual(expected)
})

test('a version range that is not understood is none, and never an empty one', () => {
  expect(parseVersionRange('vers:generic/>=2.9|<=4.1')?.ranges).toEqual([
    { introduced: '2.9', fixed: null, lastAffected: '4.1' },
  ])
  for (const text of ['vers:generic/>1', '!=1', '>=1|>=2', '']) expect(parseVersionRange(text), text).toBeUndefined()
})

test.each([
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N', 7.5],
  ['CVSS:3.0/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:L/A:N', 3.3],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0],
  ['CVSS:4.0/AV:N', undefined],
])('the base score of %s is %s', (vector, score) => {
  expect(baseScore(vector)).toBe(score)
})

test('a catalogue of exploited vulnerabilities that was cut is refused', () => {
  const entry = { cveID: 'CVE-2026-1000', dateAdded: '2026-01-01', dueDate: '2026-01-22' }
  const whole = { catalogVersion: '1', dateReleased: 'x', count: 1, vulnerabilities: [entry] }
  expect(parseKev(whole)).toEqual([
    { cve: 'CVE-2026-1000', addedAt: Date.UTC(2026, 0, 1), dueAt: Date.UTC(2026, 0, 22) },
  ])
  expect(() => parseKev({ ...whole, count: 2 })).toThrow('count')
})

test('EPSS scores are shares of one, line by line', () => {
  const text = '#model_version:v2025.03.14\ncve,epss,percentile\nCVE-2026-1000,0.00042,0.5\n'
  expect([...parseEpss(text)]).toEqual([{ cve: 'CVE-2026-1000', probability: 420, percentile: 500_000 }])
  expect(() => [...parseEpss(`${text}CVE-2026-1001,1.5,0.5\n`)]).toThrow('line 4')
  expect(() => [...parseEpss('')]).toThrow('header')
})

test('what is none of the formats is told apart', () => {
  for (const value of [null, 7, [], {}, { id: 'x' }, [{}], { document: {} }]) expect(formatOf(value)).toBeUndefined()
})

fixturesDescribe('advisories', 'recorded CSAF documents', () => {
  const read = (name: string) => parseAdvisories(readJsonFixture('advisories', 'csaf', `${name}.json`))

  test("a security advisory of Red Hat: fixed in this version, for the branch's own support alone", () => {
    const [record] = read('rhsa-2022_0011')
    expect(record).toMatchObject({ id: 'RHSA-2022:0011', severity: 'high', aliases: ['CVE-2020-10188'] })
    expect(record?.statements).toContainEqual(
      expect.objectContaining({
        ecosystem: 'Red Hat',
        release: 'rhel_aus:7.6',
        package: 'telnet-server',
        architecture: 'x86_64',
        scheme: 'rpm',
        statement: 'affected',
        ranges: [{ introduced: null, fixed: '1:0.17-65.el7_6', lastAffected: null }],
      }),
    )
  })

  test('VEX: affected, not affected with why, and ranges of versions', () => {
    const statements = (name: string) =>
      read(name)[0]?.statements.map((each) => [each.versions[0], each.statement]) ?? []
    expect(statements('2022-evd-uc-01-a-001')).toEqual([['1.0', 'affected']])
    expect(read('2022-evd-uc-01-na-001')[0]?.statements).toMatchObject([
      {
        ecosystem: 'Example Company',
        package: 'ABC',
        versions: ['4.2'],
        statement: 'not-affected',
        justification: 'Class with vulnerable code was removed before shipping.',
      },
    ])
    const several = read('2022-evd-uc-06-001')[0]?.statements ?? []
    expect(several).toHaveLength(7)
    expect(several.find(({ ranges }) => ranges[0]?.introduced === '2.9')).toMatchObject({ statement: 'affected' })
    expect(several.find(({ ranges }) => ranges[0]?.introduced === '1.0')).toMatchObject({ statement: 'not-affected' })
  })

  test.each(['2022-evd-uc-03-ms-001', 'bsi-2022-0001'])('%s is read', (name) => {
    expect(read(name).every(({ published }) => published !== null)).toBe(true)
  })

  test('the catalogue of exploited vulnerabilities is read whole', () => {
    expect(parseKev(readJsonFixture('advisories', 'kev.json'))).toHaveLength(1404)
  })
})
