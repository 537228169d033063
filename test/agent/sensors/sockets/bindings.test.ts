import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../../../agent/sensors/host.ts'
import { parseBindings } from '../../../../agent/sensors/sockets/bindings.ts'
import { parseVsock, readVsock } from '../../../../agent/sensors/sockets/vsock.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'

describe('what ss tells of a socket', () => {
  test.each([
    ['udp UNCONN 0 0 0.0.0.0%eth0:68 0.0.0.0:* ino:7 sk:1 cgroup:/a <->', { interface: 'eth0' }],
    ['tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* ino:7 sk:3 <->   ', { interface: '' }],
    ['tcp LISTEN 0 128 [::]:22 [::]:* uid:104 ino:7 sk:a cgroup:/ v6only:1 <->', { interface: '', ipv6Only: true }],
    ['tcp LISTEN 0 128 *%br-lan.5:80 *:* ino:7 sk:a v6only:0 <->', { interface: 'br-lan.5', ipv6Only: false }],
    ['udp UNCONN 0 0 [fe80::1]%eth0:546 [::]:* ino:7 sk:2 v6only:1 -->', { interface: 'eth0', ipv6Only: true }],
  ])('%s', (line, binding) => {
    expect(parseBindings(`${line}\n`)).toEqual(new Map([['7', binding]]))
  })

  test.each([
    ['from /proc, which does not know', 'raw UNCONN 0 0 0.0.0.0:89 0.0.0.0:* ino:7 sk:1'],
    ['without an inode', 'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* <->'],
    ['of a continued line', '\tskmem:(r0) ino:7 sk:1 <->'],
    ['of an error', 'Cannot open netlink socket: Operation not permitted'],
  ])('a line %s is not taken', (_, line) => {
    expect(parseBindings(line).size).toBe(0)
  })

  test('the name of a control group cannot pass for another socket or setting', () => {
    const line = 'tcp LISTEN 0 1 [::]:22 [::]:* ino:7 sk:1 cgroup:/x ino:8 sk:2 v6only:1 <->/y v6only:0 <->'
    expect(parseBindings(line)).toEqual(new Map([['7', { interface: '', ipv6Only: false }]]))
  })

  test('no text makes it throw or take long', () => {
    const word = fc.constantFrom(' ', 'ino:', 'sk:', '1', 'v6only:1', '<->', '%', ':', '\n', 'tcp LISTEN 0 0 ')
    fc.assert(fc.property(fc.string({ unit: word, maxLength: 40 }), (text) => void parseBindings(text)))
    const before = process.cpuUsage().user
    parseBindings(`tcp LISTEN 0 0 a b ${'ino:1 '.repeat(100_000)}`)
    parseBindings(`tcp LISTEN 0 0 a b ino:1 sk:1 ${' '.repeat(100_000)}x`)
    expect(process.cpuUsage().user - before).toBeLessThan(5_000_000)
  })
})

describe('AF_VSOCK', () => {
  const withVsock: Tree = { '/dev/vsock': '', '/proc/net/protocols': 'protocol size\nAF_VSOCK  1240  0\n' }
  const diag: Tree = { '/sys/module/vsock_diag/refcnt': '0' }
  const answering = (output: string, tree: Tree = {}): Host =>
    treeHost({ ...withVsock, ...tree }, { run: async () => ({ status: 'found', value: output }) })

  test('listeners, by how far they reach', () => {
    const text = [
      'v_str LISTEN 0 0 *:1024 *:* ino:4 sk:1',
      'v_str LISTEN 0 0 1:4294967295 *:* ino:5 sk:2',
      'v_dgr UNCONN 0 0 3:22 *:* uid:7 ino:6 sk:3 <->',
      'v_dgr UNCONN 0 0 *:* *:* ino:7 sk:3',
      '',
    ].join('\n')
    const at = (scope: string, port: number, inode: string) => ({
      protocol: 'vsock',
      address: undefined,
      scope,
      port,
      inode,
    })
    expect(parseVsock(text)).toEqual({
      sockets: [at('any', 1024, '4'), at('loopback', 4_294_967_295, '5'), at('address', 22, '6')],
      malformed: 0,
    })
  })

  test.each(['garbage', 'v_str LISTEN 0 0 *:4294967296 *:* ino:4 sk:1', 'v_str LISTEN 0 0 *:1 *:*'])(
    '%j is counted',
    (line) => {
      expect(parseVsock(line)).toEqual({ sockets: [], malformed: 1 })
    },
  )

  test('a kernel without it has no such sockets, and nothing is run', async () => {
    const host = treeHost(
      { '/proc/net/protocols': 'protocol size\nTCP  1 0\n' },
      { run: () => Promise.reject(new Error('run')) },
    )
    expect(await readVsock(host)).toMatchObject({ sight: 'visible', sockets: [] })
  })

  test('an empty answer is none where the kernel answers at all', async () => {
    expect(await readVsock(answering('', diag))).toMatchObject({ sight: 'visible' })
    const builtIn = {
      '/proc/sys/kernel/osrelease': '6.1.0\n',
      '/lib/modules/6.1.0/modules.builtin': 'kernel/net/vmw_vsock/vsock_diag.ko\n',
    }
    expect(await readVsock(answering('', builtIn))).toMatchObject({ sight: 'visible' })
  })

  test('an empty answer of a kernel that has nobody to answer is not taken for no sockets', async () => {
    expect(await readVsock(answering(''))).toMatchObject({ sight: 'unreadable' })
  })

  test('who may not ask says so', async () => {
    expect(await readVsock(treeHost(withVsock))).toMatchObject({ sight: 'no-permission' })
    const hidden = withoutPermission(treeHost({ '/proc/net/protocols': '' }), '/proc/net/protocols')
    expect(await readVsock(hidden)).toMatchObject({ sight: 'no-permission' })
  })
})
