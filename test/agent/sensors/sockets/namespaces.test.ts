import { describe, expect, test } from 'vitest'
import type { Host } from '../../../../agent/sensors/host.ts'
import { socketsSensor } from '../../../../agent/sensors/sockets.ts'
import { listenerSubject, type SocketsContent } from '../../../../shared/posture/sections/sockets.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'
import { socketTable } from '../../../support/proc-net.ts'

const listening = (port: string, inode = 1000): string =>
  socketTable([{ local: `00000000:${port}`, state: '0A', inode }])

const contentOf = async (host: Host): Promise<SocketsContent> => {
  const reading = await socketsSensor.measure(host)
  if (reading.status !== 'measured') throw new Error(reading.status)
  return reading.content
}
const subjectsOf = async (host: Host): Promise<string[]> =>
  (await contentOf(host)).listeners.map((one) => listenerSubject(one))

/** The first namespace, with process 1 in it. */
const first: Tree = {
  '/proc/net/dev': '',
  '/proc/net/tcp': listening('0016'),
  '/proc/1/net': { link: '../net' },
  '/proc/1/fd/0': { link: '/dev/null' },
}
/** A process with a namespace of its own, where it listens. */
const apart = (pid: number, port: string, more: Tree = {}): Tree => ({
  [`/proc/${pid}/net/dev`]: '',
  [`/proc/${pid}/net/tcp`]: listening(port, pid),
  [`/proc/${pid}/fd/3`]: { link: `socket:[${pid}]` },
  [`/proc/${pid}/exe`]: { link: '/usr/sbin/nginx' },
  ...more,
})
const sharing = (pid: number, other: number): Tree => ({ [`/proc/${pid}/net`]: { link: `../${other}/net` } })
const unit = (pid: number, path: string): Tree => ({ [`/proc/${pid}/cgroup`]: `0::${path}\n` })
const DOCKER = `/system.slice/docker-${'ab'.repeat(32)}.scope`

describe('a listener of another network namespace', () => {
  test('is told apart from one of the same place, with its owner', async () => {
    const { listeners, namespaces } = await contentOf(treeHost({ ...first, ...apart(9, '0016', unit(9, DOCKER)) }))
    expect(namespaces).toBe('visible')
    expect(listeners.map((one) => listenerSubject(one))).toEqual([
      'tcp/0.0.0.0:22',
      'tcp/0.0.0.0:22 in "docker container"',
    ])
    expect(listeners[1]).toMatchObject({
      owner: 'known',
      programs: [{ executable: '/usr/sbin/nginx', unit: 'docker container', origin: 'unknown' }],
    })
  })

  test.each([
    ['the name that ip-netns gave it', { '/run/netns/blue': { link: '/proc/9/ns/net' }, '/proc/9/ns/net': '' }, 'blue'],
    ['its service', unit(9, '/system.slice/web.service'), 'web.service'],
    [
      'its service, whoever looks around in it',
      { ...unit(9, '/system.slice/web.service'), ...sharing(5, 9), ...unit(5, '/a.slice/session-3.scope') },
      'web.service',
    ],
    [
      'its container, whatever runs in there',
      { ...unit(9, DOCKER), ...sharing(5, 9), ...unit(5, '/system.slice/a.service') },
      'docker container',
    ],
    ['its executable where it is in no unit', {}, '/usr/sbin/nginx'],
  ] as [string, Tree, string][])('is called by %s', async (_, tree, label) => {
    const subjects = await subjectsOf(treeHost({ ...first, ...apart(9, '0050'), ...tree }))
    expect(subjects).toContain(`tcp/0.0.0.0:80 in ${JSON.stringify(label)}`)
  })

  test('is the same whatever numbers processes and namespaces have', async () => {
    const one = await contentOf(treeHost({ ...first, ...apart(9, '0050', unit(9, DOCKER)) }))
    const other = await contentOf(
      treeHost({ ...apart(4711, '0050', unit(4711, DOCKER)), ...sharing(88, 4711), ...unit(88, DOCKER), ...first }),
    )
    expect(other).toEqual(one)
  })

  test('a name with an escape is shown harmless', async () => {
    const tree: Tree = { '/run/netns/a\x1b[2J': { link: '/proc/9/ns/net' }, '/proc/9/ns/net': '' }
    const subjects = await subjectsOf(treeHost({ ...first, ...apart(9, '0050', tree) }))
    expect(subjects).toContain('tcp/0.0.0.0:80 in "a\\\\x1b[2J"')
  })
})

