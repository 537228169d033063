import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createHost, type Host } from '../../../../agent/sensors/host.ts'
import { patchLevelSensor } from '../../../../agent/sensors/patch-level.ts'
import { measureAll } from '../../../../agent/sensors/registry.ts'
import type { PatchLevelContent, Updates } from '../../../../shared/posture/sections/patch-level.ts'
import { treeHost, withoutPermission, writeTree, type Tree } from '../../../support/host-tree.ts'

const LISTS = '/var/lib/apt/lists'
const STABLE = 'deb.example_debian_dists_stable'
const SECURITY = 'deb.example_debian-security_dists_stable-security'

const installed = (name: string, version: string, architecture = 'amd64') =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: ${architecture}\nVersion: ${version}\n\n`
const listed = (name: string, version: string, architecture = 'amd64') =>
  `Package: ${name}\nVersion: ${version}\nArchitecture: ${architecture}\nDescription: x\n more\n\n`
const release = (fields: string) =>
  `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\n${fields}SHA256:\n abc 1 Label: Debian-Security\n`

const base: Tree = {
  '/var/lib/dpkg/status': installed('dpkg', '1.22') + installed('openssl', '3.0.1-1') + installed('tzdata', '1', 'all'),
  '/etc/apt/sources.list':
    'deb https://user:secret@deb.example/debian stable main\n' +
    'deb [trusted=no] http://deb.example/debian-security/ stable-security main\n',
  [`${LISTS}/${STABLE}_InRelease`]: release('Label: Debian\nSuite: stable\n'),
  [`${LISTS}/${SECURITY}_InRelease`]: release('Label: Debian-Security\nSuite: stable-security\n'),
  [`${LISTS}/${STABLE}_main_binary-amd64_Packages`]: listed('openssl', '3.0.1-1') + listed('tzdata', '2', 'all'),
  [`${LISTS}/${SECURITY}_main_binary-amd64_Packages`]: listed('openssl', '3.0.2-1') + listed('unrelated', '9'),
}

async function contentOf(host: Host): Promise<PatchLevelContent> {
  const reading = (await measureAll(host, [patchLevelSensor])).get('patch-level')?.reading
  if (reading?.status !== 'measured') throw new Error(`not measured: ${JSON.stringify(reading)}`)
  return reading.content as PatchLevelContent
}
async function updatesOf(tree: Tree | Host): Promise<Updates> {
  const { updates } = await contentOf('readText' in tree ? (tree as Host) : treeHost(tree as Tree))
  if ('missing' in updates) throw new Error(updates.missing)
  return updates.value
}
const briefly = ({ pending }: Updates) =>
  pending.map(({ name, candidate, security }) => `${name} ${candidate}${security ? ' security' : ''}`)

test('updates are found in the lists of enabled sources, those for security first', async () => {
  expect(await updatesOf(base)).toEqual({
    manager: 'apt',
    pending: [
      { name: 'openssl', architecture: 'amd64', installed: '3.0.1-1', candidate: '3.0.2-1', security: true },
      { name: 'tzdata', architecture: 'all', installed: '1', candidate: '2', security: false },
    ],
    total: 2,
    security: 1,
    securityTold: true,
    lists: [
      { name: `${SECURITY}_main_binary-amd64_Packages`, status: 'read', security: true },
      { name: `${STABLE}_main_binary-amd64_Packages`, status: 'read', security: false },
    ],
    unnamed: 0,
    incomparable: 0,
    pins: false,
  })
})

describe('the candidate is the one of apt_preferences(5)', () => {
  const withStable = (list: string, fields = 'Suite: stable\n'): Tree => ({
    ...base,
    [`${LISTS}/${STABLE}_main_binary-amd64_Packages`]: list,
    [`${LISTS}/${STABLE}_InRelease`]: release(fields),
  })
  const offered = listed('openssl', '3.1-1')

  test('the highest version of equal archives, a security update all the same', async () => {
    expect(briefly(await updatesOf(withStable(offered)))).toEqual(['openssl 3.1-1 security'])
  })
  test('whichever list is read first', async () => {
    const lines = String(base['/etc/apt/sources.list']).trim().split('\n')
    const tree = { ...withStable(offered), '/etc/apt/sources.list': `${lines.reverse().join('\n')}\n` }
    expect(briefly(await updatesOf(tree))).toEqual(['openssl 3.1-1 security'])
  })
  test('not from an archive that asks not to be taken from', async () => {
    expect(briefly(await updatesOf(withStable(offered, 'NotAutomatic: yes\n')))).toEqual(['openssl 3.0.2-1 security'])
  })
  test('from backports only what backports already gave', async () => {
    const fields = 'NotAutomatic: yes\nButAutomaticUpgrades: yes\n'
    expect(briefly(await updatesOf(withStable(offered, fields)))).toEqual(['openssl 3.0.2-1 security'])
    const backported = {
      ...withStable(listed('openssl', '3.2~bpo2'), fields),
      '/var/lib/dpkg/status': installed('dpkg', '1') + installed('openssl', '3.2~bpo1'),
    }
    expect(briefly(await updatesOf(backported))).toEqual(['openssl 3.2~bpo2'])
    // What the better archive also has is worth more than an upgrade from the lesser.
    const inBoth = {
      ...backported,
      [`${LISTS}/${SECURITY}_main_binary-amd64_Packages`]: listed('openssl', '3.2~bpo1'),
    }
    expect(briefly(await updatesOf(inBoth))).toEqual([])
  })
  test('never an older one', async () => {
    expect(briefly(await updatesOf(withStable(listed('openssl', '2.9') + listed('tzdata', '0', 'all'))))).toEqual([
      'openssl 3.0.2-1 security',
    ])
  })
  test('of the same architecture', async () => {
    const list = listed('openssl', '4', 'arm64') + listed('tzdata', '3', 'arm64')
    expect(briefly(await updatesOf(withStable(list)))).toEqual(['openssl 3.0.2-1 security'])
  })
  test('of the native one where the package was for all before', async () => {
    expect(briefly(await updatesOf(withStable(listed('tzdata', '3', 'amd64'))))).toContain('tzdata 3')
  })
})

test.each([
  ['Suite: noble-security\n', true],
  ['Codename: bookworm-security\n', true],
  ['Suite: stable/security\n', true],
  ['Label: Debian-Security\n', true],
  ['Suite: insecurity\n', false],
  ['Description: Label: Debian-Security\n', false],
])('%j names a security archive: %s', async (fields, security) => {
  const updates = await updatesOf({ ...base, [`${LISTS}/${SECURITY}_InRelease`]: release(fields) })
  expect(updates.security).toBe(security ? 1 : 0)
})

describe('a list that could not be compared is named with the reason', () => {
  const list = `${LISTS}/${SECURITY}_main_binary-amd64_Packages`
  const { [list]: _, ...without } = base
  const statusOf = async (tree: Tree | Host) => (await updatesOf(tree)).lists.map(({ status }) => status).reverse()

  test.each(['xz', 'zst', 'bz2'])('compressed by %s', async (extension) => {
    expect(await statusOf({ ...without, [`${list}.${extension}`]: 'x' })).toEqual(['read', 'compressed'])
  })
  test('never downloaded', async () => {
    expect(await statusOf(without)).toEqual(['read', 'absent'])
  })
  test('of a source that is not enabled any more', async () => {
    const tree = { ...base, '/etc/apt/sources.list': 'deb http://deb.example/debian-security stable-security main\n' }
    expect(await statusOf(tree)).toEqual(['not-enabled', 'read'])
    expect(briefly(await updatesOf(tree))).toEqual(['openssl 3.0.2-1 security'])
  })
  test('without permission', async () => {
    expect(await statusOf(withoutPermission(treeHost(base), list))).toEqual(['read', 'no-permission'])
  })
  test('a record of an installed package without a version', async () => {
    expect(await statusOf({ ...base, [list]: 'Package: openssl\nArchitecture: amd64\n\n' })).toEqual([
      'read',
      'malformed',
    ])
  })
  test('a record without an end', async () => {
    const endless = `Package: openssl\nDescription: ${'x'.repeat(2 * 1024 * 1024)}\n\n`
    expect(await statusOf({ ...base, [list]: endless })).toEqual(['read', 'malformed'])
  })
  test('damaged gzip', async () => {
    const whole = gzipSync(listed('openssl', '3.0.2-1').repeat(50))
    expect(await statusOf({ ...without, [`${list}.gz`]: whole.subarray(0, whole.length - 9) })).toEqual([
      'read',
      'malformed',
    ])
    expect(await statusOf({ ...without, [`${list}.gz`]: 'no gzip' })).toEqual(['read', 'malformed'])
  })
})

describe('what decides over the lists and cannot be read leaves no answer, rather than no updates', () => {
  const missingOf = async (host: Host) => (await contentOf(host)).updates

  test.each(['/etc/apt/sources.list', '/etc/apt/sources.list.d'])('%s', async (path) => {
    expect(await missingOf(withoutPermission(treeHost(base), path))).toEqual({ missing: 'unreadable' })
  })
  test('the database of packages', async () => {
    const path = '/var/lib/dpkg/status'
    expect(await missingOf(withoutPermission(treeHost(base), path))).toEqual({ missing: 'no-permission' })
    const huge = treeHost({ ...base, [path]: Buffer.alloc(50 * 1024 * 1024, installed('a', '1')) })
    expect(await missingOf(huge)).toEqual({ missing: 'too-large' })
  })
})

describe('more than any real system has', () => {
  test('a list of gigabytes is not read', async () => {
    const root = writeTree(base)
    truncateSync(join(root, LISTS, `${SECURITY}_main_binary-amd64_Packages`), 3 * 1024 ** 3)
    const { lists } = await updatesOf(createHost({ root }))
    expect(lists.map(({ status }) => status)).toEqual(['too-large', 'read'])
  })

  test('10,000 sources are counted', async () => {
    const lines = Array.from({ length: 10_000 }, (_, index) => `deb http://s${index}.example/debian stable main\n`)
    const updates = await updatesOf({ ...base, '/etc/apt/sources.list.d/many.list': lines.join('') })
    expect(updates.lists).toHaveLength(256)
    // Those of the lists that were beyond the bound, and two that are real.
    expect(updates.unnamed).toBe(10_002 - 256)
  })

  test('what gzip makes of nothing is bounded', async () => {
    const list = `${LISTS}/${SECURITY}_main_binary-amd64_Packages`
    const { [list]: _, ...without } = base
    const bomb = gzipSync(Buffer.alloc(300 * 1024 * 1024, '\n'), { level: 1 })
    const { lists } = await updatesOf({ ...without, [`${list}.gz`]: bomb })
    expect(lists.map(({ status }) => status)).toContain('too-large')
  })
})

