import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { COMMANDS } from '../../../../agent/sensors/commands.ts'
import { createHost, type Host } from '../../../../agent/sensors/host.ts'
import { socketsSensor } from '../../../../agent/sensors/sockets.ts'
import { readBindings } from '../../../../agent/sensors/sockets/bindings.ts'
import { findOwners } from '../../../../agent/sensors/sockets/owners.ts'
import { Processes } from '../../../../agent/sensors/sockets/processes.ts'
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

const hasSs = existsSync('/usr/bin/ss') || existsSync('/bin/ss')

describe.skipIf(!hasSs)('ss on this machine', () => {
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

const contentOf = async (from: Host): Promise<SocketsContent> =>
  ((await socketsSensor.measure(from)) as { content: SocketsContent }).content

const listenerAt = async (port: number, from = createHost()) => {
  const { owners, listeners } = await contentOf(from)
  return { owners, listener: listeners.find((one) => one.port === port) }
}

test('this process is found as the owner of its socket', async () => {
  const { tcp } = await listen()
  const executable = host.readLink('/proc/self/exe')
  expect((await listenerAt(tcp)).listener).toMatchObject({
    owner: 'known',
    programs: [expect.objectContaining({ executable: executable.status === 'found' ? executable.value : '' })],
  })
})

/** The real command, as the privileged helper runs it. */
const running: Host['run'] = async (command) => {
  const { paths, args } = COMMANDS[command]
  const path = paths.find((one) => existsSync(one)) ?? ''
  return { status: 'found', value: execFileSync(path, args, { encoding: 'latin1' }) }
}

/** Of each socket that ss shows: what it says of who holds it, and of how it is bound. */
const shownBySs = () =>
  execFileSync('ss', ['-Hltunpe'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, , , , local = ''] = line.split(/\s+/)
      const pids = [...line.matchAll(/pid=(\d+),fd/g)].map(([, pid]) => pid ?? '')
      const links = pids.map((pid) => host.readLink(`/proc/${pid}/exe`))
      return {
        inode: / ino:(\d+) /.exec(line)?.[1] ?? 'no inode',
        executables: [...new Set(links.map((link) => (link.status === 'found' ? link.value : '')))].sort(),
        interface: /%([^:\]]+)/.exec(local)?.[1] ?? '',
        ipv6Only: /v6only:(\d)/.exec(line)?.[1],
      }
    })

test.skipIf(process.getuid?.() !== 0 || !hasSs)(
  'as root every owner, interface and IPV6_V6ONLY is what ss tells',
  async () => {
    await listen()
    const bound = createSocket({ type: 'udp6', ipv6Only: true }).bind(0)
    onTestFinished(() => void bound.close())
    const differing = async (): Promise<unknown[]> => {
      const theirs = shownBySs()
      const processes = new Processes()
      processes.list(host)
      const { programs, visibility } = findOwners(host, processes, new Set(theirs.map(({ inode }) => inode)))
      const { byInode } = await readBindings(createHost({ run: running }), true)
      const ours = theirs.map(({ inode }) => ({
        inode,
        executables: [...(programs.get(inode)?.values() ?? [])].map(({ executable }) => executable).sort(),
        interface: byInode.get(inode)?.interface,
        ipv6Only: { true: '1', false: '0', undefined: undefined }[String(byInode.get(inode)?.ipv6Only)],
      }))
      if (theirs.length < 3 || visibility !== 'visible') return ['everything']
      return theirs.filter((one, index) => JSON.stringify(one) !== JSON.stringify(ours[index]))
    }
    // Others open and close sockets meanwhile: some attempt falls between two such events.
    await expect.poll(differing, { timeout: 8000, interval: 20 }).toEqual([])
  },
)

test.skipIf(process.getuid?.() !== 0)('without root the owners of others are said to be hidden', async () => {
  const script =
    "require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })"
  const other = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void other.kill())
  const [port] = (await once(other.stdout, 'data')) as [Buffer]
  const { owners, listener } = await asNobody(() => listenerAt(Number(port.toString())))
  expect(owners).toBe('no-permission')
  expect(listener).toMatchObject({ owner: 'hidden' })
  expect((await listenerAt(Number(port.toString()))).listener).toMatchObject({ owner: 'known' })
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
    const found = (await contentOf(host)).listeners.filter(
      ({ protocol }) => protocol === 'raw' || protocol === 'packet',
    )
    const subjects = found.map((one) => listenerSubject(one))
    expect(subjects).toEqual(expect.arrayContaining(['raw/0.0.0.0:89', 'raw/[::]:58', 'packet/link-link:35020']))
    expect(found.every(({ programs = [] }) => programs.some(({ executable }) => executable.includes('python')))).toBe(
      true,
    )
    const theirs = execFileSync('ss', ['-Hwaln'], { encoding: 'utf8' })
    for (const line of theirs.split('\n').filter((one) => one !== '')) {
      const local = line.split(/\s+/).find((column) => /:\d+$/.test(column)) ?? ''
      expect(subjects).toContain(`raw/${local.replace(/^\*:/, '[::]:')}`)
    }
  },
)