test('ports that the kernel chose are one entry for each program and namespace', async () => {
  const udp = socketTable([{ local: '00000000:9C40', state: '07', inode: 9 }])
  const own = socketTable([{ local: '00000000:9C41', state: '07', inode: 8 }])
  const range = { '/proc/sys/net/ipv4/ip_local_port_range': '32768 60999\n', '/proc/net/udp': own }
  const held: Tree = { '/proc/9/fd/4': { link: 'socket:[8]' }, '/proc/9/net/udp': udp }
  const subjects = await subjectsOf(treeHost({ ...first, ...range, ...apart(9, '0050', held) }))
  expect(subjects.filter((one) => one.startsWith('udp/'))).toEqual([
    'udp/ephemeral "/usr/sbin/nginx"',
    'udp/ephemeral "/usr/sbin/nginx" in "/usr/sbin/nginx"',
  ])
})

test('one namespace of several processes is read once', async () => {
  const subjects = await subjectsOf(treeHost({ ...first, ...apart(9, '0050'), ...sharing(10, 9), ...sharing(11, 9) }))
  expect(subjects).toEqual(['tcp/0.0.0.0:22', 'tcp/0.0.0.0:80 in "/usr/sbin/nginx"'])
})

test('where the measurement itself runs apart, the namespace of process 1 is the first', async () => {
  const host = treeHost(
    {
      '/proc/net/dev': '',
      '/proc/net/tcp': socketTable([]),
      '/proc/1/net/dev': '',
      '/proc/1/net/tcp': listening('0016'),
      '/proc/1/fd/0': { link: '/dev/null' },
    },
    { run: async () => ({ status: 'found', value: '' }) },
  )
  expect(await subjectsOf(host)).toEqual(['tcp/0.0.0.0:22'])
  // ss would tell of the wrong one.
  expect((await contentOf(host)).bindings).toBe('no-permission')
})

describe('what cannot be seen is said', () => {
  test('processes that /proc does not list', async () => {
    const { '/proc/1/fd/0': _, '/proc/1/net': __, ...hidden } = first
    expect((await contentOf(treeHost(hidden))).namespaces).toBe('no-permission')
  })

  test('a process whose namespace may not be seen', async () => {
    const host = withoutPermission(treeHost({ ...first, ...apart(9, '0050') }), '/proc/9/net')
    expect((await contentOf(host)).namespaces).toBe('no-permission')
  })

  test('tables that may not be read, without losing those of the first', async () => {
    const host = withoutPermission(treeHost({ ...first, ...apart(9, '0050') }), '/proc/9/net/tcp')
    expect(await contentOf(host)).toMatchObject({ namespaces: 'no-permission', total: 1 })
  })

  test('a kernel that does not tell namespaces apart', async () => {
    const { '/proc/net/dev': _, ...tree } = first
    expect((await contentOf(treeHost(tree))).namespaces).toBe('unreadable')
  })

  test('more namespaces than are read', async () => {
    const many = Array.from({ length: 258 }, (_, index) => ({ [`/proc/${index + 2}/net/dev`]: '' }))
    expect((await contentOf(treeHost(Object.assign({}, first, ...many) as Tree))).namespaces).toBe('bounded')
  })
})

test('a namespace whose last process ends meanwhile is skipped', async () => {
  const host = treeHost({ ...first, ...apart(9, '0050') })
  let looks = 0
  const ending: Host = {
    ...host,
    stat: (path) => (path === '/proc/9/net/dev' && ++looks > 2 ? { status: 'absent' } : host.stat(path)),
  }
  expect(await contentOf(ending)).toMatchObject({ namespaces: 'visible', total: 1 })
})
