import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createHost } from '../../../../agent/sensors/host.ts'
import { packagesSensor } from '../../../../agent/sensors/packages.ts'
import { measureAll } from '../../../../agent/sensors/registry.ts'
import type { Host } from '../../../../agent/sensors/host.ts'
import { fixturesDescribe, readFixture } from '../../../support/fixtures.ts'
import { treeHost, withoutPermission } from '../../../support/host-tree.ts'

const STATUS = '/var/lib/dpkg/status'
const measure = async (host: Host) => (await measureAll(host, [packagesSensor])).get('packages')?.reading
const ofStatus = (status: string | Uint8Array) => measure(treeHost({ [STATUS]: status }))
const names = (reading: unknown): string[] =>
  (reading as { content: { packages: { name: string }[] } }).content.packages.map(({ name }) => name)

const bash = 'Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\n\n'

test('a package with its source', async () => {
  const gcc =
    'Package: cpp\nStatus: hold reinstreq half-configured\nArchitecture: arm64\nSource: gcc-defaults (1.203)\nVersion: 4:12\n\n'
  expect(await ofStatus(bash + gcc)).toEqual({
    status: 'measured',
    content: {
      manager: 'dpkg',
      packages: [
        { name: 'bash', architecture: 'amd64', version: '5.2-1' },
        {
          name: 'cpp',
          architecture: 'arm64',
          version: '4:12',
          source: 'gcc-defaults',
          sourceVersion: '1.203',
          state: 'half-configured',
          held: true,
          reinstallRequired: true,
        },
      ],
      total: 2,
      malformed: 0,
      incomplete: false,
    },
  })
})

describe('a damaged database says so', () => {
  test('a repeated field: the record is not believed, its neighbour is', async () => {
    const repeated = bash.replace('Version', 'Version: 9\nVersion').replace('bash', 'dash')
    expect(await ofStatus(repeated + bash)).toMatchObject({ content: { malformed: 1, total: 1 } })
  })

  test.each([
    ['a line that is no field', 'nonsense\n'],
    ['a continuation before any field', ' continued\nPackage: x\nStatus: install ok installed\nVersion: 1\n'],
    ['no version', 'Package: x\nStatus: install ok installed\n'],
    ['an unknown state', 'Package: x\nStatus: install ok excellent\nVersion: 1\n'],
    ['a status of four words', 'Package: x\nStatus: install ok installed now\nVersion: 1\n'],
    ['a name with a control character', 'Package: x\u001b[2J\nStatus: install ok installed\nVersion: 1\n'],
    ['a version with a blank', 'Package: x\nStatus: install ok installed\nVersion: 1 2\n'],
    ['a source in another syntax', 'Package: x\nStatus: install ok installed\nVersion: 1\nSource: a (b\n'],
    ['a carriage return in a name', 'Package: x\ry\nStatus: install ok installed\nVersion: 1\n'],
  ])('%s', async (_, record) => {
    const reading = await ofStatus(`${record}\n${bash}`)
    expect(reading).toMatchObject({ status: 'measured', content: { malformed: 1, total: 1, incomplete: false } })
    expect(names(reading)).toEqual(['bash'])
  })

  test('cut anywhere, it is incomplete', async () => {
    const whole = bash + bash.replace('bash', 'dash')
    expect(await ofStatus(whole)).toMatchObject({ content: { incomplete: false } })
    for (let length = 1; length < whole.length; length++) {
      if (length === bash.length) continue
      expect(await ofStatus(whole.slice(0, length))).toMatchObject({ content: { incomplete: true } })
    }
  })

  test('50 MB are refused, not read', async () => {
    expect(await ofStatus(Buffer.alloc(50 * 1024 * 1024, bash))).toMatchObject({
      status: 'failed',
      code: 'input-too-large',
    })
  })

  test('15 MB of one record end in time', async () => {
    const huge = `Package: x\nStatus: install ok installed\nVersion: 1\nSource: ${'\n a'.repeat(5_000_000)}\n\n`
    expect(await ofStatus(huge)).toMatchObject({ content: { malformed: 1, total: 0 } })
  })

  test('more packages than a section holds are counted', async () => {
    const many = Array.from({ length: 20_001 }, (_, index) => bash.replace('bash', `p${index}`)).join('')
    const reading = await ofStatus(many)
    expect(reading).toMatchObject({ content: { total: 20_001 } })
    expect(names(reading)).toHaveLength(20_000)
  })
})