test('a list that apt keeps compressed by gzip is read', async () => {
  const list = `${LISTS}/${SECURITY}_main_binary-amd64_Packages`
  const { [list]: _, ...without } = base
  const tree = { ...without, [`${list}.gz`]: gzipSync(listed('openssl', '3.0.2-1')) }
  expect(briefly(await updatesOf(tree))).toEqual(['openssl 3.0.2-1 security', 'tzdata 2'])
})

describe('lists that were read once', () => {
  const stable = `${LISTS}/${STABLE}_main_binary-amd64_Packages`
  const opened = (root: string): { host: Host; lists: () => string[] } => {
    const host = createHost({ root })
    const paths: string[] = []
    const open: Host['open'] = (path) => {
      if (path.endsWith('Packages')) paths.push(path.slice(`${LISTS}/`.length))
      return host.open(path)
    }
    return { host: { ...host, open }, lists: () => paths.splice(0).sort() }
  }
  const security = `${SECURITY}_main_binary-amd64_Packages`

  test('are read again only where they have changed, and the others still count', async () => {
    const root = writeTree(base)
    const { host, lists } = opened(root)
    expect(briefly(await updatesOf(host))).toEqual(['openssl 3.0.2-1 security', 'tzdata 2'])
    expect(lists()).toHaveLength(2)
    expect(briefly(await updatesOf(host))).toEqual(['openssl 3.0.2-1 security', 'tzdata 2'])
    expect(lists()).toEqual([])
    writeFileSync(join(root, LISTS, security), listed('openssl', '3.0.3-1'))
    expect(briefly(await updatesOf(host))).toEqual(['openssl 3.0.3-1 security', 'tzdata 2'])
    expect(lists()).toEqual([security])
  })

  test('are enough after an update, and not after another package was installed', async () => {
    const root = writeTree(base)
    const { host, lists } = opened(root)
    await updatesOf(host)
    lists()
    const database = join(root, '/var/lib/dpkg/status')
    writeFileSync(database, String(base['/var/lib/dpkg/status']).replace('3.0.1-1', '3.0.2-1'))
    expect(briefly(await updatesOf(host))).toEqual(['tzdata 2'])
    expect(lists()).toEqual([])
    appendFileSync(database, installed('unrelated', '1'))
    expect(briefly(await updatesOf(host))).toEqual(['unrelated 9 security', 'tzdata 2'])
    expect(lists()).toHaveLength(2)
  })

  test('are read again after six hours', async () => {
    const root = writeTree(base)
    let now = 1_000_000
    const real = createHost({ root, now: () => now })
    let count = 0
    const host: Host = { ...real, open: (path) => (path === stable && (count += 1), real.open(path)) }
    await updatesOf(host)
    now += 6 * 3600 - 1
    await updatesOf(host)
    expect(count).toBe(1)
    now += 1
    await updatesOf(host)
    expect(count).toBe(2)
  })
})

