import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { hardeningSensor } from '../../../../agent/sensors/hardening.ts'
import { createHost, type Host } from '../../../../agent/sensors/host.ts'
import { SECTIONS } from '../../../../shared/posture/sections.ts'
import type { HardeningContent } from '../../../../shared/posture/sections/hardening.ts'
import { ALPINE, DEBIAN, mountLine, OPENWRT, YOCTO } from '../../../support/hardening-trees.ts'
import { ownedByRoot, treeHost, withoutPermission, writeTree, type Tree } from '../../../support/host-tree.ts'
import { socketTable } from '../../../support/proc-net.ts'

async function measure(host: Host): Promise<HardeningContent> {
  const reading = await hardeningSensor.measure(ownedByRoot(host))
  if (reading.status !== 'measured') throw new Error(reading.status)
  expect(v.is(SECTIONS.hardening.schema, reading.content)).toBe(true)
  return SECTIONS.hardening.canonical(reading.content)
}
const of = (tree: Tree) => measure(treeHost(tree))

describe('whole systems', () => {
  test('Debian', async () => {
    const content = await of(DEBIAN)
    expect(content.mac).toMatchObject({
      modules: { value: 'lockdown,capability,landlock,yama,apparmor' },
      appArmor: { value: 'enabled' },
      profiles: {
        value: {
          modes: [
            { mode: 'complain', count: 1 },
            { mode: 'enforce', count: 2 },
          ],
          notEnforced: ['nvidia'],
        },
      },
      seLinux: { missing: 'absent' },
    })
    expect(content.unconfined).toEqual({ value: [] })
    expect(content.mounts).toEqual({
      value: {
        source: 'init',
        malformed: 0,
        points: [
          { point: '/', type: 'ext4', options: ['ro'] },
          { point: '/dev/shm', type: 'tmpfs', options: ['nodev', 'noexec', 'nosuid'] },
          { point: '/proc', type: 'proc', options: ['hidepid=2', 'nodev', 'noexec', 'nosuid'] },
          { point: '/sys', type: 'sysfs', options: ['nodev', 'noexec', 'nosuid'] },
          { point: '/tmp', type: 'tmpfs', options: ['nodev', 'noexec', 'nosuid'] },
          { point: '/var', type: 'ext4', options: ['nodev', 'nosuid'] },
        ],
      },
    })
    expect(content.programs).toEqual({
      setId: [
        { path: '/usr/bin/su', mode: '4755', owner: 'root', group: 'root' },
        { path: '/usr/lib/openssh/ssh-keysign', mode: '4755', owner: 'root', group: 'root' },
        { path: '/usr/lib/x86_64-linux-gnu/utempter/utempter', mode: '2755', owner: 'root', group: 'root' },
      ],
      writable: [],
      unread: [],
      limited: false,
    })
    expect(content.swap).toEqual({ value: ['encrypted'] })
    expect(content.coreDumps).toEqual({
      pattern: { value: '|/usr/lib/systemd/systemd-coredump %P %u %g' },
      storage: { value: 'none' },
      limit: { value: 'soft 0, hard unlimited' },
    })
    expect(content.usb).toEqual({
      authorizedDefault: { value: ['0'] },
      usbguard: 'absent',
      storage: { value: 'blocked' },
    })
    expect(content.debug).toEqual({
      consoles: { value: [] },
      logins: { value: [] },
      debugFileSystem: { value: false },
      kernelDebugger: { value: false },
      memoryDevice: { value: 'restricted' },
    })
    expect(content.settings).toContainEqual({ name: 'user.max_user_namespaces', value: { value: 'not 0' } })
  })

  test('Alpine', async () => {
    const content = await of(ALPINE)
    expect(content.debug.logins).toEqual({ value: [{ terminal: 'ttyS0', kind: 'login' }] })
    expect(content.swap).toEqual({ value: ['memory'] })
    expect(content.programs.setId).toEqual([{ path: '/bin/bbsuid', mode: '4111', owner: 'root', group: 'root' }])
    expect([content.mac.appArmor, content.unconfined]).toEqual([{ missing: 'absent' }, { missing: 'absent' }])
  })

  test('OpenWrt', async () => {
    const content = await of(OPENWRT)
    expect(content.debug).toMatchObject({
      consoles: { value: ['ttyS0'] },
      logins: { value: [{ terminal: 'console', kind: 'login' }] },
    })
    expect(content.mounts).toMatchObject({ value: { points: [{ point: '/', type: 'overlay', options: [] }] } })
  })

  test('Yocto', async () => {
    const content = await of(YOCTO)
    expect(content.debug.logins).toEqual({ value: [{ terminal: 'ttyS0', kind: 'login' }] })
    expect(content.mounts).toMatchObject({
      value: { points: [{ point: '/', options: ['ro'] }, { point: '/var/volatile' }] },
    })
  })

  test('an empty tree is no system, and not one on which all is well', async () => {
    expect(await hardeningSensor.measure(treeHost({}))).toEqual({
      status: 'not-supported',
      reason: 'no-platform-facts',
    })
  })
})

