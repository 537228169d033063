import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { createHost, type Host } from '../../../../agent/sensors/host.ts'
import { measureAll } from '../../../../agent/sensors/registry.ts'
import type { Reading } from '../../../../agent/sensors/sensor.ts'
import { socketsSensor } from '../../../../agent/sensors/sockets.ts'
import { parsePacketTable, parseSctpEndpoints } from '../../../../agent/sensors/sockets/other-tables.ts'
import { SECTIONS } from '../../../../shared/posture/sections.ts'
import { listenerSubject, type SocketsContent } from '../../../../shared/posture/sections/sockets.ts'
import { treeHost, withoutPermission, writeTree, type Tree } from '../../../support/host-tree.ts'
import { socketTable } from '../../../support/proc-net.ts'

const ANY6 = '0'.repeat(32)
const LISTEN = '0A'
const CLOSE = '07'
const ESTABLISHED = '01'

const readingOf = async (host: Host) =>
  (await measureAll(host, [socketsSensor])).get('sockets')?.reading as Reading<'sockets'>

async function measure(host: Host): Promise<{ content: SocketsContent; state: Readonly<Record<string, unknown>> }> {
  const reading = await readingOf(host)
  if (reading.status !== 'measured') throw new Error(reading.status)
  expect(v.is(SECTIONS.sockets.schema, reading.content)).toBe(true)
  return { content: reading.content, state: reading.state ?? {} }
}

const shell = (pid: number, inode: number, exe = '/usr/sbin/sshd'): Tree => ({
  [`/proc/${pid}/fd/3`]: { link: `socket:[${inode}]` },
  [`/proc/${pid}/fd/4`]: { link: '/dev/null' },
  [`/proc/${pid}/exe`]: { link: exe },
})
const init: Tree = {
  '/proc/1/fd/0': { link: '/dev/null' },
  '/proc/1/exe': { link: '/sbin/init' },
  '/proc/net/dev': '',
}
/** What is told of a program whose unit and package nothing tells. */
const program = (executable: string) => ({ executable, origin: 'unknown' })
const ssh = socketTable([{ local: '00000000:0016', state: LISTEN, inode: 77 }])

describe('what listens', () => {
  test('TCP that listens and UDP that is not connected, in both families', async () => {
    const { content } = await measure(
      treeHost({
        ...init,
        '/proc/net/tcp': socketTable([
          { local: '00000000:0016', state: LISTEN },
          { local: '0100007F:1F90', state: LISTEN },
          { local: '0A01A8C0:0016', remote: '0B01A8C0:C350', state: ESTABLISHED },
          { local: '0A01A8C0:0016', remote: '0B01A8C0:C351', state: '06' },
        ]),
        '/proc/net/tcp6': socketTable([{ local: `${ANY6}:01BB`, state: LISTEN }], 6),
        '/proc/net/udp': socketTable([
          { local: '00000000:0044', state: CLOSE },
          { local: '0A01A8C0:D431', remote: '08080808:0035', state: ESTABLISHED },
        ]),
        '/proc/net/udp6': socketTable([{ local: '000002FF000000000000000001000000:14E9', state: CLOSE }], 6),
      }),
    )
    const none = { owner: 'none' }
    expect(content).toEqual({
      listeners: [
        { protocol: 'tcp', family: 'ipv4', scope: 'any', address: '0.0.0.0', port: 22, ...none },
        { protocol: 'tcp', family: 'ipv4', scope: 'loopback', address: '127.0.0.1', port: 8080, ...none },
        { protocol: 'tcp', family: 'ipv6', scope: 'any', address: '::', port: 443, ...none },
        { protocol: 'udp', family: 'ipv4', scope: 'any', address: '0.0.0.0', port: 68, ...none },
        { protocol: 'udp', family: 'ipv6', scope: 'multicast', address: 'ff02::1', port: 5353, ...none },
      ],
      tables: ['tcp', 'tcp6', 'udp', 'udp6'],
      owners: 'visible',
      namespaces: 'visible',
      bindings: 'no-permission',
      vsock: 'visible',
      truncated: false,
      total: 5,
      malformed: 0,
    })
  })

  test("on an address of the unit's own: the section has the scope, the state the address", async () => {
    const { content, state } = await measure(
      treeHost({
        ...init,
        '/proc/net/tcp': socketTable([
          { local: '0A01A8C0:0016', state: LISTEN },
          { local: '0B01A8C0:0016', state: LISTEN },
        ]),
        '/proc/net/udp6': socketTable([{ local: '000080FE00000000FF005450A1B2C3FE:0222', state: CLOSE }], 6),
      }),
    )
    expect(content.listeners).toEqual([
      { protocol: 'tcp', family: 'ipv4', scope: 'address', port: 22, owner: 'none' },
      { protocol: 'udp', family: 'ipv6', scope: 'link', port: 546, owner: 'none' },
    ])
    expect(state).toEqual({ 'sockets.own-addresses': 'tcp/192.168.1.10:22 tcp/192.168.1.11:22' })
  })

  test('slot numbers of more than four digits do not shift the columns', async () => {
    const lines = Array.from({ length: 12_345 }, () => ({
      local: '00000000:0001',
      remote: '01010101:0001',
      state: '01',
    }))
    const table = socketTable([...lines, { local: '00000000:0016', state: LISTEN }])
    const { content } = await measure(treeHost({ ...init, '/proc/net/tcp': table }))
    expect(content.listeners.map(({ port }) => port)).toEqual([22])
  })
})

