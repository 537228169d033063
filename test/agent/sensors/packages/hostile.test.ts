import { describe, expect, test } from 'vitest'
import { createHost, type Host } from '../../../../agent/sensors/host.ts'
import { measureAll } from '../../../../agent/sensors/registry.ts'
import { decodeSection, encodeSection } from '../../../../shared/posture/canonical.ts'
import { sha256 } from '../../../support/posture.ts'
import { treeHost, writeTree, type Tree } from '../../../support/host-tree.ts'

const STATUS = '/var/lib/dpkg/status'
const record = (index: number): string =>
  `Package: p${index}\nVersion: 1\nVersion: 2\nStatus: install ok installed\nArchitecture: amd64\n\n`
const records = (bytes: number): string =>
  record(1)
    .repeat(Math.ceil(bytes / record(1).length))
    .slice(0, bytes)

const measure = async (host: Host) => {
  const all = await measureAll(host)
  for (const [id, { reading }] of all) decodeSection(id, encodeSection(id, reading as never, sha256).bytes)
  return { packages: all.get('packages')?.reading, patchLevel: all.get('patch-level')?.reading }
}
const of = (tree: Tree) => measure(treeHost(tree))

describe('a dpkg database that nobody should have', () => {
  test('of 50 MB is refused as too large, and its updates are unknown', async () => {
    const { packages, patchLevel } = await of({ [STATUS]: records(50 * 1024 * 1024) })
    expect(packages).toMatchObject({ status: 'failed', code: 'input-too-large' })
    expect(patchLevel).toMatchObject({ content: { updates: { missing: 'too-large' } } })
  })
  test('with repeated fields that ends in the middle of a record counts what it cannot believe', async () => {
    const { packages } = await of({ [STATUS]: `${records(1024 * 1024)}Package: bash\nStat` })
    expect(packages).toMatchObject({ status: 'measured', content: { packages: [], incomplete: true } })
    expect(packages).toHaveProperty(
      'content.malformed',
      expect.toSatisfy((count: number) => count > 10_000),
    )
  })
})

test('a file of 10,000 sources leaves an answer within the bounds', async () => {
  const lines = Array.from({ length: 10_000 }, (_, index) => `deb http://${index}.example/debian stable main\n`)
  const { patchLevel } = await of({
    [STATUS]: 'Package: dpkg\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n',
    '/var/lib/apt/lists/lock': '',
    '/etc/apt/sources.list': lines.join(''),
  })
  expect(patchLevel).toMatchObject({ content: { updates: { value: { lists: { length: 256 }, unnamed: 9744 } } } })
})

const LOOPS: Tree = Object.fromEntries(
  [
    '/var/lib/dpkg/status',
    '/lib/apk/db/installed',
    '/usr/lib/opkg/status',
    '/var/lib/rpm/rpmdb.sqlite',
    '/var/lib/apt/lists',
    '/etc/apt/sources.list',
    '/snap',
    '/var/lib/flatpak/app',
    '/var/lib/docker/image/overlay2/repositories.json',
    '/boot/efi/EFI',
    '/lib/modules',
    '/etc/os-release',
  ].map((path) => [path, { link: path }]),
)
test('links that lead to themselves are no empty lists', async () => {
  const { packages, patchLevel } = await of(LOOPS)
  expect(packages).toMatchObject({ status: 'failed', code: 'input-unreadable' })
  expect(patchLevel).toMatchObject({
    content: {
      updates: { missing: 'unreadable' },
      kernel: { missing: 'absent' },
      support: { missing: 'unreadable' },
      efiPrograms: { missing: 'unreadable' },
    },
  })
  const dpkg = { [STATUS]: 'Package: a\nVersion: 1\nStatus: install ok installed\n\n' }
  expect((await of({ ...LOOPS, ...dpkg })).packages).toMatchObject({
    content: {
      others: ['apk', 'opkg', 'rpm'],
      bundles: [
        { kind: 'flatpak', status: 'unreadable' },
        { kind: 'snap', status: 'unreadable' },
        { kind: 'docker', status: 'unreadable' },
      ],
    },
  })
})

test('processes that vanish while they are looked at end nothing', async () => {
  const processes = Object.fromEntries(
    Array.from({ length: 50 }, (_, pid) => [`/proc/${pid + 1}/maps`, '1-2 r-xp 0 08:01 1 /x (deleted)\n']),
  )
  const real = createHost({ root: writeTree(processes) })
  let calls = 0
  const vanishing = <T>(answer: T): T => (++calls % 3 === 0 ? ({ status: 'absent' } as T) : answer)
  const host: Host = {
    ...real,
    readText: (path, max) =>
      path.startsWith('/proc/') ? vanishing(real.readText(path, max)) : real.readText(path, max),
    readLink: (path) => vanishing(real.readLink(path)),
  }
  const { patchLevel } = await measure(host)
  expect(patchLevel?.status).toBe('measured')
})

test('a long list leaves turns for everything else', async () => {
  const list = '/var/lib/apt/lists/a_dists_s_main_binary-amd64_Packages'
  const tree: Tree = {
    [STATUS]: 'Package: dpkg\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n',
    '/etc/apt/sources.list': 'deb http://a s main\n',
    [list]: 'Package: other\nVersion: 1\nArchitecture: amd64\n\n'.repeat(500_000),
  }
  let turns = 0
  const others = setInterval(() => (turns += 1), 0)
  await of(tree)
  clearInterval(others)
  expect(turns).toBeGreaterThan(5)
})