test('a drop-in that logs somebody in without asking is seen, a comment that speaks of it is none', async () => {
  const wants = '/etc/systemd/system/getty.target.wants/serial-getty@ttyS0.service'
  const dropIn = '/etc/systemd/system/serial-getty@ttyS0.service.d/x.conf'
  const logins = async (text: string) =>
    (await of({ ...DEBIAN, [wants]: { link: '/x' }, [dropIn]: `[Service]\n${text}\n` })).debug.logins
  expect(await logins('ExecStart=-/sbin/agetty --autologin root %I')).toEqual({
    value: [{ terminal: 'ttyS0', kind: 'automatic' }],
  })
  expect(await logins('# no --autologin root\nExecStart=-/sbin/agetty %I')).toEqual({
    value: [{ terminal: 'ttyS0', kind: 'login' }],
  })
})

test('the hardening does not depend on a stick that is plugged in, which is state', async () => {
  const reading = await hardeningSensor.measure(
    ownedByRoot(treeHost({ ...DEBIAN, '/sys/module/usb_storage/refcnt': '1' })),
  )
  expect(reading).toMatchObject({ state: { 'hardening.usb-storage-loaded': true } })
})

describe('who can replace a program', () => {
  const at = (host: Host, path: string, ids: { uid?: number; gid?: number }): Host => ({
    ...host,
    stat(one) {
      const found = host.stat(one)
      return found.status === 'found' && one === path ? { ...found, value: { ...found.value, ...ids } } : found
    },
    readEntries(directory, options) {
      const found = host.readEntries(directory, options)
      if (found.status !== 'found') return found
      return {
        ...found,
        value: found.value.map((one) => (`${directory}/${one.name}` === path ? { ...one, ...ids } : one)),
      }
    },
  })

  test.each([
    ['another owner', { mode: 0o755 }, { uid: 1000 }, 'owner'],
    ['a group of its own that may write', { mode: 0o775 }, { gid: 50 }, 'group'],
    ['everybody', { mode: 0o777 }, { uid: 1000, gid: 50 }, 'everybody'],
    ['the group of root', { mode: 0o775 }, {}, undefined],
    ['a group that may not write', { mode: 0o755 }, { gid: 50 }, undefined],
    ['everybody, but it is no program', { mode: 0o666 }, {}, undefined],
  ] as const)('%s', async (_, entry, ids, by) => {
    const path = '/usr/bin/x'
    const content = await measure(at(ownedByRoot(treeHost({ [path]: entry, '/proc/1/mountinfo': '' })), path, ids))
    expect(content.programs.writable).toEqual(by === undefined ? [] : [{ path, by }])
  })

  test('the directory above belongs to somebody else', async () => {
    const host = at(ownedByRoot(treeHost({ '/usr/local/bin/x': { mode: 0o755 } })), '/usr/local', { uid: 33 })
    expect((await measure(host)).programs.writable).toEqual([{ path: '/usr/local', by: 'owner' }])
  })

  test('owners are told by class, as numbers differ between units', async () => {
    const tree = { '/usr/bin/x': { mode: 0o6755 } }
    const host = at(ownedByRoot(treeHost(tree)), '/usr/bin/x', { uid: 1001, gid: 42 })
    expect((await measure(host)).programs.setId).toEqual([
      { path: '/usr/bin/x', mode: '6755', owner: 'user', group: 'system' },
    ])
  })
})

