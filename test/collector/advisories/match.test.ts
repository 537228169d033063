import { expect, test } from 'vitest'
import { StatementIndex } from '../../../collector/advisories/index-groups.ts'
import { inventoryOf } from '../../../collector/advisories/inventory.ts'
import { incomparableIn, matchInventory } from '../../../collector/advisories/match.ts'
import type { Inventory, InventoryPackage } from '../../../collector/model/advisory.ts'
import { cvesOf } from '../../../shared/advisories/aliases.ts'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import type { PackagesContent } from '../../../shared/posture/sections/packages.ts'

const RANKS: Readonly<Record<string, number>> = { own: 0, debian: 1, other: 2 }

function indexOf(documents: Readonly<Record<string, readonly unknown[]>>): StatementIndex {
  const index = new StatementIndex()
  for (const [feed, list] of Object.entries(documents)) {
    for (const record of list.flatMap((each) => parseAdvisories(each))) {
      for (const statement of record.statements) {
        index.add({ advisory: record.id, feed, cves: cvesOf(record), statement })
      }
    }
  }
  index.seal()
  return index
}

const osv = (id: string, name: string, events: object[], more: object = {}) => ({
  id,
  modified: '2026-01-01T00:00:00Z',
  affected: [{ package: { ecosystem: 'Debian:12', name }, ranges: [{ type: 'ECOSYSTEM', events }] }],
  ...more,
})
const fixedIn = (id: string, name: string, fixed: string) => osv(id, name, [{ introduced: '0' }, { fixed }])

const one = (name: string, version: string, more: Partial<InventoryPackage> = {}): InventoryPackage => ({
  name,
  version,
  architecture: 'amd64',
  source: name,
  sourceVersion: version,
  ...more,
})

const inventory = (packages: readonly InventoryPackage[], more: Partial<Inventory> = {}): Inventory => ({
  manager: 'dpkg',
  ecosystem: { name: 'Debian', release: '12' },
  runningKernel: null,
  isWhole: true,
  packages,
  ...more,
})

const match = (of: Inventory, documents: Readonly<Record<string, readonly unknown[]>>) =>
  matchInventory(of, indexOf(documents).group, (feed) => RANKS[feed] ?? 9)

const short = (found: ReturnType<typeof match>) =>
  found.map(({ package: name, advisory, status, reason }) => `${name} ${advisory} ${status} ${reason}`)

test('what is older than the fix is affected, what is not is no exposure', () => {
  const debian = ['1', '1.0.5', '2', '3'].map((version, index) => fixedIn(`DSA-${index}`, 'zlib', version))
  expect(short(match(inventory([one('zlib', '1.0.5')]), { debian }))).toEqual([
    'zlib DSA-2 affected older-than-fix',
    'zlib DSA-3 affected older-than-fix',
  ])
  expect(match(inventory([one('zlib', '3')]), { debian })).toEqual([])
})

test('packages count by the version of their source, which may be another than their own', () => {
  const debian = [fixedIn('DSA-1', 'gcc-12', '12.2.0-15')]
  const libstdc = one('libstdc++6', '99', { source: 'gcc-12', sourceVersion: '12.2.0-14' })
  expect(match(inventory([libstdc]), { debian })).toMatchObject([
    { package: 'libstdc++6', installed: '12.2.0-14', fixedIn: '12.2.0-15', status: 'affected' },
  ])
})

test('other releases and other distributions are of no concern', () => {
  const debian = [fixedIn('DSA-1', 'zlib', '9')]
  const packages = [one('zlib', '1')]
  for (const ecosystem of [{ name: 'Debian', release: '11' }, { name: 'Ubuntu', release: '12' }, null]) {
    expect(match(inventory(packages, { ecosystem }), { debian })).toEqual([])
  }
})

test('a version that nobody can order is unknown, never not affected', () => {
  const debian = [fixedIn('DSA-1', 'zlib', '9'), fixedIn('DSA-2', 'curl', 'x:y')]
  const of = inventory([one('zlib', 'x:1'), one('curl', '1')])
  expect(short(match(of, { debian }))).toEqual([
    'zlib DSA-1 unknown version-not-comparable',
    'curl DSA-2 unknown version-not-comparable',
  ])
  expect(incomparableIn(of)).toEqual(['zlib'])
})

test('a bound that is passed decides, even where the other bound is no version', () => {
  const debian = [osv('DSA-1', 'zlib', [{ introduced: 'x:y' }, { fixed: '2' }])]
  expect(match(inventory([one('zlib', '3')]), { debian })).toEqual([])
  expect(short(match(inventory([one('zlib', '1')]), { debian }))).toEqual(['zlib DSA-1 unknown version-not-comparable'])
})