describe('other kinds of sockets', () => {
  test('UDP-Lite, raw and ping sockets, which have tables in the form of that of UDP', async () => {
    const { content } = await measure(
      treeHost({
        ...init,
        '/proc/net/tcp': socketTable([]),
        '/proc/net/udplite': socketTable([{ local: '00000000:0400', state: CLOSE }]),
        '/proc/net/raw6': socketTable([{ local: `${ANY6}:003A`, state: CLOSE, inode: 5 }], 6),
        '/proc/net/raw': socketTable([{ local: '0100007F:0001', remote: '08080808:0000', state: ESTABLISHED }]),
        '/proc/net/icmp': socketTable([{ local: '00000000:0017', state: CLOSE }]),
        ...shell(9, 5, '/usr/sbin/radvd'),
      }),
    )
    expect(content.tables).toEqual(['tcp'])
    expect(content.listeners.map((one) => listenerSubject(one))).toEqual([
      'udplite/0.0.0.0:1024',
      'raw/[::]:58',
      'icmp/ephemeral',
    ])
    expect(content.listeners[1]?.programs).toEqual([program('/usr/sbin/radvd')])
  })

  test('packet sockets by the protocol that they receive', async () => {
    const table = [
      'sk               RefCnt Type Proto  Iface R Rmem   User   Inode',
      '00000000deadbeef 3      3    0003   2     1 0      0      41',
      '00000000deadbef0 3      2    0800   0     1 0      0      42',
      '00000000deadbef1 3      3    0000   0     0 0      0      43',
      'cut',
      '',
    ].join('\n')
    const { content } = await measure(
      treeHost({
        ...init,
        '/proc/net/tcp': socketTable([]),
        '/proc/net/packet': table,
        ...shell(9, 41, '/usr/sbin/lldpd'),
      }),
    )
    expect(content).toMatchObject({ total: 2, malformed: 1 })
    const packet = { protocol: 'packet', family: 'link', scope: 'link' }
    expect(content.listeners).toEqual([
      { ...packet, port: 3, owner: 'known', programs: [program('/usr/sbin/lldpd')] },
      { ...packet, port: 0x800, interfaces: [], owner: 'none' },
    ])
  })

  test('SCTP endpoints that listen, on each of their addresses', async () => {
    const table = [
      ' ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS',
      '00000000a 00000000b 2   10  34   36412     0 51 0.0.0.0 ',
      '00000000c 00000000d 2   10  35   2905      0 52 *127.0.0.1 fe80:0000:0000:0000:5054:00ff:fe12:3456 ',
      '00000000e 00000000f 2   1   36   7         0 53 10.0.0.1 ',
      '00000000e 00000000f 2   10  36   7         0 53 300.0.0.1 ',
      '',
    ].join('\n')
    const { content } = await measure(
      treeHost({ ...init, '/proc/net/tcp': socketTable([]), '/proc/net/sctp/eps': table }),
    )
    expect(content.malformed).toBe(1)
    expect(content.listeners.map((one) => listenerSubject(one))).toEqual([
      'sctp/0.0.0.0:36412',
      'sctp/127.0.0.1:2905',
      'sctp/ipv6-link:2905',
    ])
  })

  test('no bytes make the tables throw', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 120, unit: fc.constantFrom(...'0a1f :.*\n x') }), (text) => {
        parsePacketTable(`header\n${text}`)
        parseSctpEndpoints(`header\n${text}`)
      }),
    )
  })
})