test.skipIf(spawnSync('lz4', ['--version']).error !== undefined)(
  'a list that apt keeps compressed by LZ4 is read',
  async () => {
    const list = `${LISTS}/${SECURITY}_main_binary-amd64_Packages`
    const { [list]: _, ...without } = base
    const text = listed('other', '1').repeat(9000) + listed('openssl', '3.0.2-1')
    const whole = execFileSync('lz4', ['-c'], { input: text, stdio: ['pipe', 'pipe', 'ignore'] })
    const updates = await updatesOf({ ...without, [`${list}.lz4`]: whole })
    expect(briefly(updates)).toEqual(['openssl 3.0.2-1 security', 'tzdata 2'])
    const cut = await updatesOf({ ...without, [`${list}.lz4`]: whole.subarray(0, whole.length - 3) })
    expect(cut.lists.map(({ status }) => status)).toContain('malformed')
  },
)

test('a version in a list that is none is counted, not compared', async () => {
  const tree = { ...base, [`${LISTS}/${SECURITY}_main_binary-amd64_Packages`]: listed('openssl', '1:') }
  expect(await updatesOf(tree)).toMatchObject({ incomparable: 1, security: 0 })
})

test.each([
  [
    'deb822 style',
    'x.sources',
    'Types: deb deb-src\nURIs: http://a.b:80/x~y/\nSuites: s/t\nComponents: c/d\n',
    'a.b:80_x%7ey_dists_s_t_c_d_binary-amd64_Packages',
  ],
  ['a flat archive', 'x.list', 'deb file:///srv/repo ./\n', '_srv_repo_._Packages'],
  ['a flat archive at its root', 'x.list', 'deb http://a/r /\n', 'a_r_Packages'],
  [
    'the architecture in the suite',
    'x.list',
    'deb http://a/r s/$(ARCH) c\n',
    'a_r_dists_s_amd64_c_binary-amd64_Packages',
  ],
])('%s has its list under the name that apt gives it', async (_, file, text, name) => {
  const tree = {
    ...base,
    [`/etc/apt/sources.list.d/${file}`]: text,
    [`${LISTS}/${name}`]: listed('tzdata', '7', 'all'),
  }
  const updates = await updatesOf(tree)
  expect(updates.lists).toContainEqual({ name, status: 'read', security: false })
  expect(briefly(updates)).toContain('tzdata 7')
})

