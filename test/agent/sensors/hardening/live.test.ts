import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readKernelSettings } from '../../../../agent/sensors/hardening/kernel-settings.ts'
import { MOUNT_POINTS, protectedMounts, readMounts } from '../../../../agent/sensors/hardening/mounts.ts'
import { DATA_ENDINGS } from '../../../../agent/sensors/hardening/program-directories.ts'
import { OTHER_DIRECTORIES, PATH_DIRECTORIES, readPrograms } from '../../../../agent/sensors/hardening/programs.ts'
import { hardeningSensor } from '../../../../agent/sensors/hardening.ts'
import { createHost } from '../../../../agent/sensors/host.ts'
import { asNobody } from '../../../support/host-tree.ts'

const host = createHost()
const run = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26 })
const installed = (name: string): boolean =>
  ['/usr/bin', '/usr/sbin', '/bin', '/sbin'].some((directory) => existsSync(`${directory}/${name}`))
const named = (what: string, tool: string): string => (installed(tool) ? what : `${what} (skipped: no ${tool} here)`)

/** Real directories among them, each once. */
const real = (paths: readonly string[]): string[] => [
  ...new Set(paths.filter((path) => existsSync(path)).map((path) => run('readlink', ['-f', path]).trim())),
]

function findAll(test: readonly string[]): string[] {
  const [path, ...others] = [real(PATH_DIRECTORIES), ...OTHER_DIRECTORIES.map(([one, depth]) => ({ one, depth }))]
  const found = run('find', [...path, '-xdev', '-maxdepth', '1', '-type', 'f', ...test, '-printf', '%p %m\n'])
  const data = DATA_ENDINGS.flatMap((ending) => ['!', '-name', `*.${ending}`])
  const below = (others as { one: string; depth: number }[]).flatMap(({ one, depth }) =>
    real([one]).flatMap((directory) => {
      const search = (from: string, levels: number) =>
        run('find', [
          from,
          '-xdev',
          '-maxdepth',
          String(levels + 1),
          '-type',
          'f',
          ...data,
          '!',
          '-name',
          '*.so.*',
          ...test,
          '-printf',
          '%p %m\n',
        ])
      const multiarch = run('find', [directory, '-maxdepth', '1', '-mindepth', '1', '-type', 'd', '-name', '*-linux-*'])
      return [
        search(directory, depth),
        ...multiarch
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => search(line, depth)),
      ]
    }),
  )
  return [
    ...new Set(
      [found, ...below]
        .join('')
        .split('\n')
        .filter((line) => line !== ''),
    ),
  ].sort()
}

test.skipIf(!installed('find'))(named('the set-id programs are those that find lists', 'find'), () => {
  const { setId, limited, unread } = readPrograms(host, readMounts(host))
  expect([limited, unread]).toEqual([false, []])
  expect(setId.map(({ path, mode }) => `${path} ${mode}`).sort()).toEqual(findAll(['-perm', '/6000']))
})

test.skipIf(!installed('find'))(named('the writable programs are those that find lists', 'find'), () => {
  const { writable } = readPrograms(host, readMounts(host))
  const theirs = run('find', [
    ...real(PATH_DIRECTORIES),
    '-maxdepth',
    '1',
    '-type',
    'f',
    '-perm',
    '/111',
    '(',
    '-perm',
    '-002',
    '-o',
    '(',
    '-perm',
    '-020',
    '!',
    '-gid',
    '0',
    ')',
    '-o',
    '!',
    '-uid',
    '0',
    ')',
  ])
  const files = writable.filter(({ path }) => !existsSync(`${path}/.`)).map(({ path }) => path)
  const links =
    real(PATH_DIRECTORIES).length === 0 ? [] : files.filter((path) => run('find', [path, '-type', 'l']) !== '')
  expect(files.filter((path) => !links.includes(path)).sort()).toEqual(
    theirs
      .split('\n')
      .filter((line) => line !== '')
      .sort(),
  )
})

interface FindmntNode {
  readonly target: string
  readonly fstype: string
  readonly options: string
  readonly children?: readonly FindmntNode[]
}

test.skipIf(!installed('findmnt'))(named('mounts and their options are those of findmnt', 'findmnt'), () => {
  const table = protectedMounts(readMounts(host))
  const tree = JSON.parse(run('findmnt', ['-J', '-o', 'TARGET,FSTYPE,OPTIONS'])) as { filesystems: FindmntNode[] }
  const flat = (nodes: readonly FindmntNode[]): FindmntNode[] =>
    nodes.flatMap((one) => [one, ...flat(one.children ?? [])])
  const theirs = new Map(
    flat(tree.filesystems)
      .filter(({ target }) => MOUNT_POINTS.has(target))
      .map(({ target, fstype, options }) => [
        target,
        [
          fstype,
          ...options
            .split(',')
            .filter((one) => /^(?:ro|no(?:suid|dev|exec))$/.test(one))
            .sort(),
        ],
      ]),
  )
  if ('missing' in table) throw new Error(table.missing)
  expect(table.value.malformed).toBe(0)
  expect(new Map(table.value.points.map(({ point, type, options }) => [point, [type, ...options.toSorted()]]))).toEqual(
    theirs,
  )
})

describe.skipIf(!installed('sysctl'))(named('the settings are those of sysctl', 'sysctl'), () => {
  test.each(readKernelSettings(host).map(({ name, value }) => ({ name, value })))('$name', ({ name, value }) => {
    let theirs: string | undefined
    try {
      theirs = run('sysctl', ['-n', name]).trim()
    } catch {
      theirs = undefined
    }
    if ('missing' in value) expect(theirs ?? '').toBe('')
    else if (value.value === 'not 0') expect(Number(theirs)).toBeGreaterThan(0)
    else expect(value.value).toBe(theirs)
  })
})

test.skipIf(process.getuid?.() !== 0)('without root the same mounts and programs are seen', async () => {
  const [root, nobody] = [
    await hardeningSensor.measure(host),
    await asNobody(() => hardeningSensor.measure(createHost())),
  ]
  if (root.status !== 'measured' || nobody.status !== 'measured') throw new Error('not measured')
  expect(nobody.content.mounts).toEqual(root.content.mounts)
  expect(nobody.content.programs.setId).toEqual(root.content.programs.setId)
})

test('unchanged, it is cheap', async () => {
  await hardeningSensor.measure(host)
  const costs: number[] = []
  for (let round = 0; round < 5; round++) {
    const before = host.cpuMs()
    await hardeningSensor.measure(host)
    costs.push(host.cpuMs() - before)
  }
  // Eight where nothing else runs: the processor time is the whole process's, and tests run beside each other.
  expect(Math.min(...costs)).toBeLessThan(24)
})