test('without dpkg it is not supported, without permission it is not an empty list', async () => {
  expect(await measure(treeHost({}))).toEqual({ status: 'not-supported', reason: 'no-package-database' })
  const refused = withoutPermission(treeHost({ [STATUS]: bash }), STATUS)
  expect(await measure(refused)).toMatchObject({ status: 'no-permission', reason: 'file-not-readable' })
})

test('distroless images list each package in a file', async () => {
  const record = bash.replace('Status: install ok installed\n', '').trimEnd()
  const host = treeHost({
    '/var/lib/dpkg/status.d/bash': `${record}\n`,
    '/var/lib/dpkg/status.d/bash.md5sums': 'd41d8cd9  bin/bash\n',
  })
  expect(await measure(host)).toMatchObject({ content: { total: 1, malformed: 0, incomplete: false } })
})

fixturesDescribe('packages', 'recorded databases', () => {
  const recorded = (name: string) => ofStatus(readFixture('packages', 'dpkg', name))

  test('valid', async () => {
    const reading = await recorded('valid')
    expect(reading).toMatchObject({ content: { malformed: 0 } })
    expect(names(reading)).toContain('acl')
  })
  test.each([
    ['invalid', [], 2],
    ['nopackage', ['foo', 'bar'], 1],
    ['noversion', ['foo', 'bar'], 1],
    ['single', ['acl'], 0],
    ['trailingnewlines', ['acl'], 0],
  ])('%s', async (name, packages, malformed) => {
    const reading = await recorded(name)
    expect(reading).toMatchObject({ content: { malformed } })
    expect(names(reading)).toEqual(packages)
  })
  test('statusfield: whatever is wanted, what is there is reported with its state', async () => {
    expect(
      await ofStatus(readFixture('packages', 'dpkg', 'statusfield').toString().replaceAll('_', '-')),
    ).toMatchObject({
      content: {
        packages: [
          { name: 'wantinstall-installed' },
          { name: 'wantdeinstall-installed', reinstallRequired: true },
          { name: 'wantinstall-unpacked', state: 'unpacked' },
          { name: 'wantpurge-installed' },
          { name: 'wantinstall-halfinstalled', state: 'half-installed', reinstallRequired: true },
        ],
      },
    })
  })
  test('transitional: the source has another name', async () => {
    expect(await recorded('transitional')).toMatchObject({ content: { packages: [{ source: 'firefox-esr' }] } })
  })
})

describe.skipIf(!existsSync('/usr/bin/dpkg-query'))('this machine', () => {
  test('dpkg-query lists the same', async () => {
    const format =
      '${db:Status-Status}\t${Package}\t${Architecture}\t${Version}\t${source:Package}\t${source:Version}\n'
    const theirs = execFileSync('dpkg-query', ['-W', '-f', format], { encoding: 'utf8', maxBuffer: 1 << 26 })
      .split('\n')
      .filter((line) => line !== '' && !/^(?:config-files|not-installed)\t/.test(line))
      .map((line) => line.split('\t').slice(1).join(' '))
    const reading = await measure(createHost())
    if (reading?.status !== 'measured') throw new Error('not measured')
    const { packages, malformed, incomplete } = reading.content as unknown as {
      packages: Record<string, string>[]
      malformed: number
      incomplete: boolean
    }
    const ours = packages.map((one) =>
      [
        one['name'],
        one['architecture'],
        one['version'],
        one['source'] ?? one['name'],
        one['sourceVersion'] ?? one['version'],
      ].join(' '),
    )
    expect(ours.sort()).toEqual(theirs.sort())
    expect({ malformed, incomplete }).toEqual({ malformed: 0, incomplete: false })
  })
})
