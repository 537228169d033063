import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createHost, type Host } from '../../../agent/sensors/host.ts'
import { measureAll } from '../../../agent/sensors/registry.ts'
import { updateChannelSensor } from '../../../agent/sensors/update-channel.ts'
import type { Reading } from '../../../agent/sensors/sensor.ts'
import type { UpdateChannel } from '../../../shared/posture/sections/update-channel.ts'
import { treeHost, withoutPermission, type Tree } from '../../support/host-tree.ts'

/** RFC 9580 appendix A.1. */
const KEY = 'xjMEU/NfCxYJKwYBBAHaRw8BAQdAPwmJlL3ZFu1AUxl5NOSofIBzOhKA1i+AEJkuQ+47JAY='
const FINGERPRINT = 'C959BDBAFA32A2F89A153B678CFDE12197965A9A'
const NOW = 1_700_000_000

const measure = async (host: Host) =>
  (await measureAll(host, [updateChannelSensor])).get('update-channel')?.reading as Reading<'update-channel'>
const ofTree = (tree: Tree) => measure(treeHost({ '/etc/apt': { directory: true }, ...tree }, { now: () => NOW }))
function aptOf(reading: Reading<'update-channel'>): UpdateChannel {
  const channels = reading.status === 'measured' ? reading.content.channels : []
  const [apt] = channels
  if (apt?.manager !== 'apt' || channels.length !== 1) throw new Error(JSON.stringify(reading))
  return apt
}
const contentOf = async (tree: Tree): Promise<UpdateChannel> => aptOf(await ofTree(tree))

const option = (name: string, value: string, effect = 'none') => ({ name, value, effect })

describe('one-line sources', () => {
  const sourcesOf = async (line: string) => {
    const { sources, malformed } = await contentOf({ '/etc/apt/sources.list': `${line}\n` })
    return { sources, malformed }
  }

  test('a plain one', async () => {
    expect(await sourcesOf('deb http://deb.debian.org/debian bookworm main contrib # comment')).toEqual({
      malformed: 0,
      sources: [
        {
          id: 'deb http://deb.debian.org/debian bookworm',
          uris: ['http://deb.debian.org/debian'],
          transports: ['http'],
          signatures: 'default',
          signedBy: [],
          settings: [option('component', 'main'), option('component', 'contrib')],
        },
      ],
    })
  })

  test('with options', async () => {
    const line =
      '  deb-src [ arch=amd64,arm64 trusted=YES allow-insecure=on check-valid-until=0 signed-by=/k.gpg,c959BDBAFA32A2F89A153B678CFDE12197965A9A! ] https://u:p@x/ ./'
    expect(await sourcesOf(line)).toEqual({
      malformed: 0,
      sources: [
        {
          id: 'deb-src https://[redacted]@x/ ./',
          uris: ['https://[redacted]@x/'],
          transports: ['https'],
          signatures: 'not-enforced',
          signedBy: ['/k.gpg', `fingerprint:${FINGERPRINT}!`],
          settings: [
            option('trusted', 'yes', 'unsigned'),
            option('allow-insecure', 'yes', 'unsigned'),
            option('check-valid-until', 'no', 'weakens'),
          ],
        },
      ],
    })
  })

  test('a disc with a blank in its name', async () => {
    expect(await sourcesOf('deb cdrom:[Debian GNU/Linux 12 #1]/ bookworm main')).toMatchObject({
      sources: [{ transports: ['cdrom'], settings: [option('component', 'main')] }],
      malformed: 0,
    })
  })

  test.each([
    'rpm http://x y z',
    'deb http://x',
    'deb http://x suite',
    'deb http://x path/ main',
    'deb [trusted=yes http://x suite main',
    'deb [trusted] http://x suite main',
    'deb "http://x suite main',
    'deb',
  ])('%j is counted as malformed', async (line) => {
    expect(await sourcesOf(line)).toEqual({ sources: [], malformed: 1 })
  })

  test.each(['[', '"', 'a ', '[a]', '#'])(
    'a line with a megabyte of %j ends in time',
    { timeout: 60_000 },
    async (unit) => {
      const before = performance.now()
      await sourcesOf(`deb ${unit.repeat(999_000 / unit.length)}`)
      // Generous: it tells linear from quadratic, which takes minutes, and not fast from slow.
      expect(performance.now() - before).toBeLessThan(30_000)
    },
  )

  test('lists are read, other names are not', async () => {
    const line = (suite: string) => `deb http://x ${suite} main\n`
    const { sources } = await contentOf({
      '/etc/apt/sources.list.d/b.list': line('b'),
      '/etc/apt/sources.list.d/a.list': line('a'),
      '/etc/apt/sources.list.d/c.list.disabled': line('c'),
      '/etc/apt/sources.list.d/d d.list': line('d'),
    })
    expect(sources.map(({ id }) => id)).toEqual(['deb http://x a', 'deb http://x b'])
  })
})

