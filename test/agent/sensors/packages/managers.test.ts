import { describe, expect, test } from 'vitest'
import type { Host } from '../../../../agent/sensors/host.ts'
import { packagesSensor } from '../../../../agent/sensors/packages.ts'
import { measureAll } from '../../../../agent/sensors/registry.ts'
import { fixturesDescribe, readFixture } from '../../../support/fixtures.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'

const measure = async (host: Host) => (await measureAll(host, [packagesSensor])).get('packages')?.reading
const of = (tree: Tree) => measure(treeHost(tree))
const names = (reading: unknown): string[] =>
  (reading as { content: { packages: { name: string }[] } }).content.packages.map(({ name }) => name)

const APK = '/lib/apk/db/installed'
const OPKG = '/usr/lib/opkg/status'
const musl = 'C:Q1a=\nP:musl\nV:1.2.5-r0\nA:x86_64\no:musl\nF:lib\nR:ld-musl.so\nZ:Q1b=\n\n'
const utils = 'C:Q1a=\nP:musl-utils\nV:1.2.5-r0\nA:x86_64\no:musl\nf:fs\n\n'
const ubus = 'Package: ubus\nVersion: 2024.10.20~252a9b0c-r1\nStatus: install user installed\nArchitecture: x86_64\n\n'
const whole = { malformed: 0, incomplete: false }

describe('apk', () => {
  test('a package with its origin and what is broken', async () => {
    expect(await of({ [APK]: musl + utils })).toEqual({
      status: 'measured',
      content: {
        manager: 'apk',
        packages: [
          { name: 'musl', architecture: 'x86_64', version: '1.2.5-r0' },
          {
            name: 'musl-utils',
            architecture: 'x86_64',
            version: '1.2.5-r0',
            source: 'musl',
            state: 'half-installed',
          },
        ],
        total: 2,
        ...whole,
      },
    })
  })

  test.each([
    ['a field without a colon', 'P:x\nV:1\nnonsense\n\n'],
    ['two names', 'P:x\nP:y\nV:1\n\n'],
    ['two versions', 'P:x\nV:1\nV:2\n\n'],
    ['no version', 'P:x\n\n'],
    ['no name', 'V:1\n\n'],
    ['an escape in the name', 'P:x\u001b[2J\nV:1\n\n'],
    ['an origin with a blank', 'P:x\nV:1\no:a b\n\n'],
  ])('%s: the package is counted, its neighbour is listed', async (_, record) => {
    const reading = await of({ [APK]: record + musl })
    expect(reading).toMatchObject({ content: { total: 1, malformed: 1, incomplete: false } })
    expect(names(reading)).toEqual(['musl'])
  })

  test('cut anywhere, it is incomplete', async () => {
    const all = musl + utils
    for (let length = 1; length < all.length; length++) {
      if (length === musl.length) continue
      expect(await of({ [APK]: all.slice(0, length) })).toMatchObject({ content: { incomplete: true } })
    }
  })

  test('50 MB are refused, not read', async () => {
    expect(await of({ [APK]: Buffer.alloc(50 * 1024 * 1024, musl) })).toMatchObject({
      status: 'failed',
      code: 'input-too-large',
    })
  })

  test('a database that may not be read is not an empty one', async () => {
    expect(await measure(withoutPermission(treeHost({ [APK]: musl }), APK))).toMatchObject({
      status: 'no-permission',
      reason: 'file-not-readable',
    })
  })
})

