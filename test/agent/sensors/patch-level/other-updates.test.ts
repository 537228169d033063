import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../../../agent/sensors/host.ts'
import { patchLevelSensor } from '../../../../agent/sensors/patch-level.ts'
import { measureAll } from '../../../../agent/sensors/registry.ts'
import type { PatchLevelContent, Updates } from '../../../../shared/posture/sections/patch-level.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'
import { rpmDatabase, rpmHeader } from '../../../support/rpm-database.ts'
import { tarArchive } from '../../../support/tar.ts'

async function contentOf(host: Host): Promise<PatchLevelContent> {
  const reading = (await measureAll(host, [patchLevelSensor])).get('patch-level')?.reading
  if (reading?.status !== 'measured') throw new Error(`not measured: ${JSON.stringify(reading)}`)
  return reading.content as PatchLevelContent
}
async function updatesOf(tree: Tree): Promise<Updates> {
  const { updates } = await contentOf(treeHost(tree))
  if ('missing' in updates) throw new Error(updates.missing)
  return updates.value
}
const briefly = ({ pending }: Updates) =>
  pending.map(({ name, candidate, security }) => `${name} ${candidate}${security ? ' security' : ''}`)
const statuses = ({ lists }: Updates) => lists.map(({ name, status }) => `${name} ${status}`)

describe('apk', () => {
  const MAIN = 'http://dl-cdn.alpinelinux.org/alpine/v3.9/main'
  const COMMUNITY = 'http://dl-cdn.alpinelinux.org/alpine/v3.9/community'
  // As apk itself names them in its messages.
  const INDEX = '/var/cache/apk/APKINDEX.b89edf6e.tar.gz'
  const OTHER = '/var/cache/apk/APKINDEX.737f7e01.tar.gz'
  const record = (name: string, version: string, architecture = 'x86_64') =>
    `C:Q1abc=\nP:${name}\nV:${version}\nA:${architecture}\nS:1\nT:x: y\n\n`
  /** A signature's archive without an end, and the index. */
  const index = (text: string): Buffer =>
    Buffer.concat([
      gzipSync(tarArchive({ '.SIGN.RSA.key.pub': 'signature' }, false)),
      gzipSync(tarArchive({ DESCRIPTION: 'v3.9', APKINDEX: text })),
    ])
  const base: Tree = {
    '/lib/apk/db/installed':
      'P:musl\nV:1.2.3-r4\nA:x86_64\n\nP:tzdata\nV:2024a-r0\nA:noarch\n\nP:.build\nV:2024.1\nA:noarch\n\n',
    '/etc/apk/repositories': `#http://x\n${MAIN}\n${COMMUNITY}\n`,
    '/etc/apk/world': 'musl\ntzdata\n',
    [INDEX]: index(record('musl', '1.2.3-r5') + record('tzdata', '2024b-r0', 'noarch') + record('nginx', '9-r0')),
    [OTHER]: index(record('musl', '1.2.3-r10') + record('musl', '2.0-r0', 'armhf')),
  }

  test('offers what is newest in any index of an enabled repository', async () => {
    expect(await updatesOf(base)).toEqual({
      manager: 'apk',
      pending: [
        { name: 'musl', architecture: 'x86_64', installed: '1.2.3-r4', candidate: '1.2.3-r10', security: false },
        { name: 'tzdata', architecture: 'noarch', installed: '2024a-r0', candidate: '2024b-r0', security: false },
      ],
      total: 2,
      security: 0,
      securityTold: false,
      lists: [
        { name: COMMUNITY, status: 'read', security: false },
        { name: MAIN, status: 'read', security: false },
      ],
      unnamed: 0,
      incomparable: 0,
      pins: false,
    })
  })

  test('keeps indices where the administrator wants them, and reads local ones in place', async () => {
    const { [OTHER]: _, ...without } = base
    const linked = { ...without, '/etc/apk/cache': { link: '/media/c' }, [`/media/c${OTHER.slice(14)}`]: index('') }
    expect(statuses(await updatesOf(linked))).toEqual([`${COMMUNITY} read`, `${MAIN} read`])
    const local = {
      ...base,
      '/etc/apk/repositories': '/srv/apks/\n',
      '/srv/apks/x86_64/APKINDEX.tar.gz': index(record('musl', '3-r0')),
    }
    expect(briefly(await updatesOf(local))).toEqual(['musl 3-r0'])
  })

  test.each([
    ['a tagged repository', { '/etc/apk/repositories': `${MAIN}\n@edge http://x/edge\n` }],
    ['a constraint', { '/etc/apk/world': 'musl=1.2.3-r4\n' }],
    ['a lower bound', { '/etc/apk/world': 'musl>1\n' }],
  ])('says that %s may keep another version', async (_, change) => {
    expect(await updatesOf({ ...base, ...change })).toMatchObject({ pins: true })
  })

  const whole = base[INDEX] as Buffer
  test.each([
    ['never downloaded', undefined, 'absent'],
    ['cut', whole.subarray(0, whole.length - 12), 'malformed'],
    ['of the signature alone', gzipSync(tarArchive({ '.SIGN.RSA.key.pub': 's' })), 'malformed'],
    ['that is no archive', gzipSync('x'.repeat(2000)), 'malformed'],
    ['that ends within a record', index('P:musl\nV:9'), 'malformed'],
    ['with a record without a version', index('P:musl\n\n'), 'malformed'],
  ])('names an index %s', async (_, bytes, status) => {
    const { [INDEX]: _index, ...without } = base
    const updates = await updatesOf(bytes === undefined ? without : { ...without, [INDEX]: bytes })
    expect(statuses(updates)).toEqual([`${COMMUNITY} read`, `${MAIN} ${status}`])
  })

  test('with repositories that cannot be read leaves no answer', async () => {
    const host = withoutPermission(treeHost(base), '/etc/apk/repositories')
    expect((await contentOf(host)).updates).toEqual({ missing: 'unreadable' })
  })

  test('with an index that is damaged anywhere ends with an answer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = Buffer.from(whole)
        damaged.writeUInt8((damaged[at] ?? 0) ^ flip, at)
        const { lists } = await updatesOf({ ...base, [INDEX]: damaged })
        expect(['read', 'malformed']).toContain(lists[1]?.status)
      }),
      { numRuns: 60 },
    )
  })
})

