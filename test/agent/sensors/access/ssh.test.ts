import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readDropbear } from '../../../../agent/sensors/access/dropbear.ts'
import { parseEffective, readSshd } from '../../../../agent/sensors/access/sshd.ts'
import { readSshdConfiguration } from '../../../../agent/sensors/access/sshd-config.ts'
import type { SshDaemon } from '../../../../shared/posture/sections/access/ssh.ts'
import { printing } from '../../../support/access-tree.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'

const CONFIG = '/etc/ssh/sshd_config'
const settingsIn = ({ settings }: Pick<SshDaemon, 'settings'>): Record<string, string> =>
  'missing' in settings ? {} : Object.fromEntries(settings.value.map(({ name, value }) => [name, value]))

async function sshd(tree: Tree, effective?: string): Promise<SshDaemon> {
  const run = printing(effective === undefined ? {} : { 'sshd-effective': effective })
  const reading = await readSshd(treeHost({ '/usr/sbin/sshd': '', ...tree }, { run }))
  if (reading === undefined) throw new Error('no sshd')
  return reading.daemon
}

const configured = async (text: string, more: Tree = {}) => settingsIn(await sshd({ [CONFIG]: text, ...more }))
const configuration = (text: string, more: Tree = {}) =>
  readSshdConfiguration(treeHost({ [CONFIG]: text, ...more }), CONFIG)

describe('sshd_config', () => {
  test.each([
    ['PermitRootLogin yes\nPermitRootLogin no', 'PermitRootLogin', 'yes'],
    ['permitrootlogin=without-password', 'PermitRootLogin', 'prohibit-password'],
    ['PermitRootLogin = "no" # comment', 'PermitRootLogin', 'no'],
    ['\tPermitRootLogin\tNo  ', 'PermitRootLogin', 'no'],
    ['#PermitRootLogin no', 'PermitRootLogin', 'prohibit-password'],
    ['ChallengeResponseAuthentication no', 'KbdInteractiveAuthentication', 'no'],
    ['AllowUsers b a\nAllowUsers c', 'AllowUsers', 'a b c'],
    ["AuthorizedKeysFile '/a b' %h/x", 'AuthorizedKeysFile', '/a b %h/x'],
    ['Subsystem sftp internal-sftp -f AUTH', 'Subsystem', 'sftp internal-sftp -f AUTH'],
    ['LogLevel verbose', 'LogLevel', 'VERBOSE'],
    ['Include sshd_config.d/*.conf\nPermitRootLogin yes', 'PermitRootLogin', 'no'],
    ['Include /etc/ssh/*.d/?.conf', 'PermitRootLogin', 'no'],
    ['Include /etc/ssh/missing/*.conf', 'PermitRootLogin', 'prohibit-password'],
    ['Match User x\nPermitRootLogin yes', 'PermitRootLogin', 'prohibit-password'],
  ])('%j: %s is %s', async (text, name, value) => {
    const settings = await configured(text, { '/etc/ssh/sshd_config.d/a.conf': 'PermitRootLogin no\n' })
    expect(settings[name]).toBe(value)
  })

  test.each([
    ['', 'ipv4-any:22 ipv6-any:22'],
    ['Port 22\nPort 2222\nAddressFamily inet', 'ipv4-any:22 ipv4-any:2222'],
    ['ListenAddress 192.0.2.7\nPort 24', 'ipv4-address:24'],
    ['ListenAddress 127.0.0.1:99\nListenAddress [2001:db8::7]:5', 'ipv4-loopback:99 ipv6-address:5'],
    ['ListenAddress ::\nListenAddress fe80::1%eth0', 'ipv6-any:22 ipv6-link:22'],
    ['ListenAddress gateway.example', 'name:22'],
  ])('%j listens on %s', async (text, expected) => {
    expect((await configured(text))['ListenAddress']).toBe(expected)
  })

  test('Match blocks are told in their order, one that is included within another with both conditions', () => {
    const text = 'Match User a\nX11Forwarding no\nInclude in.conf\nPermitTTY no\nMatch all\nBanner none\n'
    const read = configuration(text, { '/etc/ssh/in.conf': 'GatewayPorts yes\nMatch Host b\nPermitTunnel yes\n' })
    expect(read).toMatchObject({
      value: {
        general: [{ keyword: 'banner' }],
        matches: [
          {
            condition: 'User a',
            lines: [{ keyword: 'x11forwarding' }, { keyword: 'gatewayports' }, { keyword: 'permittty' }],
          },
          { condition: 'User a; Host b', lines: [{ keyword: 'permittunnel' }] },
          { condition: 'all', lines: [{ keyword: 'banner' }] },
        ],
      },
    })
  })

  test.each([
    ['a file that includes itself', 'Include sshd_config\n', 'malformed'],
    ['a file that includes itself twice', 'Include sshd_config sshd_config\n', 'malformed'],
    ['a mark that is not closed', 'Banner "x\n', 'malformed'],
    ['a keyword without a value', 'PermitRootLogin\n', 'malformed'],
    ['a class of characters in a path', 'Include [ab].conf\n', 'malformed'],
    ['a directory', 'Include /etc/ssh\n', 'unreadable'],
    ['too many lines', 'Port 1\n'.repeat(60_000), 'too-large'],
    ['a file that is too large', ' '.repeat(2 * 1024 * 1024), 'too-large'],
  ])('%s is refused as a whole', (_, text, missing) => {
    expect(configuration(text)).toEqual({ missing })
  })

  test('files that include each other in ever new ways end at a bound', () => {
    const many = Object.fromEntries(
      Array.from({ length: 15 }, (_, index) => [`/etc/ssh/${index}.c`, `Include ${index + 1}.c ${index + 1}.c\n`]),
    )
    expect(configuration('Include 0.c\n', { ...many, '/etc/ssh/15.c': 'Port 1\n' })).toEqual({ missing: 'too-large' })
  })

  test('a part that may not be read makes the whole unknown', () => {
    const host = treeHost({ [CONFIG]: 'Include b.conf\n', '/etc/ssh/b.conf': '' })
    const read = readSshdConfiguration(withoutPermission(host, '/etc/ssh/b.conf'), CONFIG)
    expect(read).toEqual({ missing: 'no-permission' })
  })

  test('any text is read or refused, and what is read has a value for each keyword', () => {
    const part = fc.constantFrom('Match all', 'Port', ' ', '=', '"', "'", '\\', '#', 'yes', '\n', 'Include x', '\u0000')
    const empty = treeHost({})
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const readText: typeof empty.readText = (path) =>
          path === CONFIG ? { status: 'found', value: parts.join('') } : { status: 'absent' }
        const read = readSshdConfiguration({ ...empty, readText }, CONFIG)
        if ('missing' in read) return
        for (const { words } of [...read.value.general, ...read.value.matches.flatMap(({ lines }) => lines)]) {
          expect(words.length).toBeGreaterThan(0)
        }
      }),
    )
  })
})

