import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { enabledLists } from '../../../agent/sensors/patch-level/apt-sources.ts'
import { updateChannelSensor } from '../../../agent/sensors/update-channel.ts'
import type { Deviation } from '../../../collector/appraisal/context.ts'
import { withoutListsOfSources } from '../../../collector/appraisal/lists-of-sources.ts'
import { updateChannel } from '../../../shared/posture/sections/update-channel.ts'
import { appraisalOf, approvalOf, deviationsOf } from '../../support/appraising.ts'
import { treeHost } from '../../support/host-tree.ts'
import { GOOD_READINGS, SoftwareDevice, type Readings } from '../../support/software-device.ts'

const AT = '/etc/apt/sources.list'
const SOURCE = 'source apt deb http://other.example/apt stable'
const LIST = 'other.example_apt_dists_stable_main_binary-'

const came = (code: Deviation['code'], subject: string): Deviation => ({ code, subject, before: null, after: 'x' })
const went = (code: Deviation['code'], subject: string): Deviation => ({ code, subject, before: 'x', after: null })
const changed = (code: Deviation['code'], subject: string): Deviation => ({ code, subject, before: 'x', after: 'y' })
const listOf = (name: string) => ['patch-level.lists-changed', `package lists ${name}`] as const

describe('a package list', () => {
  test.each([
    ['came with a source that came', came('update-channel.unsigned-source', SOURCE), came(...listOf(LIST))],
    ['came with a source that is signed', came('update-channel.source-added', SOURCE), came(...listOf(LIST))],
    ['went with a source that went', went('update-channel.source-removed', SOURCE), went(...listOf(LIST))],
  ])('that %s is no finding of its own', (_, source, list) => {
    expect(withoutListsOfSources([list, source])).toEqual([source])
  })

  test.each([
    ['went when a source came', came('update-channel.unsigned-source', SOURCE), went(...listOf(LIST))],
    ['came when a source went', went('update-channel.source-removed', SOURCE), came(...listOf(LIST))],
    ['changed when a source came', came('update-channel.unsigned-source', SOURCE), changed(...listOf(LIST))],
    ['came when its source changed', changed('update-channel.unsigned-source', SOURCE), came(...listOf(LIST))],
    ['is of another archive', came('update-channel.unsigned-source', SOURCE), came(...listOf(`an${LIST}`))],
    [
      'is of another suite',
      came('update-channel.unsigned-source', SOURCE),
      came(...listOf(LIST.replace('stable', 'stable-security'))),
    ],
    [
      'came with a source of sources alone',
      came('update-channel.source-added', SOURCE.replace('deb', 'deb-src')),
      came(...listOf(LIST)),
    ],
    ['came with what is no source', came('update-channel.key-changed', 'keyring apt /a'), came(...listOf(LIST))],
  ])('that %s is told', (_, source, list) => {
    expect(withoutListsOfSources([list, source])).toEqual([list, source])
  })

  test('takes nothing else with it', () => {
    const [source, updates] = [came('update-channel.source-added', SOURCE), came('patch-level.updates-pending', LIST)]
    expect(withoutListsOfSources([source, updates])).toEqual([source, updates])
  })
})

/** What a device reports with these sources of apt, whose lists were not downloaded. */
async function readingsWith(...sources: readonly string[]): Promise<Readings> {
  const host = treeHost({ [AT]: sources.map((source) => `deb [trusted=yes] ${source}\n`).join('') })
  const reading = await updateChannelSensor.measure(host)
  if (reading.status !== 'measured') throw new Error(reading.status)
  const lists = enabledLists(host, [AT], 'amd64').lists.map(({ prefix }) => prefix)
  const absent = { missing: 'absent' } as const
  const content = {
    updates: {
      value: {
        manager: 'apt' as const,
        pending: [],
        total: 0,
        security: 0,
        securityTold: true,
        lists: lists.map((name) => ({ name, status: 'absent' as const, security: false })),
        unnamed: 0,
        incomparable: 0,
        pins: false,
      },
    },
    kernel: absent,
    reboot: { value: 'not-flagged' as const },
    support: absent,
    images: absent,
    bootLoader: absent,
    efiPrograms: absent,
  }
  return { ...GOOD_READINGS, 'update-channel': reading, 'patch-level': { status: 'measured', content } }
}

test('an unsigned source whose lists were not downloaded yet is one finding of the appraisal', async () => {
  const device = new SoftwareDevice({ tpm: null })
  device.readings = await readingsWith('http://deb.debian.org/debian stable main')
  const [approved, old] = [approvalOf(device), device.contents]
  device.readings = await readingsWith(
    'http://deb.debian.org/debian stable main',
    'http://other.example/apt stable main',
  )
  const contents = new Map([...old, ...device.contents])
  const appraisal = appraisalOf(device, (await device.report()).bytes, { approved, contents })
  expect(deviationsOf(appraisal)).toEqual([`update-channel.unsigned-source ${SOURCE}`])
})

const word = fc.stringMatching(/^[a-z][a-z0-9.+-]{0,8}$/)

test('the names that the agent makes of a source are those that are looked for', async () => {
  const hosts = fc.tuple(word, fc.constantFrom('', ':8080')).map(([name, port]) => name + port)
  const paths = fc.array(word, { maxLength: 3 }).map((parts) => parts.map((part) => `/${part}`).join(''))
  const suites = fc.oneof(
    word.map((suite) => `${suite} main`),
    fc.constantFrom('/', './'),
    word.map((suite) => `${suite}/`),
  )
  await fc.assert(
    fc.asyncProperty(hosts, paths, fc.constantFrom('', '/'), suites, async (host, path, slash, suite) => {
      const tree = treeHost({ [AT]: `deb [trusted=yes] http://${host}${path}${slash} ${suite}\n` })
      const reading = await updateChannelSensor.measure(tree)
      if (reading.status !== 'measured') throw new Error(reading.status)
      const [source] = updateChannel.facts(reading.content).filter(({ subject }) => subject.startsWith('source '))
      const [list] = enabledLists(tree, [AT], 'amd64').lists
      if (source === undefined || list === undefined) throw new Error('not a source')
      const cause = came('update-channel.unsigned-source', source.subject)
      expect(withoutListsOfSources([cause, came(...listOf(list.prefix))])).toEqual([cause])
    }),
    { numRuns: 50 },
  )
})