test('no fix yet, and being investigated, are said so', () => {
  const debian = [
    osv('DSA-1', 'zlib', [{ introduced: '0' }]),
    { zlib: { 'CVE-2026-1000': { releases: { bookworm: { status: 'undetermined' } } } } },
  ]
  expect(short(match(inventory([one('zlib', '3')]), { debian }))).toEqual([
    'zlib DSA-1 affected no-fix-yet',
    'zlib CVE-2026-1000 under-investigation being-investigated',
  ])
})

const vex = (status: string) => ({
  '@context': 'https://openvex.dev/ns/v0.2.0',
  '@id': 'VEX-1',
  author: 'Vendor',
  timestamp: '2026-01-01T00:00:00Z',
  statements: [
    {
      vulnerability: 'CVE-2026-1000',
      products: [{ '@id': 'pkg:deb/debian/zlib1g' }, { '@id': 'pkg:deb/debian/zlib1g?arch=amd64' }],
      status,
      justification: 'vulnerable_code_not_in_execute_path',
    },
  ],
})

test("the vendor's own word comes before the distribution's, and both are shown", () => {
  const debian = [{ ...fixedIn('DSA-1', 'zlib', '9'), aliases: ['CVE-2026-1000'] }]
  const of = inventory([one('zlib1g', '1', { source: 'zlib' })])
  const [first] = match(of, { debian, own: [vex('not_affected')] }).filter(({ advisory }) => advisory === 'DSA-1')
  expect(first).toMatchObject({
    status: 'not-affected',
    feed: 'own',
    justification: 'vulnerable code not in execute path',
    disputedBy: ['own: not-affected'],
  })
  const worse = match(of, { debian, other: [vex('not_affected')] }).filter(({ advisory }) => advisory === 'DSA-1')
  expect(worse).toMatchObject([{ status: 'affected', feed: 'debian', disputedBy: ['other: not-affected'] }])
})

const image = (version: string) =>
  one(`linux-image-${version}-amd64`, `${version}-1`, { source: 'linux', sourceVersion: `${version}-1` })

test('a kernel that is fixed on disk and runs on is neither affected nor fixed', () => {
  const debian = [fixedIn('DSA-1', 'linux', '6.1.20-1')]
  const packages = [image('6.1.10'), image('6.1.20'), one('linux-libc-dev', '6.1.10-1', { source: 'linux' })]
  const statuses = (runningKernel: string | null, of = packages) =>
    short(match(inventory(of, { runningKernel }), { debian }))
  expect(statuses('6.1.10-amd64')).toEqual([
    'linux-image-6.1.10-amd64 DSA-1 fixed-not-running kernel-not-restarted',
    'linux-libc-dev DSA-1 not-affected no-running-code',
  ])
  expect(statuses('6.1.20-amd64')[0]).toBe('linux-image-6.1.10-amd64 DSA-1 not-affected kernel-not-running')
  expect(statuses('6.1.10-amd64', [image('6.1.10')])).toEqual([
    'linux-image-6.1.10-amd64 DSA-1 affected older-than-fix',
  ])
  // Whoever does not say what runs may run the old one.
  expect(statuses(null)[0]).toBe('linux-image-6.1.10-amd64 DSA-1 affected running-kernel-unknown')
})

test("signed kernels are of the kernel's source, whatever theirs is called", () => {
  const content = {
    manager: 'dpkg',
    packages: [
      {
        name: 'linux-image-6.1.10-amd64',
        version: '6.1.10-1',
        source: 'linux-signed-amd64',
        sourceVersion: '6.1.10+1',
      },
    ],
    total: 1,
    malformed: 0,
    incomplete: false,
  } as PackagesContent
  expect(inventoryOf(content, null).packages[0]).toMatchObject({ source: 'linux', sourceVersion: '6.1.10-1' })
})

test('a system of its own has the order of its package manager, whatever an advisory takes its versions for', () => {
  const acme = { ecosystem: { name: 'acme', release: '4.1' } }
  const ranges = [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2.4~rc1-1' }] }]
  const affected = [{ package: { ecosystem: 'acme:4.1', name: 'agent' }, ranges }]
  const document = { own: [{ id: 'ACME-1', modified: '2026-01-01T00:00:00Z', affected }] }
  const of = (version: string, manager: Inventory['manager']) =>
    short(match(inventory([one('agent', version)], { ...acme, manager }), document))
  expect(of('2.4~beta-1', 'dpkg')).toEqual(['agent ACME-1 affected older-than-fix'])
  expect(of('2.4-1', 'dpkg')).toEqual([])
  const scheme = (manager: Inventory['manager']) =>
    match(inventory([one('agent', '2.4~beta-1')], { ...acme, manager }), document).map((each) => each.scheme)
  expect([scheme('dpkg'), scheme('apk')]).toEqual([['dpkg'], ['apk']])
  // No version of Alpine's has a tilde there: nobody can tell.
  expect(of('2.4-1', 'apk')).toEqual(['agent ACME-1 unknown version-not-comparable'])
})