const EFFECTIVE = 'permitrootlogin no\npasswordauthentication no\npubkeyauthentication yes\nauthorizedkeysfile none\n'

test('what the server itself says comes before its files, whose Match blocks it does not tell', async () => {
  const daemon = await sshd({ [CONFIG]: 'PermitRootLogin yes\nMatch User a\nPermitTTY no\n' }, EFFECTIVE)
  expect(daemon.basis).toBe('effective')
  expect(settingsIn(daemon)['PermitRootLogin']).toBe('no')
  expect(daemon.matches).toMatchObject({ value: [{ position: 0, condition: 'User a' }] })
})

test.each([
  ['blocks', 'Match User a\nBanner x\n'.repeat(65)],
  ['settings of one block', `Match all\n${Array.from({ length: 130 }, (_, index) => `k${index} x\n`).join('')}`],
  [
    'settings of all blocks',
    `Match User a\n${Array.from({ length: 99 }, (_, index) => `k${index} x\n`).join('')}`.repeat(4),
  ],
])('more %s than a section holds are not known', async (_, text) => {
  expect((await sshd({ [CONFIG]: text })).matches).toEqual({ missing: 'too-large' })
})

test('a long value is told by what tells it apart, within the bound of a section', async () => {
  const users = (last: string) => `AllowUsers ${'a'.repeat(3000)}${last}\n`
  const [one, other] = [await configured(users('b')), await configured(users('c'))]
  expect(one['AllowUsers']).not.toBe(other['AllowUsers'])
  expect(one['AllowUsers']?.length).toBeLessThan(100)
})

test('what is no answer of the server is not taken for one', async () => {
  expect(parseEffective('Missing privilege separation directory: /run/sshd\n')).toEqual({ missing: 'malformed' })
  expect((await sshd({ [CONFIG]: '' }, 'permitrootlogin no\n')).basis).toBe('configuration')
})

test('a server without a configuration is there, and its settings are not known', async () => {
  expect(await sshd({})).toMatchObject({ settings: { missing: 'absent' }, matches: { missing: 'absent' } })
  expect(await readSshd(treeHost({ [CONFIG]: '' }))).toBeUndefined()
})

describe('dropbear', () => {
  const dropbear = (tree: Tree) => readDropbear(treeHost({ '/usr/sbin/dropbear': '', ...tree }))
  const first = (tree: Tree) => settingsIn(dropbear(tree)[0] as SshDaemon)

  test.each([
    ['', { PasswordAuthentication: 'yes', PermitRootLogin: 'yes', PermitEmptyPasswords: 'no', Port: '22' }],
    ['DROPBEAR_EXTRA_ARGS="-s -g"', { PasswordAuthentication: 'no', RootPasswordAuthentication: 'no' }],
    ["DROPBEAR_EXTRA_ARGS='-wBp 2222'", { PermitRootLogin: 'no', PermitEmptyPasswords: 'yes', Port: '2222' }],
    ['DROPBEAR_EXTRA_ARGS="-p 192.0.2.1:22 -c /bin/s"', { Port: 'address:22', ForceCommand: '/bin/s' }],
    ['DROPBEAR_EXTRA_ARGS="-c -s"', { PasswordAuthentication: 'yes', ForceCommand: '-s' }],
    ['DROPBEAR_PORT=99\nDROPBEAR_EXTRA_ARGS=-a', { Port: '99', GatewayPorts: 'yes' }],
  ])('with %j', (text, expected) => {
    expect(first({ '/etc/default/dropbear': text })).toMatchObject(expected)
  })

  test('of OpenWrt, each section of its own', () => {
    const uci =
      "config dropbear\n\toption PasswordAuth 'off'\n\toption RootPasswordAuth 'on'\n\toption Port '22'\n\nconfig dropbear lan\n\toption enable 0\n"
    const all = dropbear({ '/etc/config/dropbear': uci })
    expect(all.map(({ instance }) => instance)).toEqual(['0', 'lan'])
    expect(all.map(settingsIn)).toMatchObject([
      { PasswordAuthentication: 'no', RootPasswordAuthentication: 'yes', Port: '22' },
      { PasswordAuthentication: 'yes', Port: '22 disabled' },
    ])
  })

  test('whose file may not be read says so', () => {
    const host = treeHost({ '/usr/sbin/dropbear': '', '/etc/config/dropbear': '' })
    expect(readDropbear(withoutPermission(host, '/etc/config'))).toMatchObject([
      { settings: { missing: 'no-permission' } },
    ])
    expect(readDropbear(treeHost({}))).toEqual([])
  })
})