describe('opkg', () => {
  test('a package that was asked for by name', async () => {
    expect(await of({ [OPKG]: ubus })).toMatchObject({
      content: {
        manager: 'opkg',
        packages: [{ name: 'ubus', version: '2024.10.20~252a9b0c-r1', architecture: 'x86_64' }],
        total: 1,
        ...whole,
      },
    })
  })

  test.each([
    ['hold,user installed', { held: true }],
    ['ok post-inst-failed', { state: 'half-configured' }],
    ['ok removal-failed', { state: 'half-installed' }],
    ['reinstreq,user unpacked', { state: 'unpacked', reinstallRequired: true }],
  ])('install %s', async (status, expected) => {
    const reading = await of({ [OPKG]: ubus.replace('user installed', status) })
    expect(reading).toMatchObject({ content: { packages: [{ name: 'ubus', ...expected }] } })
  })

  test.each([
    ['ok excellent', 1],
    ['surprising installed', 1],
    ['ok,surprising installed', 1],
    ['ok not-installed', 0],
  ])('install %s is no installed package', async (status, malformed) => {
    const text = ubus.replace('user installed', status)
    expect(await of({ [OPKG]: text })).toMatchObject({ content: { total: 0, malformed } })
  })

  test('dpkg does not take the words of opkg', async () => {
    expect(await of({ '/var/lib/dpkg/status': ubus })).toMatchObject({ content: { total: 0, malformed: 1 } })
  })

  test('where Yocto keeps it', async () => {
    expect(await of({ '/var/lib/opkg/status': ubus })).toMatchObject({ content: { manager: 'opkg', total: 1 } })
  })
})

describe('several managers', () => {
  const bash = 'Package: bash\nStatus: install ok installed\nVersion: 5\n\n'

  test('the others are named', async () => {
    const tree = { '/var/lib/dpkg/status': bash, [OPKG]: ubus, '/var/lib/rpm/rpmdb.sqlite': 'SQLite' }
    expect(await of(tree)).toMatchObject({ content: { manager: 'dpkg', others: ['opkg', 'rpm'], total: 1 } })
  })

  test('one with an empty database is not the system, and not another', async () => {
    const reading = await of({ '/var/lib/dpkg/status': '', [APK]: musl })
    expect(reading).toMatchObject({ content: { manager: 'apk' } })
    expect(reading).not.toHaveProperty('content.others')
  })

  test('one whose every record is damaged is not passed over for a healthy one', async () => {
    const reading = await of({ '/var/lib/dpkg/status': 'nonsense\n\n', [APK]: musl })
    expect(reading).toMatchObject({ content: { manager: 'dpkg', malformed: 1, others: ['apk'] } })
  })

  test('an empty dpkg beside an rpm database does not speak for the system', async () => {
    expect(await of({ '/var/lib/dpkg/status': '', '/usr/lib/sysimage/rpm/Packages': 'bdb' })).toEqual({
      status: 'not-supported',
      reason: 'package-database-format',
    })
  })
})

fixturesDescribe('packages', 'recorded databases of apk and opkg', () => {
  test.each([
    ['apk', 'installed', APK, 0],
    ['apk', 'single', APK, 0],
    ['apk', 'no-origin', APK, 0],
    ['apk', 'invalid', APK, 2],
    ['opkg', 'valid', OPKG, 0],
    ['opkg', 'single', OPKG, 0],
    ['opkg', 'trailingnewlines', OPKG, 0],
    ['opkg', 'nopackage', OPKG, 1],
    ['opkg', 'noversion', OPKG, 1],
    ['opkg', 'invalid', OPKG, 2],
  ])('%s %s', async (manager, name, path, malformed) => {
    const text = readFixture('packages', manager, name).toString('latin1')
    const reading = await of({ [path]: text })
    const records = text.split('\n').filter((line) => /^(?:Package: |P:)/.test(line)).length
    expect(reading).toMatchObject({ content: { manager, malformed } })
    expect(names(reading)).toHaveLength(name === 'noversion' ? records - 1 : records)
  })

  test('apk: origins', async () => {
    const reading = await of({ [APK]: readFixture('packages', 'apk', 'installed').toString('latin1') })
    expect(reading).toMatchObject({
      content: { packages: expect.arrayContaining([expect.objectContaining({ source: 'alpine-baselayout' })]) },
    })
  })
})