describe('ports that the kernel chose', () => {
  const range = { '/proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n' }
  const at = (...ports: [port: number, inode: number][]): Tree => ({
    ...init,
    ...range,
    '/proc/net/udp': socketTable(
      ports.map(([port, inode]) => ({
        local: `00000000:${port.toString(16).toUpperCase().padStart(4, '0')}`,
        state: CLOSE,
        inode,
      })),
    ),
    ...shell(9, 77, '/usr/sbin/ntpd'),
    ...shell(8, 78, '/usr/bin/dig'),
  })
  const contentOf = async (tree: Tree) => (await measure(treeHost(tree))).content

  test('are one entry for each program, whichever and how many they are', async () => {
    const one = await contentOf(at([32_768, 77], [123, 77]))
    const other = await contentOf({
      ...at([60_999, 77], [123, 77], [40_000, 77]),
      '/proc/net/udp6': socketTable([]),
    })
    expect(one.listeners.map((each) => listenerSubject(each))).toEqual([
      'udp/0.0.0.0:123',
      'udp/ephemeral "/usr/sbin/ntpd"',
    ])
    expect(other.listeners).toEqual(one.listeners)
  })

  test('of another program are another entry', async () => {
    const { listeners } = await contentOf(at([40_000, 77], [40_001, 78]))
    expect(listeners.map((each) => listenerSubject(each))).toEqual([
      'udp/ephemeral "/usr/sbin/ntpd"',
      'udp/ephemeral "/usr/bin/dig"',
    ])
  })

  test('keep their number where nobody is seen to own them, as those of kernel tunnels', async () => {
    const { listeners } = await contentOf(at([51_820, 99]))
    expect(listeners).toEqual([
      { protocol: 'udp', family: 'ipv4', scope: 'any', address: '0.0.0.0', port: 51_820, owner: 'none' },
    ])
  })

  test('outside of the range, or of TCP, or where the range cannot be read, keep theirs', async () => {
    expect((await contentOf(at([32_767, 77], [61_000, 77]))).listeners.map(({ port }) => port)).toEqual([
      32_767, 61_000,
    ])
    const tcp = { '/proc/net/tcp': socketTable([{ local: '00000000:9C40', state: LISTEN, inode: 77 }]) }
    expect((await contentOf({ ...at(), ...tcp })).listeners.map(({ port }) => port)).toEqual([40_000])
    const damaged = { '/proc/sys/net/ipv4/ip_local_port_range': 'all of them\n' }
    expect((await contentOf({ ...at([40_000, 77]), ...damaged })).listeners.map(({ port }) => port)).toEqual([40_000])
  })
})

