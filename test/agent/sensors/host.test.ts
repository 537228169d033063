import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createHost } from '../../../agent/sensors/host.ts'
import { asNobody, treeHost, writeTree } from '../../support/host-tree.ts'

const absent = { status: 'absent' }
const unreadable = { status: 'unreadable' }

describe('links under a root', () => {
  test('an absolute link stays inside', () => {
    const host = treeHost({ '/etc/os-release': { link: '/usr/lib/os-release' }, '/usr/lib/os-release': 'inside' })
    expect(host.readText('/etc/os-release', 100)).toEqual({ status: 'found', value: 'inside' })
  })

  test.each([
    ['an absolute link to a file outside', '/etc/passwd'],
    ['a link that climbs out', '../../../../../../../../etc/passwd'],
  ])('%s finds nothing', (_, link) => {
    expect(treeHost({ '/a/file': { link } }).readText('/a/file', 1 << 20)).toEqual(absent)
  })

  test('a linked directory on the way stays inside', () => {
    const host = treeHost({ '/var': { link: '/' }, '/etc/x': 'mine' })
    expect(host.readText('/var/etc/x', 10)).toEqual({ status: 'found', value: 'mine' })
    expect(treeHost({ '/lib': { link: '/etc' } }).readDirectory('/lib', 1000)).toEqual(absent)
    expect(treeHost({ '/lib': { link: '/etc' } }).stat('/lib/passwd')).toEqual(absent)
  })

  test('a path that climbs out finds nothing', () => {
    expect(treeHost({}).readText('/../../../../../../etc/passwd', 1 << 20)).toEqual(absent)
  })

  test('a loop ends', () => {
    const host = treeHost({ '/a': { link: '/b' }, '/b': { link: 'a' } })
    expect(host.readText('/a', 10)).toEqual(unreadable)
  })

  test('a link itself is read, not followed', () => {
    expect(treeHost({ '/proc/1/exe': { link: '/usr/bin/x' } }).readLink('/proc/1/exe')).toEqual({
      status: 'found',
      value: '/usr/bin/x',
    })
  })
})

describe('files', () => {
  test.each([
    [4, { status: 'found', value: '1234' }],
    [3, { status: 'too-large' }],
  ])('of four bytes within a bound of %i', (bound, expected) => {
    expect(treeHost({ '/f': '1234' }).readText('/f', bound)).toEqual(expected)
  })

  test('without a size in /proc are read to their end, and bounded too', () => {
    const host = createHost()
    expect(host.readText('/proc/version', 4096)).toMatchObject({ status: 'found' })
    expect(host.readText('/proc/version', 5)).toEqual({ status: 'too-large' })
  })

  test('a sparse file of a terabyte costs nothing', () => {
    const root = writeTree({ '/f': '' })
    execFileSync('truncate', ['-s', '1T', join(root, 'f')])
    expect(createHost({ root }).readFile('/f', 1 << 20)).toEqual({ status: 'too-large' })
  })

  test.each([['/pipe'], ['/directory']])('what is no regular file is not opened: %s', (path) => {
    const root = writeTree({ '/directory': { directory: true } })
    execFileSync('mkfifo', [join(root, 'pipe')])
    expect(createHost({ root }).readText(path, 10)).toEqual(unreadable)
  })

  test('a device is not opened', () => {
    expect(createHost().readText('/dev/zero', 10)).toEqual(unreadable)
  })

  test('a file of somebody else is told apart from an absent one', async () => {
    const root = writeTree({ '/secret': 'x' })
    chmodSync(root, 0o755)
    chmodSync(join(root, 'secret'), 0o000)
    const host = createHost({ root })
    await asNobody(() => {
      expect(host.readText('/secret', 10)).toEqual({ status: 'no-permission' })
      expect(host.readText('/other', 10)).toEqual(absent)
    })
  })
})

describe('directories', () => {
  test('names come sorted, and as bytes where they are not UTF-8', () => {
    const root = writeTree({ '/d/b': '', '/d/a': '' })
    writeFileSync(Buffer.concat([Buffer.from(join(root, 'd/')), Buffer.from([0xff, 0x0a])]), 'odd')
    const host = createHost({ root })
    expect(host.readDirectory('/d', 3)).toEqual({ status: 'found', value: ['a', 'b', '\u00ff\n'] })
    expect(host.readText('/d/\u00ff\n', 10)).toEqual({ status: 'found', value: 'odd' })
  })

  test('with more entries than the bound are too large', () => {
    expect(treeHost({ '/d/a': '', '/d/b': '' }).readDirectory('/d', 1)).toEqual({ status: 'too-large' })
  })

  test('an empty one is not an absent one', () => {
    const host = treeHost({ '/d': { directory: true } })
    expect(host.readDirectory('/d', 1)).toEqual({ status: 'found', value: [] })
    expect(host.readDirectory('/e', 1)).toEqual(absent)
  })
})
