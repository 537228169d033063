import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { accessSensor } from '../../../../agent/sensors/access.ts'
import { canonicalKey } from '../../../../agent/sensors/access/authorized-keys.ts'
import { parsePasswd, parseShadow, passwordKind } from '../../../../agent/sensors/access/passwd.ts'
import type { Host } from '../../../../agent/sensors/host.ts'
import { decodeSection, encodeSection } from '../../../../shared/posture/canonical.ts'
import { MAX_ACCOUNTS, type Accounts } from '../../../../shared/posture/sections/access/accounts.ts'
import { GATEWAY } from '../../../support/access-tree.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'
import { sha256 } from '../../../support/posture.ts'

async function contentOf(host: Host) {
  const reading = await accessSensor.measure(host)
  if (reading.status !== 'measured') throw new Error(reading.status)
  expect(decodeSection('access', encodeSection('access', reading, sha256).bytes).status).toBe('measured')
  return reading.content
}

async function accountsOf(tree: Tree): Promise<Accounts> {
  const { accounts } = await contentOf(treeHost(tree))
  if ('missing' in accounts) throw new Error(accounts.missing)
  return accounts.value
}

test('a number of 0 in whatever form a C library takes it makes a superuser', () => {
  const uids = ['0', '00', '+0', '-0', ' 0', '', '4294967296', '1', '10', '4294967297', `1${'0'.repeat(100_000)}`]
  const { entries } = parsePasswd(uids.map((uid, index) => `u${index}:x:${uid}:5:::`).join('\n'))
  const made = entries.filter(({ superuser }) => superuser).map(({ name }) => name)
  expect(made).toEqual(['u0', 'u1', 'u2', 'u3', 'u4', 'u5', 'u6', 'u10'])
})

test('a line that lacks what it may lack is an account, one that says nothing is none', () => {
  expect(parsePasswd('a:x:0:0').entries).toMatchObject([{ name: 'a', superuser: true, shell: '/bin/sh' }])
  expect(parsePasswd('a:x:0\na\na:x:zero:0::/:\n\n')).toEqual({ entries: [], malformed: 3 })
  expect(parsePasswd('+\n+eve::::::\n').entries).toMatchObject([{ superuser: false }, { superuser: false }])
})

test('the kind of a hash is told, and never the hash', () => {
  expect(['', 'x', 'NP'].map(passwordKind)).toEqual(['empty', 'unusable', 'unusable'])
  expect(['!', '*', '!!', '!$6$a$b'].map(passwordKind)).toEqual(['locked', 'locked', 'locked', 'locked'])
  const hashes = ['$y$j9T$a$b', '$6$a$b', '$5$a', '$2b$a', '$1$a$b', '$9$']
  expect(hashes.map(passwordKind)).toEqual(['yescrypt', 'sha512crypt', 'sha256crypt', 'bcrypt', 'md5crypt', 'unknown'])
  expect(passwordKind('ab0123456789.')).toBe('descrypt')
  expect(passwordKind('_J9..rasmBYk8r9AiWNc')).toBe('bsdicrypt')
})

test('the hash is nowhere in the section', async () => {
  const content = await contentOf(treeHost(GATEWAY))
  expect(JSON.stringify(content)).not.toContain('salt')
  expect(JSON.stringify(content)).not.toContain('AAAA')
})

test('who has only a service is not told, until he has a password or keys', async () => {
  expect((await accountsOf(GATEWAY)).list.map(({ name }) => name)).toEqual(['root', 'admin'])
  const shadow = (GATEWAY['/etc/shadow'] as string).replace('daemon:*', 'daemon:$6$a$b')
  const { list } = await accountsOf({ ...GATEWAY, '/etc/shadow': shadow })
  expect(list.find(({ name }) => name === 'daemon')?.password).toEqual({ value: 'sha512crypt' })
})

