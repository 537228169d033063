import { execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createHost } from '../../../../agent/sensors/host.ts'
import { socketsSensor } from '../../../../agent/sensors/sockets.ts'
import { findOwners } from '../../../../agent/sensors/sockets/owners.ts'
import { parseSocketTable } from '../../../../agent/sensors/sockets/proc-net.ts'
import { listenerSubject, SOCKET_TABLES, type SocketsContent } from '../../../../shared/posture/sections/sockets.ts'
import { asNobody } from '../../../support/host-tree.ts'

const host = createHost()

/** `tcp 0.0.0.0:22` of the tables of TCP and UDP. */
function ours(): string[] {
  return SOCKET_TABLES.flatMap((table) => {
    const file = host.readFile(`/proc/net/${table}`, 1 << 24)
    const { sockets } = parseSocketTable(table, file.status === 'found' ? file.value : Buffer.alloc(0), host.byteOrder)
    return sockets.map(({ protocol, address, port }) => {
      const text = address?.family === 'ipv6' ? `[${address.text}]` : address?.text
      return `${protocol} ${text ?? ''}:${port}`
    })
  }).sort()
}

/** The same from ss, which asks the kernel by netlink. It writes `*` for an IPv6 socket that takes IPv4 as well. */
function theirs(): string[] {
  return execFileSync('ss', ['-Htuln'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [protocol = '', , , , local = ''] = line.split(/\s+/)
      return `${protocol} ${local.replace(/^\*:/, '[::]:').replace(/%[^:\]]+/, '')}`
    })
    .sort()
}

const listen = async (): Promise<{ tcp: number; tcp6: number | undefined; udp: number; connected: number }> => {
  const tcp = createServer().listen(0, '127.0.0.1')
  const tcp6 = createServer().listen(0, '::1')
  const udp = createSocket('udp4').bind(0)
  const connected = createSocket('udp4')
  onTestFinished(() => {
    tcp.close()
    tcp6.close()
    udp.close()
    connected.close()
  })
  const ready = (emitter: NodeJS.EventEmitter, event: string): Promise<boolean> =>
    new Promise((resolve) => {
      emitter.once(event, () => resolve(true))
      emitter.once('error', () => resolve(false))
    })
  connected.connect(9, '127.0.0.1')
  const [, has6] = await Promise.all([
    ready(tcp, 'listening'),
    ready(tcp6, 'listening'),
    ready(udp, 'listening'),
    ready(connected, 'connect'),
  ])
  return {
    tcp: (tcp.address() as AddressInfo).port,
    tcp6: has6 ? (tcp6.address() as AddressInfo).port : undefined,
    udp: udp.address().port,
    connected: connected.address().port,
  }
}

describe.skipIf(!existsSync('/usr/bin/ss') && !existsSync('/bin/ss'))('ss on this machine', () => {
  test('lists the same sockets', async () => {
    const ports = await listen()
    // Others open and close sockets meanwhile: some attempt falls between two such events.
    await expect
      .poll(() => JSON.stringify(ours()) === JSON.stringify(theirs()), { timeout: 4000, interval: 20 })
      .toBe(true)
    expect(ours()).toContain(`tcp 127.0.0.1:${ports.tcp}`)
    expect(ours()).toContain(`udp 0.0.0.0:${ports.udp}`)
    if (ports.tcp6 !== undefined) expect(ours()).toContain(`tcp [::1]:${ports.tcp6}`)
    expect(ours().join()).not.toContain(`:${ports.connected}`)
  })
})

const listenerAt = (port: number) => {
  const reading = socketsSensor.measure(host) as { content: SocketsContent }
  return { owners: reading.content.owners, listener: reading.content.listeners.find((one) => one.port === port) }
}

test('this process is found as the owner of its socket', async () => {
  const { tcp } = await listen()
  const executable = host.readLink('/proc/self/exe')
  expect(listenerAt(tcp).listener).toMatchObject({
    owner: 'known',
    executables: [executable.status === 'found' ? executable.value : ''],
  })
})

test.skipIf(process.getuid?.() !== 0)('as root every owner that ss names is found', async () => {
  await listen()
  const missed = (): string[] => {
    const named = execFileSync('ss', ['-Htulnpe'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes('users:('))
      .flatMap((line) => /ino:(\d+)/.exec(line)?.[1] ?? 'no inode')
    const { executables, visibility } = findOwners(host, new Set(named))
    return named.length === 0 || visibility !== 'visible'
      ? ['everything']
      : named.filter((one) => !executables.has(one))
  }
  await expect.poll(missed, { timeout: 4000, interval: 20 }).toEqual([])
})

test.skipIf(process.getuid?.() !== 0)('without root the owners of others are said to be hidden', async () => {
  const script =
    "require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })"
  const other = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void other.kill())
  const [port] = (await once(other.stdout, 'data')) as [Buffer]
  const { owners, listener } = asNobody(() => listenerAt(Number(port.toString())))
  expect(owners).toBe('no-permission')
  expect(listener).toMatchObject({ owner: 'hidden' })
  expect(listenerAt(Number(port.toString())).listener).toMatchObject({ owner: 'known' })
})

const PYTHON = ['/usr/bin/python3', '/usr/local/bin/python3', '/root/.pyenv/shims/python3'].find((path) =>
  existsSync(path),
)

test.skipIf(process.getuid?.() !== 0 || PYTHON === undefined || !existsSync('/usr/bin/ss'))(
  'as root the raw and packet sockets that ss lists are found, with their owner',
  async () => {
    const script = [
      'import socket, sys',
      's = [socket.socket(socket.AF_INET, socket.SOCK_RAW, 89), socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)]',
      's.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88cc)))',
      'print("open", flush=True)',
      'sys.stdin.read()',
    ].join('\n')
    const other = spawn(PYTHON ?? '', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void other.stdin.end())
    await once(other.stdout, 'data')
    const { content } = socketsSensor.measure(host) as { content: SocketsContent }
    const found = content.listeners.filter(({ protocol }) => protocol === 'raw' || protocol === 'packet')
    const subjects = found.map((one) => listenerSubject(one))
    expect(subjects).toEqual(expect.arrayContaining(['raw/0.0.0.0:89', 'raw/[::]:58', 'packet/link-link:35020']))
    expect(found.every(({ executables = [] }) => executables.some((path) => path.includes('python')))).toBe(true)
    const theirs = execFileSync('ss', ['-Hwaln'], { encoding: 'utf8' })
    for (const line of theirs.split('\n').filter((one) => one !== '')) {
      const local = line.split(/\s+/).find((column) => /:\d+$/.test(column)) ?? ''
      expect(subjects).toContain(`raw/${local.replace(/^\*:/, '[::]:')}`)
    }
  },
)