describe('links and mounts', () => {
  test('loops, dangling links and links to directories in the PATH end', async () => {
    const { programs } = await of({
      '/usr/bin/a': { link: 'b' },
      '/usr/bin/b': { link: 'a' },
      '/usr/bin/c': { link: '/nowhere' },
      '/usr/bin/d': { link: '/usr/bin' },
      '/usr/lib/loop': { link: '..' },
      '/opt/loop': { link: '/opt' },
      '/usr/local/bin': { link: '/usr/local/bin' },
      '/usr/bin/su': { mode: 0o4755 },
    })
    expect(programs.setId.map(({ path }) => path)).toEqual(['/usr/bin/su'])
    expect(programs.unread).toEqual([{ path: '/usr/local/bin', why: 'unreadable' }])
  })

  test('/bin that is /usr/bin is read once', async () => {
    const { programs } = await of({
      '/usr/bin/su': { mode: 0o4755 },
      '/bin': { link: 'usr/bin' },
      '/sbin': { link: 'bin' },
    })
    expect(programs.setId).toHaveLength(1)
  })

  test('what is mounted below is named and not entered, and a remote one not even looked at', async () => {
    const tree: Tree = {
      '/opt/vendor/x': { mode: 0o4755 },
      '/usr/local/bin/x': { mode: 0o4755 },
      '/usr/libexec/x': { mode: 0o4755 },
      '/proc/1/mountinfo':
        mountLine('/', 'ext4', 'rw') +
        mountLine('/opt/vendor', 'ext4', 'rw') +
        mountLine('/usr/local', 'nfs4', 'rw') +
        mountLine('/usr/libexec', 'ext4', 'rw'),
    }
    const host = treeHost(tree)
    const touched: string[] = []
    const { programs } = await measure({
      ...host,
      readEntries: (path, options) => (touched.push(path), host.readEntries(path, options)),
    })
    expect(programs.setId.map(({ path }) => path)).toEqual(['/usr/libexec/x'])
    expect(programs.unread).toEqual([
      { path: '/opt/vendor', why: 'other-file-system' },
      ...['bin', 'lib', 'libexec', 'sbin'].map((name) => ({ path: `/usr/local/${name}`, why: 'other-file-system' })),
    ])
    expect(touched.filter((path) => path.startsWith('/usr/local') || path.startsWith('/opt/vendor'))).toEqual([])
  })
})

describe('hostile directories', () => {
  test('names with line breaks, direction marks and no UTF-8 stay readable and apart', async () => {
    const root = writeTree({ '/usr/bin': { directory: true } })
    for (const name of ['a\nb', 'x\u202ey']) {
      writeFileSync(join(root, 'usr/bin', name), '')
      chmodSync(join(root, 'usr/bin', name), 0o4755)
    }
    const odd = Buffer.concat([Buffer.from(join(root, 'usr/bin/')), Buffer.from([0xff, 0x41])])
    writeFileSync(odd, '')
    chmodSync(odd, 0o4755)
    const { programs } = await measure(createHost({ root }))
    expect(programs.setId.map(({ path }) => path)).toEqual([
      '/usr/bin/\\xffA',
      '/usr/bin/a\\x0ab',
      '/usr/bin/x\\xe2\\x80\\xaey',
    ])
  })

  test('more directories than are looked at are said to be there', async () => {
    const root = writeTree({ '/opt': { directory: true } })
    for (let index = 0; index < 300; index++) mkdirSync(join(root, `opt/${index}`))
    expect((await measure(createHost({ root }))).programs.limited).toBe(true)
  })

  test('more set-id programs than are listed differ in their digest', async () => {
    const many = (last: number): Tree =>
      Object.fromEntries(
        Array.from({ length: 300 }, (_, index) => [
          `/usr/bin/${index === 299 ? last : 1000 + index}`,
          { mode: 0o4755 },
        ]),
      )
    const [one, other] = [(await of(many(5000))).programs, (await of(many(6000))).programs]
    expect(one.setId).toHaveLength(256)
    expect(one.setId).toEqual(other.setId)
    expect([one.setIdCut?.total, other.setIdCut?.total]).toEqual([300, 300])
    expect(one.setIdCut?.digest).not.toBe(other.setIdCut?.digest)
  })
})

