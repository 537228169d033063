import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createHost, type Host } from '../../../../agent/sensors/host.ts'
import { systemSensor } from '../../../../agent/sensors/system.ts'
import { measureAll } from '../../../../agent/sensors/registry.ts'
import {
  treeHost as treeHostOf,
  withoutPermission,
  writeTree as writeTreeOf,
  type Tree,
} from '../../../support/host-tree.ts'

/** A system that the sensor has something to say of. */
const onLinux = (tree: Tree): Tree => ({ '/proc/version': 'Linux version 6.1\n', ...tree })
const treeHost = (tree: Tree) => treeHostOf(onLinux(tree))
const writeTree = (tree: Tree) => writeTreeOf(onLinux(tree))

async function stateAt(host: Host): Promise<Readonly<Record<string, unknown>>> {
  const reading = (await measureAll(host, [systemSensor])).get('system')?.reading
  if (reading?.status !== 'measured') throw new Error('not measured')
  return reading.state ?? {}
}
const stateOf = (tree: Tree) => stateAt(treeHost(tree))

describe('processes that run code of replaced files', () => {
  const line = (permissions: string, path: string) => `7f00-7f01 ${permissions} 00000000 08:01 42    ${path}\n`
  const processes = (maps: Readonly<Record<string, string>>): Tree =>
    Object.fromEntries(
      Object.entries(maps).flatMap(([pid, text]): [string, Tree[string]][] => [
        [`/proc/${pid}/maps`, text],
        [`/proc/${pid}/exe`, { link: `/usr/sbin/daemon${pid}` }],
      ]),
    )

  test('are counted and named, whichever file it is', async () => {
    const state = await stateOf(
      processes({
        '1': line('r-xp', '/usr/lib/libssl.so.3'),
        '7': line('r-xp', '/usr/lib/libssl.so.3 (deleted)'),
        '30': line('r-xp', '/usr/lib/a b.so (deleted)'),
      }),
    )
    expect(state).toMatchObject({
      'system.stale-processes': 2,
      'system.stale-programs': 'daemon30 daemon7',
    })
  })

  test.each([
    ['data', line('rw-p', '/var/cache/x (deleted)')],
    ['memory without a file', line('r-xp', '/memfd:jit (deleted)')],
    ['shared memory', line('r-xs', '/dev/shm/x (deleted)')],
    ['a file whose name ends so', line('r-xp', '/opt/x (deleted) y')],
    ['nonsense', ' (deleted)\n'],
  ])('not for %s', async (_, maps) => {
    expect(await stateOf(processes({ '7': maps }))).toEqual({ 'system.stale-processes': 0 })
  })

  test('those that could not be looked at are counted, the threads of the kernel not among them', async () => {
    const tree = processes({ '1': line('r-xp', '/sbin/init'), '2': '', '7': '' })
    const commands = { '/proc/2/cmdline': '', '/proc/7/cmdline': 'daemon\0' }
    const host = withoutPermission(treeHost({ ...tree, ...commands }), '/proc/2/maps', '/proc/7/maps')
    expect(await stateAt(host)).toEqual({
      'system.stale-processes': 0,
      'system.unseen-processes': 1,
    })
  })

  test('many of them, with long names, stay within the bounds of the state', async () => {
    const maps = line('r-xp', '/x (deleted)')
    const state = await stateOf(processes(Object.fromEntries(Array.from({ length: 200 }, (_, pid) => [pid + 1, maps]))))
    expect(state['system.stale-processes']).toBe(200)
    expect(Buffer.byteLength(String(state['system.stale-programs']))).toBeLessThanOrEqual(256)
  })

  test.each([
    ['of cgroup v2', '0::/system.slice/ssh.service\n', 'ssh.service'],
    ['of cgroup v1', '3:cpu:/\n1:name=systemd:/system.slice/ssh.service\n0::/x\n', 'ssh.service'],
    ['in a part of a service', '0::/system.slice/docker.service/init\n', 'docker.service'],
    ['of a user', '0::/user.slice/user-1000.slice/user@1000.service/app.slice/app.scope\n', 'user@1000.service'],
    ['in a session', '0::/user.slice/user-1000.slice/session-7.scope\n', undefined],
    ['without one', '0::/\n', undefined],
  ])('%s are named by the service', async (_, cgroup, service) => {
    const tree = { ...processes({ '7': line('r-xp', '/x (deleted)') }), '/proc/7/cgroup': cgroup }
    expect((await stateOf(tree))['system.stale-services']).toBe(service)
  })

  test('what a program made and removed itself is not replaced, unless it is the program', async () => {
    const made = line('r-xp', '/tmp/ffiAbC (deleted)')
    expect(await stateOf(processes({ '7': made }))).toMatchObject({ 'system.stale-processes': 0 })
    const program = { '/proc/7/maps': made, '/proc/7/exe': { link: '/tmp/ffiAbC (deleted)' } }
    expect(await stateOf(program)).toMatchObject({
      'system.stale-processes': 1,
      'system.stale-programs': 'ffiAbC',
    })
  })

  describe('over several measurements', () => {
    const stale = line('r-xp', '/x (deleted)')
    const setup = () => {
      let now = 1_000_000
      const root = writeTree({ ...processes({ '7': stale, '8': '' }), '/var/lib/dpkg/status': '' })
      const host = createHost({ root, now: () => now })
      const count = async () => (await stateAt(host))['system.stale-processes']
      return { root, count, later: (seconds: number) => (now += seconds) }
    }
    test('one that was restarted or has ended is gone at once', async () => {
      const { root, count } = setup()
      expect(await count()).toBe(1)
      writeFileSync(join(root, '/proc/7/maps'), line('r-xp', '/x'))
      expect(await count()).toBe(0)
      writeFileSync(join(root, '/proc/7/maps'), stale)
      expect(await count()).toBe(1)
      rmSync(join(root, '/proc/7'), { recursive: true })
      expect(await count()).toBe(0)
    })
    test('another one is found as soon as packages have changed', async () => {
      const { root, count } = setup()
      await count()
      writeFileSync(join(root, '/proc/8/maps'), stale)
      expect(await count()).toBe(1)
      writeFileSync(join(root, '/var/lib/dpkg/status'), '\n')
      expect(await count()).toBe(2)
    })
    test('or else within a quarter of an hour', async () => {
      const { root, count, later } = setup()
      await count()
      writeFileSync(join(root, '/proc/8/maps'), stale)
      later(899)
      expect(await count()).toBe(1)
      later(1)
      expect(await count()).toBe(2)
    })
  })

  test('one that vanishes while it is looked at is none', async () => {
    const real = treeHost(processes({ '7': line('r-xp', '/x (deleted)'), '8': line('r-xp', '/x (deleted)') }))
    const gone = { status: 'absent' } as const
    const host: Host = {
      ...real,
      readText: (path, max) => (path.startsWith('/proc/7/') ? gone : real.readText(path, max)),
      readLink: (path) => (path.startsWith('/proc/8/') ? gone : real.readLink(path)),
    }
    expect(await stateAt(host)).toEqual({ 'system.stale-processes': 1 })
  })
})