const LISTEN = "require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })"
const root = process.getuid?.() === 0
const makesNamespaces = root && spawnSync('unshare', ['--net', 'true']).status === 0

describe.skipIf(!makesNamespaces)('a listener of another network namespace (needs root and unshare)', () => {
  async function listenApart(command: string, ...args: string[]): Promise<string> {
    const other = spawn(command, [...args, process.execPath, '-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(async () => {
      other.kill()
      await once(other, 'exit')
    })
    const [port] = (await once(other.stdout, 'data')) as [Buffer]
    return `tcp/127.0.0.1:${port.toString().trim()}`
  }
  const found = async (place: string) => {
    const { listeners, namespaces } = await contentOf(createHost())
    return { namespaces, listener: listeners.find((one) => listenerSubject(one).startsWith(`${place} in `)) }
  }

  test('is found, with its owner, and called by what is in it', async () => {
    const { namespaces, listener } = await found(await listenApart('unshare', '--net', '--'))
    const executable = host.readLink('/proc/self/exe')
    expect(namespaces).toBe('visible')
    expect(listener?.namespace).toEqual(expect.any(String))
    expect(listener).toMatchObject({
      owner: 'known',
      programs: [{ executable: executable.status === 'found' ? executable.value : '' }],
    })
  })

  test('is found without root, though not its owner', async () => {
    const place = await listenApart('unshare', '--net', '--')
    const { namespaces, listener } = await asNobody(() => found(place))
    expect(namespaces).toBe('visible')
    expect(listener).toMatchObject({ owner: 'hidden' })
  })

  test.skipIf(spawnSync('ip', ['-V']).status !== 0)('is called by the name that ip-netns gave it', async () => {
    const name = `keepseal-test-${process.pid}`
    execFileSync('ip', ['netns', 'add', name])
    onTestFinished(() => void execFileSync('ip', ['netns', 'delete', name]))
    const { listener } = await found(await listenApart('ip', 'netns', 'exec', name))
    expect(listener?.namespace).toBe(name)
  })
})

describe.each([
  ['UDP-Lite', 'udplite', 'socket.SOCK_DGRAM, 136'],
  ['SCTP', 'sctp', 'socket.SOCK_STREAM, 132'],
])('%s', (name, protocol, kind) => {
  const opens = (more: string): string => `import socket, sys; s = socket.socket(socket.AF_INET, ${kind}); ${more}`
  const has = PYTHON !== undefined && spawnSync(PYTHON, ['-c', opens('')]).status === 0
  const reason = has ? '' : `, skipped: there is no Python, or the kernel has no ${name}`

  test.skipIf(!has)(`a socket of another process is found${reason}`, async () => {
    const script = opens(
      "s.bind(('127.0.0.1', 0)); getattr(s, 'listen', int)() if s.type == 1 else 0; print(s.getsockname()[1], flush=True); sys.stdin.read()",
    )
    const other = spawn(PYTHON ?? '', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void other.stdin.end())
    const [port] = (await once(other.stdout, 'data')) as [Buffer]
    const { listeners } = await contentOf(createHost())
    const places = listeners.filter((one) => one.protocol === protocol).map((one) => listenerSubject(one))
    const isEphemeral = protocol === 'udplite' && root
    expect(
      places.some((one) => (isEphemeral ? one.includes('python') : one.endsWith(`:${port.toString().trim()}`))),
    ).toBe(true)
  })
})

const VSOCK =
  'import socket, sys; s = socket.socket(socket.AF_VSOCK); s.bind((socket.VMADDR_CID_ANY, 47110)); s.listen(1)'
const hasVsock = PYTHON !== undefined && hasSs && spawnSync(PYTHON, ['-c', VSOCK]).status === 0

test.skipIf(!hasVsock)(
  'a listener of AF_VSOCK is found, or the section says that this kernel tells of none',
  async () => {
    const script = `${VSOCK}; print('open', flush=True); sys.stdin.read()`
    const other = spawn(PYTHON ?? '', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void other.stdin.end())
    await once(other.stdout, 'data')
    const { vsock, listeners } = await contentOf(createHost({ run: running }))
    const subjects = listeners.map((one) => listenerSubject(one))
    if (vsock === 'visible') expect(subjects).toContain('vsock/vsock-any:47110')
    else expect(vsock).toBe('unreadable')
  },
)