describe('deb822 sources', () => {
  const sourcesOf = (text: string) => contentOf({ '/etc/apt/sources.list.d/x.sources': text })

  test('stand for every combination', async () => {
    const { sources } = await sourcesOf(
      'Types: deb deb-src\nURIs: http://a http://b\nSuites: s t\n# a comment\n u\nComponents: main\nTrusted: no\n',
    )
    expect(sources).toHaveLength(12)
    expect(sources[5]).toMatchObject({
      id: 'deb http://b u',
      settings: [option('component', 'main'), option('trusted', 'no')],
    })
  })

  test('carry a key inline', async () => {
    const block = `-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n ${KEY}\n -----END PGP PUBLIC KEY BLOCK-----`
    const { sources, malformed, keyrings } = await sourcesOf(
      `Types: deb\nURIs: http://a\nSuites: s\nComponents: c\nSigned-By:\n ${block}\n`,
    )
    expect(sources[0]?.signedBy).toEqual([`inline:${FINGERPRINT}`])
    expect(keyrings).toMatchObject([{ path: `inline:${FINGERPRINT}`, keys: [{ fingerprint: FINGERPRINT }] }])
    expect(malformed).toBe(0)
  })

  test('with a damaged inline key are malformed, not unsigned', async () => {
    const text =
      'Types: deb\nURIs: http://a\nSuites: s\nComponents: c\nSigned-By: -----BEGIN PGP PUBLIC KEY BLOCK-----\n x\n'
    expect(await sourcesOf(text)).toMatchObject({ sources: [], malformed: 1 })
  })

  test('that are switched off are no sources, and damaged ones are counted', async () => {
    const stanza = 'Types: deb\nURIs: http://a\nSuites: s\nComponents: c\n'
    expect(await sourcesOf(`${stanza}Enabled: no\n`)).toMatchObject({ sources: [], malformed: 0 })
    expect(await sourcesOf(`${stanza}Suites: t\n\n${stanza}`)).toMatchObject({ sources: [{}], malformed: 1 })
    expect(await sourcesOf('Types: deb\n')).toMatchObject({ sources: [], malformed: 1 })
  })

  test('that multiply beyond any bound are refused', async () => {
    const many = (unit: string) => Array.from({ length: 1000 }, (_, index) => `${unit}${index}`).join(' ')
    const text = `Types: deb\nURIs: ${many('http://')}\nSuites: ${many('s')}\nComponents: c\n`
    expect(await sourcesOf(text)).toMatchObject({ sources: [], malformed: 1 })
  })
})

describe('keyrings', () => {
  const source = 'deb [signed-by=/k.gpg] http://x s main\n'
  const key = Buffer.from(KEY, 'base64')

  test('named by a source, and trusted for all', async () => {
    const { keyrings } = await contentOf({
      '/etc/apt/sources.list': source,
      '/k.gpg': key,
      '/etc/apt/trusted.gpg': '',
      '/etc/apt/trusted.gpg.d/a.gpg': key,
      '/etc/apt/trusted.gpg.d/readme.txt': 'no keyring',
    })
    expect(keyrings).toEqual([
      { path: '/etc/apt/trusted.gpg', trustedForAll: true, status: 'read', keys: [] },
      {
        path: '/etc/apt/trusted.gpg.d/a.gpg',
        trustedForAll: true,
        status: 'read',
        keys: [{ fingerprint: FINGERPRINT }],
      },
      { path: '/k.gpg', trustedForAll: false, status: 'read', keys: [{ fingerprint: FINGERPRINT }] },
    ])
  })

  test.each([
    ['absent', undefined],
    ['malformed', 'no key at all'],
    ['too-large', Buffer.alloc(1 << 21)],
  ])('that are %s say so', async (status, file) => {
    const tree = { '/etc/apt/sources.list': source, ...(file === undefined ? {} : { '/k.gpg': file }) }
    expect((await contentOf(tree)).keyrings).toEqual([{ path: '/k.gpg', trustedForAll: false, status, keys: [] }])
  })

  test('that may not be read say so', async () => {
    const host = withoutPermission(treeHost({ '/etc/apt/sources.list': source, '/k.gpg': key }), '/k.gpg')
    expect(await measure(host)).toMatchObject({
      content: { channels: [{ keyrings: [{ status: 'no-permission' }] }] },
    })
  })
})