test('without root, what is hidden is said to be', async () => {
  const host = withoutPermission(treeHost(GATEWAY), '/etc/shadow', '/etc/sudoers', '/root', '/home/admin/.ssh')
  const { accounts, privileges } = await contentOf(host)
  const no = { missing: 'no-permission' }
  expect(accounts).toMatchObject({
    value: {
      shadow: 'no-permission',
      list: [
        { name: 'root', password: no, keys: no },
        { name: 'admin', password: no, keys: no },
      ],
    },
  })
  expect(privileges).toEqual([{ program: 'sudo', rules: no }])
})

test('keys of the place that OpenWrt has for root, and of where sshd_config says', async () => {
  const config = `${GATEWAY['/etc/ssh/sshd_config'] as string}AuthorizedKeysFile /keys/%u .ssh/%%k\n`
  const { list } = await accountsOf({
    ...GATEWAY,
    '/etc/ssh/sshd_config': config,
    '/etc/dropbear/authorized_keys': 'ssh-rsa A\nssh-rsa A again\n',
    '/keys/admin': 'ssh-rsa B\n',
    '/home/admin/.ssh/%k': 'ssh-rsa C\n',
  })
  expect(list.map(({ name, keys }) => [name, 'value' in keys ? keys.value.count : keys])).toEqual([
    ['root', 1],
    ['admin', 3],
  ])
})

test('the comment of a key is no part of it, its options are', () => {
  const key = (line: string) => canonicalKey(line)
  expect(key('ssh-rsa AAAA me@x y')).toBe('ssh-rsa AAAA')
  expect(key('command="a \\" ssh-rsa b",no-pty ssh-rsa AAAA c')).toBe('command="a \\" ssh-rsa b",no-pty ssh-rsa AAAA')
  expect(key('rubbish in a line')).toBe('rubbish in a line')
})

describe('hostile files', () => {
  test('100,000 accounts: superusers come first, and what is cut off is counted', async () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => `u${index}:x:${index + 1}:1::/home/u${index}:/bin/sh`)
    const started = process.cpuUsage()
    const { list, more } = await accountsOf({ '/etc/passwd': `${lines.join('\n')}\ntoor:x:0:0::/:/bin/sh\n` })
    expect(list.length).toBe(MAX_ACCOUNTS)
    expect(list[0]).toMatchObject({ name: 'toor', superuser: true })
    expect(more).toBe(100_001 - MAX_ACCOUNTS)
    expect(process.cpuUsage(started).user).toBeLessThan(5_000_000)
  })

  test('names that are no names are made printable', async () => {
    const name = Buffer.concat([Buffer.from('a\u001b[2J\r\u202e'), Buffer.from([0xff])])
    const file = Buffer.concat([name, Buffer.from(':x:0:0::/:/bin/\u0007sh\n')])
    const { list } = await accountsOf({
      '/etc/passwd': file,
      '/etc/group': Buffer.concat([Buffer.from('sudo:x:1:'), name]),
    })
    expect(list[0]).toMatchObject({ shell: '/bin/\\x07sh', superuser: true })
    expect(list[0]?.name).toMatch(/^a\\x1b\[2J\\x0d.*\\xff$/)
  })

  test('files that are too large say so', async () => {
    const { accounts, groups } = await contentOf(treeHost({ '/etc/passwd': new Uint8Array(9 * 1024 * 1024) }))
    expect([accounts, groups]).toEqual([{ missing: 'too-large' }, { missing: 'too-large' }])
  })

  test('sudoers that includes itself is not followed for ever, and not known', async () => {
    const tree: Tree = { '/etc/sudoers': '@include /etc/sudoers\n@include /etc/sudoers\n' }
    expect((await contentOf(treeHost(tree))).privileges).toEqual([{ program: 'sudo', rules: { missing: 'too-large' } }])
  })

  test('sudoers: a part that may not be read makes the whole unknown', async () => {
    const tree = { ...GATEWAY, '/etc/sudoers.d/x': 'eve ALL=NOPASSWD: ALL\n' }
    const { privileges } = await contentOf(withoutPermission(treeHost(tree), '/etc/sudoers.d/x'))
    expect(privileges).toEqual([{ program: 'sudo', rules: { missing: 'no-permission' } }])
  })
})

