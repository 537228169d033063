import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { accessSensor } from '../../../agent/sensors/access.ts'
import { firewallSensor } from '../../../agent/sensors/firewall.ts'
import { createHost, type Host } from '../../../agent/sensors/host.ts'
import { packagesSensor } from '../../../agent/sensors/packages.ts'
import { sendable } from '../../../agent/sensors/sendable.ts'
import type { Sensor } from '../../../agent/sensors/sensor.ts'
import { socketsSensor } from '../../../agent/sensors/sockets.ts'
import { writeTree } from '../../support/host-tree.ts'
import { socketTable, type SocketLine } from '../../support/proc-net.ts'

/** What the agent sees for itself, so that the privileged helper is asked at once when it changes. */

const LISTENING = '0A'
const listener = (inode: number): SocketLine => ({ local: '00000000:0016', state: LISTENING, inode })
const connection: SocketLine = { local: '0100007F:0016', remote: '0100007F:9C40', state: '01', inode: 77 }

const SYSTEM = {
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
  '/etc/shadow': 'root:*:1::::::\n',
  '/etc/sudoers.d': { directory: true },
  '/etc/pam.d/sshd': 'auth required pam_unix.so\n',
  '/etc/ssh/sshd_config': 'PermitRootLogin no\n',
  '/etc/nftables.conf': 'flush ruleset\n',
  '/var/lib/dpkg/status': 'Package: a\nStatus: install ok installed\nVersion: 1\n\n',
  '/proc/net/tcp': socketTable([listener(1)]),
} as const

const SENSORS: Readonly<Record<string, Pick<Sensor, 'glance'>>> = {
  access: accessSensor,
  firewall: firewallSensor,
  packages: packagesSensor,
  sockets: socketsSensor,
}

const denied = () => ({ status: 'no-permission' }) as const

function seen() {
  const root = writeTree(SYSTEM)
  const host = createHost({ root, byteOrder: 'LE' })
  const glance = (name: string): string => SENSORS[name]?.glance?.(host) ?? expect.fail()
  return { at: (path: string) => join(root, path), glance }
}

test.each(Object.keys(SENSORS))('of %s nothing is seen to change where nothing does', (name) => {
  const { glance } = seen()
  expect(glance(name)).toBe(glance(name))
})

test.each<[string, string, (at: (path: string) => string) => void]>([
  ['an account', 'access', (at) => appendFileSync(at('/etc/passwd'), 'x:x:0:0::/:/bin/sh\n')],
  ['a password', 'access', (at) => writeFileSync(at('/etc/shadow'), 'root::1::::::\n')],
  ['a rule of sudo in a directory of root', 'access', (at) => writeFileSync(at('/etc/sudoers.d/x'), '')],
  ['a file of PAM that is changed in place', 'access', (at) => appendFileSync(at('/etc/pam.d/sshd'), '#')],
  [
    'a directory of sshd that is new',
    'access',
    (at) => {
      mkdirSync(at('/etc/ssh/sshd_config.d'))
      writeFileSync(at('/etc/ssh/sshd_config.d/x.conf'), 'PermitRootLogin yes\n')
    },
  ],
  [
    'rules of the firewall in their file',
    'firewall',
    (at) => appendFileSync(at('/etc/nftables.conf'), 'table a b {}\n'),
  ],
  [
    'a package',
    'packages',
    (at) => {
      writeFileSync(at('/var/lib/dpkg/status-new'), 'Package: a\nStatus: install ok installed\nVersion: 2\n\n')
      renameSync(at('/var/lib/dpkg/status-new'), at('/var/lib/dpkg/status'))
    },
  ],
  [
    'a listener beside the one before',
    'sockets',
    (at) =>
      writeFileSync(
        at('/proc/net/tcp'),
        socketTable([listener(1), { local: '00000000:1F90', state: LISTENING, inode: 2 }]),
      ),
  ],
  [
    'another socket at the same place',
    'sockets',
    (at) => writeFileSync(at('/proc/net/tcp'), socketTable([listener(2)])),
  ],
])('%s is seen', (_, name, change) => {
  const { at, glance } = seen()
  const before = glance(name)
  change(at)
  expect(glance(name)).not.toBe(before)
})

test('rules of the firewall are seen to change in a file and in a directory that the agent may not read', () => {
  const root = writeTree({ ...SYSTEM, '/etc/ufw/user.rules': '-A a\n', '/etc/nftables.d/a.nft': 'table a b {}\n' })
  const path = (file: string) => join(root, file)
  const host: Host = { ...createHost({ root }), readFile: denied, readText: denied, open: denied }
  const glance = (): string => firewallSensor.glance?.(host) ?? expect.fail()
  const seen = [glance()]
  appendFileSync(path('/etc/ufw/user.rules'), '-A b\n')
  seen.push(glance())
  appendFileSync(path('/etc/nftables.d/a.nft'), 'table c d {}\n')
  seen.push(glance())
  writeFileSync(path('/etc/nftables.d/b.nft'), 'table e f {}\n')
  seen.push(glance())
  expect(new Set(seen).size).toBe(4)
})

test('a listener in another network namespace is seen', () => {
  const [there, other] = ['/proc/5/net', socketTable([listener(5)])]
  const root = writeTree({ ...SYSTEM, '/proc/net/dev': '', [`${there}/dev`]: '', [`${there}/tcp`]: other })
  const host = createHost({ root, byteOrder: 'LE' })
  const glance = (): string => socketsSensor.glance?.(host) ?? expect.fail()
  const before = glance()
  expect(glance()).toBe(before)
  writeFileSync(join(root, there, 'tcp'), socketTable([listener(6)]))
  expect(glance()).not.toBe(before)
})

test('a connection to a listener is no change', () => {
  const { at, glance } = seen()
  const before = glance('sockets')
  writeFileSync(at('/proc/net/tcp'), socketTable([listener(1), connection]))
  expect(glance('sockets')).toBe(before)
})

test('a content that is kept is not encoded again, and another one is', () => {
  const missing = { missing: 'absent' } as const
  const contentOf = () => ({ os: missing, kernel: { release: missing, machine: missing, build: missing } })
  const kept = contentOf()
  const encodedOf = (content: typeof kept) => sendable('system', { status: 'measured', content }).encoded
  const first = encodedOf(kept)
  expect(encodedOf(kept)).toBe(first)
  const again = encodedOf(contentOf())
  expect(again).not.toBe(first)
  expect(again.digest).toEqual(first.digest)
})

test('a content that has no wire form has failed each time that it is read', () => {
  const missing = { missing: 'absent' } as const
  const content = { os: missing, kernel: { release: 1.5, machine: missing, build: missing } } as never
  const statusOf = () => sendable('system', { status: 'measured', content }).reading.status
  expect([statusOf(), statusOf()]).toEqual(['failed', 'failed'])
})