test('settings that weaken the check are reported', async () => {
  const { settings } = await contentOf({
    '/etc/apt/apt.conf.d/99x': 'Acquire::AllowInsecureRepositories "true";',
    '/etc/apt/apt.conf.d/99y.bak': 'APT::Get::AllowUnauthenticated "true";',
    '/etc/apt/apt.conf': 'Acquire::Check-Valid-Until "false";',
  })
  expect(settings).toEqual([
    option('Acquire::AllowInsecureRepositories', 'true', 'unsigned'),
    option('Acquire::Check-Valid-Until', 'false', 'weakens'),
  ])
})

describe('what may not be read is not taken for absent', () => {
  test.each(['/etc/apt/sources.list', '/etc/apt/sources.list.d', '/etc/apt/apt.conf.d'])('%s', async (path) => {
    const host = withoutPermission(treeHost({ '/etc/apt/sources.list': '' }), path)
    const reading = await measure(host)
    expect(aptOf(reading)).toMatchObject({
      unreadable: expect.arrayContaining([path]) as unknown,
      automatic: { state: 'unknown' },
    })
  })

  test('all of /etc/apt', async () => {
    const host = withoutPermission(treeHost({ '/etc/apt/sources.list': '' }), '/etc/apt')
    expect(await measure(host)).toMatchObject({ status: 'no-permission', reason: 'directory-not-readable' })
    expect(await measure(treeHost({}))).toEqual({ status: 'not-supported', reason: 'no-update-manager' })
  })
})

describe('the last successful check', () => {
  const stamp = '/var/lib/apt/periodic/update-success-stamp'
  const lists = '/var/lib/apt/lists'
  const stateOf = async (tree: Tree) => ((await ofTree(tree)) as { state: unknown }).state

  test('by the stamp', async () => {
    const tree = { [stamp]: { modified: NOW - 3600 }, [`${lists}/x_InRelease`]: { modified: NOW } }
    expect(await stateOf(tree)).toEqual({
      'update-channel.last-check-age': 3600,
      'update-channel.last-check-source': 'stamp',
    })
  })

  test('by the newest release file', async () => {
    const tree = {
      [`${lists}/x_InRelease`]: { modified: NOW - 500 },
      [`${lists}/y_Release`]: { modified: NOW - 40 },
      [`${lists}/z_Packages`]: { modified: NOW - 1 },
    }
    expect(await stateOf(tree)).toEqual({
      'update-channel.last-check-age': 40,
      'update-channel.last-check-source': 'release-file',
    })
  })

  test("by the stamp of apt's own job", async () => {
    const tree = {
      '/var/lib/apt/periodic/update-stamp': { modified: NOW - 900 },
      [`${lists}/x_InRelease`]: { modified: NOW },
    }
    expect(await stateOf(tree)).toEqual({
      'update-channel.last-check-age': 900,
      'update-channel.last-check-source': 'stamp',
    })
  })

  test('in the future is not now, and never is not zero', async () => {
    expect(await stateOf({ [stamp]: { modified: NOW + 100 } })).toMatchObject({ 'update-channel.last-check-age': -100 })
    expect(await stateOf({})).toEqual({})
  })
})

test.skipIf(!existsSync('/usr/bin/apt-get'))('apt-get names the same sources on this machine', async () => {
  const format = '$(REPO_URI)|$(RELEASE)|$(COMPONENT)'
  const listing = execFileSync('apt-get', ['indextargets', '--format', format], { encoding: 'utf8' })
  const theirs = new Set(listing.split('\n').filter((line) => line !== ''))
  const { sources } = aptOf(await measure(createHost()))
  const ours = sources
    .filter(({ id }) => id.startsWith('deb '))
    .flatMap(({ uris: [uri = ''], id, settings }) =>
      settings
        .filter(({ name }) => name === 'component')
        .map(({ value }) => `${uri.replace(/\/?$/, '/')}|${id.split(' ')[2] ?? ''}|${value}`),
    )
  expect(new Set(ours)).toEqual(theirs)
})

test('this machine can be measured', async () => {
  expect(['measured', 'not-supported']).toContain((await measure(createHost())).status)
})