describe('opkg', () => {
  const listed = (name: string, version: string, architecture = 'mips_24kc') =>
    `Package: ${name}\nVersion: ${version}\nDepends: libc\nArchitecture: ${architecture}\nSHA256sum: x\n\n`
  const base: Tree = {
    '/usr/lib/opkg/status':
      'Package: dropbear\nVersion: 2022.82-5\nStatus: install user installed\nArchitecture: mips_24kc\n\n' +
      'Package: luci\nVersion: git-23.1\nStatus: install ok installed\nArchitecture: all\n\n',
    '/etc/opkg/distfeeds.conf': 'src/gz core http://x/core\nsrc/gz base http://x/base\n',
    '/var/opkg-lists/core': gzipSync(listed('dropbear', '2022.82-6')),
    '/var/opkg-lists/base': listed('luci', 'git-24.1', 'all') + listed('dropbear', '2021.1'),
    '/var/opkg-lists/core.sig': 'untrusted comment: x\n',
  }

  test('offers what is newest in the lists of its feeds, compressed or not', async () => {
    const updates = await updatesOf(base)
    expect(updates).toMatchObject({ manager: 'opkg', securityTold: false, security: 0 })
    expect(briefly(updates)).toEqual(['dropbear 2022.82-6', 'luci git-24.1'])
    expect(statuses(updates)).toEqual(['base read', 'core read'])
  })
  test('keeps its lists where it was told', async () => {
    const moved = {
      ...base,
      '/etc/opkg.conf': 'lists_dir ext /var/lib/lists\n',
      '/var/lib/lists/core': listed('dropbear', '2025.1'),
    }
    expect(briefly(await updatesOf(moved))).toEqual(['dropbear 2025.1'])
    expect(statuses(await updatesOf(moved))).toEqual(['base absent', 'core read'])
  })
  test('in a format that is not read says so', async () => {
    const packed = Buffer.from('28b52ffd00000000', 'hex')
    expect(statuses(await updatesOf({ ...base, '/var/opkg-lists/core': packed }))).toEqual([
      'base read',
      'core compressed',
    ])
  })
})