describe('who listens', () => {
  test('the executables of all that hold the socket, sorted, whatever their pids', async () => {
    const tables = { '/proc/net/tcp': ssh }
    const one = treeHost({ ...init, ...tables, ...shell(20, 77), ...shell(7, 77, '/usr/bin/tcpd') })
    const other = treeHost({ ...init, ...tables, ...shell(3, 77), ...shell(400, 77, '/usr/bin/tcpd') })
    const { content } = await measure(one)
    expect(content.listeners[0]).toMatchObject({
      owner: 'known',
      programs: [program('/usr/bin/tcpd'), program('/usr/sbin/sshd')],
    })
    expect((await measure(other)).content).toEqual(content)
  })

  test('a replaced executable keeps its path, and is counted apart', async () => {
    const { content, state } = await measure(
      treeHost({ ...init, '/proc/net/tcp': ssh, ...shell(9, 77, '/usr/sbin/sshd (deleted)') }),
    )
    expect(content.listeners[0]?.programs).toEqual([program('/usr/sbin/sshd')])
    expect(state).toEqual({ 'sockets.replaced-executables': 1 })
  })

  test.each([
    ['a line break', '/tmp/a\nb', '/tmp/a\\x0ab'],
    ['a direction override', '/tmp/\u202egnp', '/tmp/\\xe2\\x80\\xaegnp'],
  ])('a name with %s is shown harmless', async (_, exe, shown) => {
    const { content } = await measure(treeHost({ ...init, '/proc/net/tcp': ssh, ...shell(9, 77, exe) }))
    expect(content.listeners[0]?.programs).toEqual([program(shown)])
  })

  test('a name that is not UTF-8 keeps its bytes', async () => {
    const root = writeTree({ ...init, '/proc/net/tcp': ssh, '/proc/9/fd/3': { link: 'socket:[77]' } })
    symlinkSync(Buffer.from([0x2f, 0xff, 0xfe]), join(root, 'proc/9/exe'))
    const { content } = await measure(createHost({ root, byteOrder: 'LE' }))
    expect(content.listeners[0]?.programs).toEqual([program('/\\xff\\xfe')])
  })

  test('an owner without a readable name is an owner still', async () => {
    const host = treeHost({ ...init, '/proc/net/tcp': ssh, '/proc/9/fd/3': { link: 'socket:[77]' } })
    expect((await measure(host)).content.listeners[0]).toMatchObject({ owner: 'known' })
  })
})

describe('where it is from', () => {
  const lists: Tree = { '/var/lib/dpkg/info/openssh-server.list': '/usr/sbin/sshd\n', '/usr/sbin/sshd': 'ELF' }
  const inUnit = (path: string): Tree => ({ '/proc/9/cgroup': `0::${path}\n` })
  const tree: Tree = { ...init, '/proc/net/tcp': ssh, ...lists, ...inUnit('/system.slice/ssh.service') }
  const programsOf = async (host: Host) => (await measure(host)).content.listeners[0]?.programs
  const known = { executable: '/usr/sbin/sshd', unit: 'ssh.service', origin: 'package', package: 'openssh-server' }

  test('the unit of the process and the package of the executable', async () => {
    expect(await programsOf(treeHost({ ...tree, ...shell(9, 77) }))).toEqual([known])
  })

  test('a file of no package', async () => {
    const host = treeHost({ ...tree, ...shell(9, 77, '/tmp/nc'), '/tmp/nc': 'ELF' })
    expect(await programsOf(host)).toEqual([{ executable: '/tmp/nc', unit: 'ssh.service', origin: 'none' }])
  })

  test('stays what it was while an update waits for the service to be started again', async () => {
    expect(await programsOf(treeHost({ ...tree, ...shell(9, 77, '/usr/sbin/sshd (deleted)') }))).toEqual([known])
  })

  test('another file of the same path, as in another mount namespace, is not taken for that of the package', async () => {
    const host = treeHost({ ...tree, ...shell(9, 77), '/other': 'ELF' })
    const elsewhere: Host = { ...host, stat: (path) => host.stat(path === '/proc/9/exe' ? '/other' : path) }
    expect(await programsOf(elsewhere)).toEqual([{ ...program('/usr/sbin/sshd'), unit: 'ssh.service' }])
  })

  test('a file that only process 1 sees, because a sandbox hides its directory', async () => {
    const host = treeHost({ ...tree, ...shell(9, 77, '/home/nc'), '/proc/1/root/home/nc': 'ELF', '/other': '' })
    const sandboxed: Host = {
      ...host,
      stat: (path) => host.stat(path === '/proc/9/exe' ? '/proc/1/root/home/nc' : path),
    }
    expect(await programsOf(sandboxed)).toMatchObject([{ executable: '/home/nc', origin: 'none' }])
  })

  test('of a container, whose files are not those of the packages here', async () => {
    const docker = `docker-${'0f'.repeat(32)}.scope`
    const host = treeHost({ ...tree, ...shell(9, 77), ...inUnit(`/system.slice/${docker}`) })
    expect(await programsOf(host)).toEqual([{ ...program('/usr/sbin/sshd'), unit: 'docker container' }])
  })
})