describe('what is remembered of directories', () => {
  const TREE: Tree = { '/proc/1/mountinfo': '', '/usr/bin/ls': { mode: 0o755 }, '/usr/lib/a/b': { mode: 0o755 } }
  function watched() {
    const root = writeTree(TREE)
    let now = 1_000_000
    const reads: string[] = []
    const inner = createHost({ root, now: () => now })
    const host: Host = {
      ...inner,
      readEntries: (path, options) => (reads.push(path), inner.readEntries(path, options)),
    }
    const owned = ownedByRoot(host)
    return {
      root,
      pass: (seconds: number) => void (now += seconds),
      look: async () => {
        reads.length = 0
        const reading = await hardeningSensor.measure(owned)
        if (reading.status !== 'measured') throw new Error(reading.status)
        return { setId: reading.content.programs.setId.map(({ path }) => path), reads: [...reads] }
      },
    }
  }

  test('unchanged ones are not read again, changed ones are, alone', async () => {
    const { root, look } = watched()
    expect((await look()).reads).toEqual(['/usr/bin', '/usr/lib', '/usr/lib/a'])
    expect((await look()).reads).toEqual([])
    writeFileSync(join(root, 'usr/lib/a/new'), '')
    chmodSync(join(root, 'usr/lib/a/new'), 0o4755)
    expect(await look()).toEqual({ setId: ['/usr/lib/a/new'], reads: ['/usr/lib/a'] })
    expect((await look()).reads).toEqual([])
  })

  test('bits that were set in place are seen within the hour', async () => {
    const { root, look, pass } = watched()
    await look()
    chmodSync(join(root, 'usr/bin/ls'), 0o4755)
    pass(3599)
    expect((await look()).setId).toEqual([])
    pass(1)
    expect((await look()).setId).toEqual(['/usr/bin/ls'])
  })
})

describe('processes', () => {
  test('that vanish while they are read are none that listen', async () => {
    const host = treeHost(DEBIAN)
    const gone: Host = {
      ...host,
      readText: (path, max) => (path.startsWith('/proc/41/') ? { status: 'absent' } : host.readText(path, max)),
      readDirectory: (path, max) =>
        path.startsWith('/proc/41/') ? { status: 'absent' } : host.readDirectory(path, max),
    }
    expect((await measure(gone)).unconfined).toEqual({ value: [] })
  })

  test('without a label that can be read count as unconfined', async () => {
    const host = withoutPermission(treeHost(DEBIAN), '/proc/41/attr')
    expect((await measure(host)).unconfined).toEqual({ value: ['/usr/sbin/gatewayd'] })
  })

  test('whose sockets are hidden make the answer unknown', async () => {
    const host = withoutPermission(treeHost({ ...DEBIAN, '/proc/42/attr/current': 'unconfined' }), '/proc/42/fd')
    expect((await measure(host)).unconfined).toEqual({ missing: 'no-permission' })
  })

  test('that use a port for clients listen to nobody', async () => {
    const client: Tree = {
      ...DEBIAN,
      '/proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n',
      '/proc/net/udp': socketTable([{ local: '00000000:9C40', state: '07', inode: 4200 }]),
    }
    expect((await of(client)).unconfined).toEqual({ value: [] })
  })
})

describe('a part that could not be read', () => {
  test.each<[string, (content: HardeningContent) => unknown]>([
    ['/proc/1/mountinfo', ({ mounts }) => mounts],
    ['/proc/swaps', ({ swap }) => swap],
    ['/sys/class/block', ({ swap }) => swap],
    ['/sys/bus/usb', ({ usb }) => usb.authorizedDefault],
    ['/etc/modprobe.d', ({ usb }) => usb.storage],
    ['/boot', ({ debug }) => debug.memoryDevice],
    ['/etc/systemd/system/getty.target.wants', ({ debug }) => debug.logins],
    ['/etc/systemd/coredump.conf.d', ({ coreDumps }) => coreDumps.storage],
    ['/sys/fs/selinux', ({ mac }) => mac.seLinux],
  ])('%s is no good news', async (path, part) => {
    const host = withoutPermission(treeHost(DEBIAN), path)
    // Under a service's own mounts there is another answer.
    const expected = path === '/proc/1/mountinfo' ? { missing: 'absent' } : { missing: 'no-permission' }
    expect(part(await measure(host))).toEqual(expected)
  })

  test('/proc/1/mountinfo is replaced by the own one, which is said', async () => {
    const host = withoutPermission(
      treeHost({ ...DEBIAN, '/proc/self/mountinfo': mountLine('/tmp', 'tmpfs', 'ro') }),
      '/proc/1/m',
    )
    expect((await measure(host)).mounts).toEqual({
      value: { source: 'own', malformed: 0, points: [{ point: '/tmp', type: 'tmpfs', options: ['ro'] }] },
    })
  })
})