describe('dnf', () => {
  const CACHE = '/var/cache/dnf/base-0123456789abcdef/repodata'
  const installed = [
    { name: 'bash', version: '5.1', release: '1.el9', arch: 'x86_64', source: 'bash-5.1-1.el9.src.rpm' },
    { name: 'kernel', version: '5.14', release: '1.el9', arch: 'x86_64', source: 'kernel-5.14-1.el9.src.rpm' },
    { name: 'kernel', version: '5.14', release: '3.el9', arch: 'x86_64', source: 'kernel-5.14-3.el9.src.rpm' },
    { name: 'dbus', version: '1.12', release: '1', epoch: 1, arch: 'x86_64', source: 'dbus-1.12-1.src.rpm' },
  ]
  const entry = (name: string, version: string, release: string, epoch = 0, arch = 'x86_64') =>
    `<package type="rpm">\n  <name>${name}</name>\n  <arch>${arch}</arch>\n` +
    `  <version epoch="${epoch}" ver="${version}" rel="${release}"/>\n` +
    `  <description>a &lt;name&gt;bash&lt;/name&gt;</description>\n</package>\n`
  const primary = (entries: string) =>
    gzipSync(`<?xml version="1.0"?>\n<metadata packages="1">\n${entries}</metadata>\n`)
  const advisory = (type: string, name: string, version: string, release: string) =>
    `<update from="x" status="final" type="${type}" version="2">\n<id>A</id><pkglist><collection>\n` +
    `<package name="${name}" version="${version}" release="${release}" epoch="0" arch="x86_64" src="s"><filename>f</filename></package>\n` +
    `<package name="other" version="1" release="1" epoch="0" arch="x86_64"/><filename/></package></collection></pkglist></update>\n`
  const repomd = (...parts: [type: string, file: string][]) =>
    `<repomd>${parts.map(([type, file]) => `<data type="${type}">\n<location href="repodata/${file}"/></data>`).join('\n')}</repomd>`
  const base: Tree = {
    '/var/lib/rpm/rpmdb.sqlite': rpmDatabase(installed.map(rpmHeader)),
    '/etc/yum.repos.d/base.repo': '[base]\nbaseurl=http://x\n[off]\nenabled=0\nbaseurl=http://y\n',
    [`${CACHE}/repomd.xml`]: repomd(['primary', 'a-primary.xml.gz'], ['updateinfo', 'b-updateinfo.xml.gz']),
    [`${CACHE}/a-primary.xml.gz`]: primary(
      entry('bash', '5.1', '2.el9') +
        entry('bash', '5.1', '10.el9') +
        entry('bash', '9', '1', 0, 'i686') +
        entry('bash', '9', '1', 0, 'src') +
        entry('kernel', '5.14', '2.el9') +
        entry('dbus', '1.13', '1', 1) +
        entry('nginx', '1', '1'),
    ),
    [`${CACHE}/b-updateinfo.xml.gz`]: gzipSync(
      `<updates>\n${advisory('security', 'bash', '5.1', '2.el9')}${advisory('bugfix', 'dbus', '1.13', '1')}` +
        `${advisory('security', 'kernel', '5.14', '2.el9')}</updates>\n`,
    ),
  }

  test('offers what is newest, and the advisories say what is for security', async () => {
    expect(await updatesOf(base)).toEqual({
      manager: 'dnf',
      pending: [
        // The mended version itself is not the newest any more.
        { name: 'bash', architecture: 'x86_64', installed: '5.1-1.el9', candidate: '5.1-10.el9', security: true },
        { name: 'dbus', architecture: 'x86_64', installed: '1:1.12-1', candidate: '1:1.13-1', security: false },
      ],
      total: 2,
      security: 1,
      securityTold: true,
      lists: [
        { name: 'base primary', status: 'read', security: false },
        { name: 'base updateinfo', status: 'read', security: true },
      ],
      unnamed: 0,
      incomparable: 0,
      pins: false,
    })
  })

  test('does not count an advisory that is installed already', async () => {
    const advisories = gzipSync(`<updates>\n${advisory('security', 'bash', '5.1', '1.el9')}</updates>\n`)
    expect(briefly(await updatesOf({ ...base, [`${CACHE}/b-updateinfo.xml.gz`]: advisories }))).toEqual([
      'bash 5.1-10.el9',
      'dbus 1:1.13-1',
    ])
  })

  test('without advisories does not say that nothing is for security', async () => {
    const plain = { ...base, [`${CACHE}/repomd.xml`]: repomd(['primary', 'a-primary.xml.gz']) }
    expect(await updatesOf(plain)).toMatchObject({ securityTold: false, security: 0, total: 2 })
  })

  test.each([
    ['in zstd', 'a-primary.xml.zst', 'compressed'],
    ['in zchunk', 'a-primary.xml.zck', 'compressed'],
    ['that was not downloaded', 'c-primary.xml.gz', 'absent'],
    ['out of the directory', '../../../../etc/passwd', 'absent'],
  ])('names metadata %s', async (_, file, status) => {
    const path = `${CACHE}/${file}`
    const there = file.startsWith('a-') && file !== 'a-primary.xml.gz' ? { [path]: 'x' } : {}
    const tree = { ...base, ...there, [`${CACHE}/repomd.xml`]: repomd(['primary', file]) }
    expect(statuses(await updatesOf(tree))).toEqual([`base primary ${status}`])
  })

  test('names metadata that were cut, and does not trust what they tell of security', async () => {
    const cut = gzipSync('<updates>\n<update type="security"><id>A</id>')
    const updates = await updatesOf({ ...base, [`${CACHE}/b-updateinfo.xml.gz`]: cut })
    expect(statuses(updates)).toEqual(['base primary read', 'base updateinfo malformed'])
    expect(updates.securityTold).toBe(false)
  })

  test('whose cache was never filled has no answer that looks like none', async () => {
    const { [`${CACHE}/repomd.xml`]: _, ...without } = base
    expect(statuses(await updatesOf(without))).toEqual(['base primary absent'])
  })

  test.each([
    ['an exclusion', { '/etc/dnf/dnf.conf': '[main]\nexclude=bash\n' }],
    ['a priority', { '/etc/yum.repos.d/base.repo': '[base]\npriority=1\nbaseurl=http://x\n' }],
    ['a lock', { '/etc/dnf/plugins/versionlock.list': '# x\nbash-0:5.1-1.el9.*\n' }],
  ])('says that %s may keep another version', async (_, change) => {
    expect(await updatesOf({ ...base, ...change })).toMatchObject({ pins: true })
  })

  test('of several directories of one repository the newest counts', async () => {
    const { [`${CACHE}/repomd.xml`]: index, ...without } = base
    const other = CACHE.replace('0123456789abcdef', 'fedcba9876543210')
    const both = { ...without, [`${other}/repomd.xml`]: { modified: 1000 }, [`${CACHE}/repomd.xml`]: index as string }
    expect(briefly(await updatesOf(both))).toContain('bash 5.1-10.el9 security')
  })
})