describe('how it is bound', () => {
  const tables: Tree = {
    ...init,
    '/proc/net/tcp': socketTable([
      { local: '00000000:0044', state: LISTEN, inode: 1 },
      { local: '00000000:0044', state: LISTEN, inode: 2 },
    ]),
    '/proc/net/tcp6': socketTable([{ local: `${ANY6}:0016`, state: LISTEN, inode: 3 }], 6),
  }
  const bound = async (...lines: string[]) => {
    const run: Host['run'] = async () => ({ status: 'found', value: lines.join('\n') })
    const { content } = await measure(treeHost(tables, { run }))
    return content.listeners.map(({ interfaces, ipv6Only }) => ({ interfaces, ipv6Only }))
  }
  const line = (inode: number, local: string, end = '<->') => `tcp LISTEN 0 1 ${local} x:* ino:${inode} sk:1 ${end}`

  test('to several interfaces, and to IPv6 alone', async () => {
    expect(
      await bound(line(1, '0.0.0.0%wan:68'), line(2, '0.0.0.0%lan:68'), line(3, '[::]:22', 'v6only:1 <->')),
    ).toEqual([
      { interfaces: ['lan', 'wan'], ipv6Only: undefined },
      { interfaces: [], ipv6Only: true },
    ])
  })

  test('to every interface where one of two sockets is', async () => {
    expect((await bound(line(1, '0.0.0.0%wan:68'), line(2, '0.0.0.0:68')))[0]).toEqual({ interfaces: [] })
  })

  test('to interfaces whose names are made anew for each container', async () => {
    const names = async (...all: [string, string]) => (await bound(line(1, all[0]), line(2, all[1])))[0]?.interfaces
    expect(await names('0.0.0.0%veth1a2b3c4:68', '0.0.0.0%vethf00d5eed:68')).toEqual(['veth*'])
    expect(await names('0.0.0.0%br-0123456789ab:68', '0.0.0.0%br-lan:68')).toEqual(['br-*', 'br-lan'])
    expect(await names('0.0.0.0%vethXy1z9Q:68', '0.0.0.0%veth0:68')).toEqual(['veth*', 'veth0'])
  })

  test('is not told where one of two is not known', async () => {
    expect((await bound(line(1, '0.0.0.0%wan:68')))[0]).toEqual({})
  })

  test('of packet sockets, by the number that the table tells', async () => {
    const packet = 'header\n0 3 3 0003 2 1 0 0 41\n0 3 3 0800 9 1 0 0 42\n'
    const { content } = await measure(
      treeHost({ ...init, '/proc/net/tcp': '', '/proc/net/packet': packet, '/sys/class/net/eth0/ifindex': '2\n' }),
    )
    expect(content.listeners.map(({ interfaces }) => interfaces)).toEqual([['eth0'], undefined])
  })
})