const withoutPassword = async (sudoers: string) => {
  const { privileges } = await contentOf(treeHost({ '/etc/sudoers': sudoers }))
  const [sudo] = privileges
  return sudo === undefined || 'missing' in sudo.rules ? undefined : sudo.rules.value.withoutPassword
}

test.each([
  ['eve ALL=(ALL) \\\n  NOPASSWD: ALL', ['eve ALL=(ALL) NOPASSWD: ALL']],
  ['#1001 ALL=(ALL) NOPASSWD: ALL', ['#1001 ALL=(ALL) NOPASSWD: ALL']],
  ['# eve ALL=(ALL) NOPASSWD: ALL', []],
  ['eve ALL=(ALL) ALL # not NOPASSWD', []],
  ['Defaults x="a # b", !authenticate', ['Defaults x="a # b", !authenticate']],
  ['Defaults:eve ! authenticate', ['Defaults:eve ! authenticate']],
])('sudoers: %j needs no password for %j', async (line, expected) => {
  expect(await withoutPassword(`${line}\n`)).toEqual(expected)
})

describe('properties', () => {
  const field = fc.string({ maxLength: 6, unit: fc.constantFrom(...'ax0:$!*+- \n\t#') })

  test('any text of passwd and shadow is read, each line once', () => {
    fc.assert(
      fc.property(field, fc.array(field), (head, rest) => {
        const text = [head, ...rest].join(':')
        const { entries, malformed } = parsePasswd(text)
        const lines = text.split('\n').filter((line) => line.trim() !== '')
        expect(entries.length + malformed).toBe(lines.length)
        expect(parseShadow(text).size).toBeLessThanOrEqual(lines.length)
      }),
    )
  })

  test('an entry in the usual form is read as it was written', () => {
    const word = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,8}$/)
    fc.assert(
      fc.property(word, fc.nat(70_000), word, (name, uid, shell) => {
        expect(parsePasswd(`${name}:x:${uid}:7:gecos:/home/${name}:/bin/${shell}\n`).entries).toEqual([
          {
            name,
            password: 'x',
            uid: `${uid}`,
            gid: '7',
            home: `/home/${name}`,
            shell: `/bin/${shell}`,
            superuser: uid === 0,
          },
        ])
      }),
    )
  })

  test('whatever the files are, the section is one that the collector accepts', async () => {
    const text = fc.string({ maxLength: 40, unit: fc.constantFrom(...'a:0x\n \\"#@,%\u0000\u001b\u00ff=') })
    const paths = ['/etc/passwd', '/etc/shadow', '/etc/group', '/etc/sudoers', '/etc/doas.conf', '/etc/nsswitch.conf']
    await fc.assert(
      fc.asyncProperty(fc.tuple(...paths.map(() => text)), async (texts) => {
        const files = new Map(paths.map((path, index) => [path, texts[index] ?? '']))
        const none = { status: 'absent' } as const
        const host: Host = {
          ...treeHostOfNothing,
          readText: (path) => {
            const value = files.get(path)
            return value === undefined ? none : { status: 'found', value }
          },
        }
        await contentOf(host)
      }),
      { numRuns: 200 },
    )
  })
})

const nothing = () => ({ status: 'absent' }) as const
const treeHostOfNothing: Host = {
  byteOrder: 'LE',
  now: () => 0,
  cpuMs: () => 0,
  readFile: nothing,
  readText: nothing,
  open: nothing,
  readDirectory: nothing,
  readEntries: nothing,
  readLink: nothing,
  stat: nothing,
  self: nothing,
  tpm: async () => nothing(),
  run: async () => nothing(),
}