test.each([
  ['/etc/apt/preferences', 'Package: *\n'],
  ['/etc/apt/preferences.d/10pin', 'Package: *\n'],
])('%s are pins', async (path, text) => {
  expect(await updatesOf({ ...base, [path]: text })).toMatchObject({ pins: true })
})

test('without dpkg or without lists there is no answer, rather than no updates', async () => {
  expect((await contentOf(treeHost({}))).updates).toEqual({ missing: 'absent' })
  expect((await contentOf(treeHost({ '/var/lib/dpkg/status': installed('a', '1') }))).updates).toEqual({
    missing: 'absent',
  })
  expect((await contentOf(withoutPermission(treeHost(base), LISTS))).updates).toEqual({ missing: 'no-permission' })
})

test('more updates than a section holds are counted, security updates are kept', async () => {
  const names = Array.from({ length: 2000 }, (_, index) => `p${index}`)
  const tree = {
    ...base,
    '/var/lib/dpkg/status': installed('dpkg', '1') + names.map((name) => installed(name, '1')).join(''),
    [`${LISTS}/${STABLE}_main_binary-amd64_Packages`]: names.map((name) => listed(name, '2')).join(''),
    [`${LISTS}/${SECURITY}_main_binary-amd64_Packages`]: listed('p1999', '3'),
  }
  const updates = await updatesOf(tree)
  expect(updates).toMatchObject({ total: 2000, security: 1 })
  expect(updates.pending).toHaveLength(512)
  expect(updates.pending[0]).toMatchObject({ name: 'p1999', security: true })
})
