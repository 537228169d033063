import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createHost, type Host } from '../../../../agent/sensors/host.ts'
import { originsOf } from '../../../../agent/sensors/sockets/origins.ts'
import { searchApk, searchLists } from '../../../../agent/sensors/sockets/package-lists.ts'
import { treeHost, withoutPermission, writeTree, type Tree } from '../../../support/host-tree.ts'

const INFO = '/var/lib/dpkg/info'
const origin = (host: Host, path: string) => originsOf(host, new Set([path])).get(path)
const from = (name: string) => ({ origin: 'package', package: name })
const NONE = { origin: 'none' }
const UNKNOWN = { origin: 'unknown' }

const debian: Tree = {
  [`${INFO}/openssh-server.list`]: '/.\n/usr\n/usr/sbin\n/usr/sbin/sshd\n/usr/share/doc/openssh-server\n',
  [`${INFO}/libc6:amd64.list`]: '/.\n/lib/ld.so\n/usr/libexec/helper\n',
  [`${INFO}/openssh-server.md5sums`]: '/tmp/nc\n',
  [`${INFO}/iproute2.list`]: '/.\n/bin\n/bin/ss\n',
}

describe('dpkg', () => {
  test.each([
    ['a file', '/usr/sbin/sshd', from('openssh-server')],
    ['one of a package with an architecture', '/usr/libexec/helper', from('libc6')],
    ['one that is nowhere', '/tmp/nc', NONE],
    ['the beginning of another path', '/usr/sbin/ssh', NONE],
    ['the end of another path', '/sbin/sshd', NONE],
  ])('%s', (_, path, expected) => {
    expect(origin(treeHost(debian), path)).toEqual(expected)
  })

  test('a file that its package names without /usr, where /bin is a link', () => {
    const root = writeTree({ ...debian, '/usr/bin/ss': 'ss' })
    symlinkSync('usr/bin', join(root, 'bin'))
    expect(origin(createHost({ root }), '/usr/bin/ss')).toEqual(from('iproute2'))
  })

  test('another file of that name beside a /bin of its own belongs to nobody', () => {
    expect(origin(treeHost({ ...debian, '/usr/bin/ss': 'x', '/bin/ss': 'ss' }), '/usr/bin/ss')).toEqual(NONE)
  })

  test.each([
    ['may not be read', (host: Host) => withoutPermission(host, `${INFO}/iproute2.list`)],
    ['may not be listed', (host: Host) => withoutPermission(host, INFO)],
  ])('where a list %s, a file that was not found is not said to be foreign', (_, limit) => {
    expect(origin(limit(treeHost(debian)), '/tmp/nc')).toEqual(UNKNOWN)
  })

  test('is asked again when a package was installed, and not before', () => {
    const root = writeTree({ ...debian, '/var/lib/dpkg/status': 'one' })
    const host = createHost({ root })
    let reads = 0
    const counting: Host = {
      ...host,
      readFile: (path, max) => {
        reads += 1
        return host.readFile(path, max)
      },
    }
    expect(origin(counting, '/tmp/nc')).toEqual(NONE)
    const first = reads
    expect(origin(counting, '/tmp/nc')).toEqual(NONE)
    expect(reads).toBe(first)
    writeFileSync(join(root, INFO, 'netcat.list'), '/tmp/nc\n')
    expect(origin(counting, '/tmp/nc')).toEqual(from('netcat'))
  })
})

const apk =
  'C:Q1abc=\nP:openssh-server\nV:9\nF:usr\nF:usr/sbin\nR:sshd\na:0:0:755\nF:etc/conf.d\nR:sshd\n\n' +
  'C:Q1def=\nP:busybox\nV:1\nF:bin\nR:busybox\n\n'

describe('apk', () => {
  test.each(['/lib/apk/db/installed', '/usr/lib/apk/db/installed'])('its database at %s', (database) => {
    const host = treeHost({ [database]: apk })
    expect(origin(host, '/usr/sbin/sshd')).toEqual(from('openssh-server'))
    expect(origin(host, '/bin/busybox')).toEqual(from('busybox'))
    expect(origin(host, '/sbin/busybox')).toEqual(NONE)
  })
})

test('opkg, with and without the mode behind a path', () => {
  const host = treeHost({
    '/usr/lib/opkg/info/dropbear.list': '/usr/sbin/dropbear\n/etc/x\n',
    '/var/lib/opkg/info/dnsmasq.list': '/etc/y\t0100644\n/usr/sbin/dnsmasq\t0100755\t\n',
  })
  expect(origin(host, '/usr/sbin/dropbear')).toEqual(from('dropbear'))
  expect(origin(host, '/usr/sbin/dnsmasq')).toEqual(from('dnsmasq'))
  expect(origin(host, '/usr/sbin/other')).toEqual(NONE)
})

test.each([
  ['no database at all', {}],
  ['rpm, which is not searched', { '/var/lib/rpm/rpmdb.sqlite': '' }],
  ['rpm beside dpkg', { ...debian, '/usr/lib/sysimage/rpm/rpmdb.sqlite': '' }],
  ['packages of a system without dpkg', { ...debian, '/var/lib/dpkg/status.d/base': '' }],
])('%s: not known', (_, tree) => {
  expect(origin(treeHost(tree as Tree), '/tmp/nc')).toEqual(UNKNOWN)
})

test('a path is found in a list exactly where a line is that path', () => {
  const path = fc.string({ unit: fc.constantFrom('/', 'a', 'b'), minLength: 1, maxLength: 4 }).map((one) => `/${one}`)
  fc.assert(
    fc.property(fc.array(path, { maxLength: 8 }), path, (lines, wanted) => {
      const host = treeHost({ '/i/p.list': lines.map((line) => `${line}\n`).join('') })
      const found = searchLists(host, '/i', new Map([[wanted, [wanted]]]))
      expect(found?.packages.has(wanted)).toBe(lines.includes(wanted))
    }),
    { numRuns: 200 },
  )
})

test('no bytes make the search in a database throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('\n', 'R:x', 'F:d', 'P:p', '\n\n'), maxLength: 20 }), (text) => {
      searchApk(treeHost({ '/installed': text }), '/installed', new Map([['/d/x', ['/d/x']]]))
    }),
    { numRuns: 100 },
  )
})