describe('what cannot be seen is said', () => {
  test('processes of others: hidden, not ownerless', async () => {
    const host = withoutPermission(treeHost({ ...init, '/proc/net/tcp': ssh, ...shell(9, 77) }), '/proc/9/fd')
    const { content } = await measure(host)
    expect(content.owners).toBe('no-permission')
    expect(content.listeners[0]).toMatchObject({ owner: 'hidden' })
  })

  test('processes that /proc does not even list (hidepid, ProtectProc)', async () => {
    const { content } = await measure(treeHost({ '/proc/net/tcp': ssh, '/proc/50/fd/0': { link: '/dev/null' } }))
    expect(content).toMatchObject({ owners: 'no-permission', listeners: [{ owner: 'hidden' }] })
  })

  test('one socket of two with a hidden owner', async () => {
    const tcp = socketTable([
      { local: '00000000:0016', state: LISTEN, inode: 77 },
      { local: '00000000:0016', state: LISTEN, inode: 78 },
    ])
    const host = withoutPermission(
      treeHost({ ...init, '/proc/net/tcp': tcp, ...shell(9, 77), ...shell(8, 78) }),
      '/proc/8',
    )
    expect((await measure(host)).content.listeners).toEqual([
      expect.objectContaining({ owner: 'hidden', programs: [program('/usr/sbin/sshd')] }),
    ])
  })

  test('the tables themselves', async () => {
    const host = withoutPermission(treeHost({ ...init, '/proc/net/tcp': ssh }), '/proc/net')
    expect(await readingOf(host)).toMatchObject({ status: 'no-permission', reason: 'file-not-readable' })
    expect(await readingOf(treeHost({}))).toEqual({ status: 'not-supported', reason: 'no-procfs' })
  })

  test('a kernel without IPv6', async () => {
    expect((await measure(treeHost({ ...init, '/proc/net/tcp': ssh }))).content.tables).toEqual(['tcp'])
  })

  test.each([
    ['a line cut short', ssh.slice(0, -100)],
    ['a line of something else', `${ssh}garbage\n`],
    ['a line without a colon for a megabyte', `${ssh}${'x'.repeat(1 << 20)}\n`],
    ['an address that is none', ssh.replace('00000000:0016', '0000000G:0016')],
    ['no inode', ssh.replace(' 77 ', ' xx ')],
  ])('%s is counted', async (_, table) => {
    expect((await measure(treeHost({ ...init, '/proc/net/tcp': table }))).content.malformed).toBe(1)
  })

  test('a process that vanishes while it is looked at is skipped', async () => {
    const host = treeHost({ ...init, '/proc/net/tcp': ssh, ...shell(9, 77) })
    const vanishing: Host = {
      ...host,
      readLink: (path) => (path.startsWith('/proc/9/') ? { status: 'absent' } : host.readLink(path)),
    }
    expect((await measure(vanishing)).content).toMatchObject({ owners: 'visible', listeners: [{ owner: 'none' }] })
  })
})

describe('sixty thousand sockets', () => {
  const port = (index: number): string => index.toString(16).toUpperCase().padStart(4, '0')

  test('that are connected cost less than a second', async () => {
    const lines = Array.from({ length: 60_000 }, (_, index) => ({
      local: `0A01A8C0:${port(index)}`,
      remote: '0B01A8C0:01BB',
      state: ESTABLISHED,
    }))
    const host = treeHost({
      ...init,
      '/proc/net/tcp': socketTable([...lines, { local: '00000000:0016', state: LISTEN }]),
    })
    const before = host.cpuMs()
    expect((await measure(host)).content).toMatchObject({ total: 1, truncated: false })
    expect(host.cpuMs() - before).toBeLessThan(20_000)
  })

  test('that have ports of the kernel are one entry', async () => {
    const lines = Array.from({ length: 60_000 }, (_, index) => ({
      local: `00000000:${port(32_768 + (index % 28_000))}`,
      state: CLOSE,
      inode: 77,
    }))
    const range = { '/proc/sys/net/ipv4/ip_local_port_range': '32768 60999' }
    const host = treeHost({ ...init, ...range, '/proc/net/udp': socketTable(lines), ...shell(9, 77) })
    const before = host.cpuMs()
    expect((await measure(host)).content).toMatchObject({ total: 1, truncated: false })
    expect(host.cpuMs() - before).toBeLessThan(20_000)
  })

  test('that listen are cut with a note, the widest reaching first', async () => {
    const lines = Array.from({ length: 60_000 }, (_, index) => ({
      local: `0100007F:${port(index + 1)}`,
      state: LISTEN,
      inode: index + 1,
    }))
    const host = treeHost({
      ...init,
      '/proc/net/tcp': socketTable([...lines, { local: '00000000:0016', state: LISTEN }]),
    })
    const before = host.cpuMs()
    const { content } = await measure(host)
    expect(host.cpuMs() - before).toBeLessThan(20_000)
    expect(content).toMatchObject({ truncated: true, total: 60_001 })
    expect(content.listeners[0]).toMatchObject({ scope: 'any', port: 22 })
    expect(content.listeners).toHaveLength(1024)
  })
})
