import { describe, expect, test } from 'vitest'
import { accessSensor } from '../../../agent/sensors/access.ts'
import { findings, type FindingCode } from '../../../shared/codes/findings.ts'
import { appended, edited, GATEWAY, printing } from '../../support/access-tree.ts'
import { treeHost, withoutPermission, type Tree } from '../../support/host-tree.ts'
import { findingsBetween } from '../../support/section-findings.ts'

const run = printing({})
const reading = async (tree: Tree) => accessSensor.measure(treeHost(tree, { run }))
const findingsOf = async (before: Tree, after: Tree) =>
  findingsBetween('access', await reading(before), await reading(after))

const VENDOR = '/etc/ssh/sshd_config.d/10-vendor.conf'
const SSHD = '/etc/ssh/sshd_config'
const { '/usr/sbin/sshd': _program, ...withoutSshd } = GATEWAY
const { '/etc/sudoers': _sudoers, ...withoutSudo } = GATEWAY
const user = (line: string, shadow: string, more: Record<string, string> = {}) =>
  appended(GATEWAY, { '/etc/passwd': `${line}\n`, '/etc/shadow': `${shadow}\n`, ...more })

describe('of a gateway that was approved, exactly one finding', () => {
  test.each([
    [
      'a user with number 0 added',
      user('toor:x:0:0::/root:/bin/sh', 'toor:$y$a$b$c:1::::::'),
      'access.superuser-added account toor',
    ],
    [
      'a user with number 0 added, with no password, keys, and in groups that are privileged',
      user('toor:x:0:0::/home/toor:/bin/sh', 'toor::1::::::', {
        '/home/toor/.ssh/authorized_keys': 'ssh-rsa AAAA x\n',
        '/etc/group': 'docker:x:99:toor\n',
      }),
      'access.superuser-added account toor',
    ],
    [
      'a user with number 0 added whose shell is nologin',
      user('toor:x:0:0::/:/usr/sbin/nologin', 'toor:*:1::::::'),
      'access.superuser-added account toor',
    ],
    [
      'a user with number 00 added',
      user('toor:x:00:0::/:/bin/sh', 'toor:*:1::::::'),
      'access.superuser-added account toor',
    ],
    [
      'a user made superuser',
      edited(GATEWAY, '/etc/passwd', 'admin:x:1000', 'admin:x:0'),
      'access.superuser-added account admin',
    ],
    [
      'a service made superuser, with a shell',
      edited(GATEWAY, '/etc/passwd', 'daemon:x:1:1::/usr/sbin:/usr/sbin/nologin', 'daemon:x:0:1::/usr/sbin:/bin/sh'),
      'access.superuser-added account daemon',
    ],
    [
      'a user added',
      user('eve:x:1001:1001::/home/eve:/bin/sh', 'eve:$6$a$b:1::::::', {
        '/home/eve/.ssh/authorized_keys': 'ssh-rsa A\n',
      }),
      'access.account-added account eve',
    ],
    [
      'a user added, with sudo',
      user('eve:x:1001:27::/home/eve:/bin/sh', 'eve:$6$a$b:1::::::'),
      'access.account-added account eve',
    ],
    [
      'a user added, without a password',
      user('eve:x:1001:1001::/home/eve:/bin/sh', 'eve::1::::::'),
      'access.password-less-account account eve',
    ],
    [
      'a user removed',
      edited(GATEWAY, '/etc/passwd', 'admin:x:1000:1000::/home/admin:/bin/bash\n', ''),
      'access.account-removed account admin',
    ],
    [
      'a password removed',
      edited(GATEWAY, '/etc/shadow', 'admin:$y$j9T$salt$hash', 'admin:'),
      'access.password-less-account password admin',
    ],
    [
      'a password removed in passwd itself',
      edited(GATEWAY, '/etc/passwd', 'admin:x:', 'admin::'),
      'access.password-less-account password admin',
    ],
    [
      'a password kept with a weak hash',
      edited(GATEWAY, '/etc/shadow', 'admin:$y$j9T$salt$hash', 'admin:$1$salt$hash'),
      'access.weak-password-hash password admin',
    ],
    [
      'a password for root',
      edited(GATEWAY, '/etc/shadow', 'root:*', 'root:$y$a$b$c'),
      'access.account-changed password root',
    ],
    [
      'another shell',
      edited(GATEWAY, '/etc/passwd', '/home/admin:/bin/bash', '/home/admin:/tmp/sh'),
      'access.account-changed shell admin',
    ],
    [
      'a key added',
      appended(GATEWAY, { '/home/admin/.ssh/authorized_keys': 'ssh-ed25519 BBBB eve\n' }),
      'access.authorized-keys-changed keys admin',
    ],
    [
      'a key for root',
      { ...GATEWAY, '/root/.ssh/authorized_keys2': 'ssh-ed25519 BBBB eve\n' },
      'access.authorized-keys-changed keys root',
    ],
    [
      'options of a key changed',
      edited(GATEWAY, '/home/admin/.ssh/authorized_keys', 'ssh-', 'command="/bin/x y" ssh-'),
      'access.authorized-keys-changed keys admin',
    ],
    [
      'a key for a service without a shell',
      { ...GATEWAY, '/usr/sbin/.ssh/authorized_keys': 'ssh-ed25519 BBBB eve\n' },
      'access.account-added account daemon',
    ],
    [
      'a user in another privileged group',
      appended(GATEWAY, { '/etc/group': 'docker:x:99:admin\n' }),
      'access.group-changed groups admin',
    ],
    [
      'a service in a privileged group',
      edited(GATEWAY, '/etc/group', 'sudo:x:27:admin', 'sudo:x:27:admin,daemon'),
      'access.group-changed groups daemon',
    ],
    [
      'a rule of sudo',
      appended(GATEWAY, { '/etc/sudoers': 'eve ALL=(ALL) ALL\n' }),
      'access.sudo-rules-changed sudo rules',
    ],
    [
      'a rule of sudo without a password',
      { ...GATEWAY, '/etc/sudoers.d/eve': 'eve ALL=(ALL) NOPASSWD: ALL\n' },
      'access.sudo-without-password sudo without password',
    ],
    [
      'sudo without a password for all',
      appended(GATEWAY, { '/etc/sudoers': 'Defaults !authenticate\n' }),
      'access.sudo-without-password sudo without password',
    ],
    [
      'doas set up, without a password',
      { ...GATEWAY, '/etc/doas.conf': 'permit nopass :wheel\n' },
      'access.sudo-without-password doas',
    ],
    ['sudo no longer set up', withoutSudo, 'access.sudo-rules-changed sudo'],
    [
      'another way to authenticate',
      edited(GATEWAY, '/etc/pam.d/common-auth', 'required pam_unix', 'sufficient pam_permit'),
      'access.pam-changed pam common-auth',
    ],
    [
      'accounts from elsewhere',
      edited(GATEWAY, '/etc/nsswitch.conf', 'passwd: files', 'passwd: files sss'),
      'access.account-changed source of passwd',
    ],
    ['terminals of root', { ...GATEWAY, '/etc/securetty': 'tty1\n' }, 'access.account-changed consoles for root'],
    [
      'passwords over SSH',
      edited(GATEWAY, VENDOR, 'PasswordAuthentication no', 'PasswordAuthentication yes'),
      'access.ssh-password-login ssh sshd password login',
    ],
    [
      'passwords over SSH, since nothing forbids them any more',
      edited(GATEWAY, VENDOR, 'PasswordAuthentication no\n', ''),
      'access.ssh-password-login ssh sshd password login',
    ],
    [
      'passwords over SSH in both ways',
      edited(
        edited(GATEWAY, VENDOR, 'PasswordAuthentication no', 'PasswordAuthentication yes'),
        SSHD,
        'KbdInteractiveAuthentication no',
        'ChallengeResponseAuthentication yes',
      ),
      'access.ssh-password-login ssh sshd password login',
    ],
    [
      'passwords over SSH by a file that is read before',
      { ...GATEWAY, '/etc/ssh/sshd_config.d/00.conf': 'passwordauthentication=YES\n' },
      'access.ssh-password-login ssh sshd password login',
    ],
    [
      'passwords over SSH for some',
      appended(GATEWAY, { [SSHD]: 'Match User admin\n  PasswordAuthentication yes\n' }),
      'access.ssh-password-login ssh sshd match',
    ],
    [
      'passwords over SSH for root, in a block',
      appended(GATEWAY, { [SSHD]: 'Match all\n  PermitRootLogin yes\n  PasswordAuthentication yes\n' }),
      'access.ssh-root-password-login ssh sshd match',
    ],
    [
      'root over SSH by key',
      edited(GATEWAY, VENDOR, 'RootLogin no', 'RootLogin yes'),
      'access.ssh-setting-changed ssh sshd root login',
    ],
    [
      'another SSH setting',
      edited(GATEWAY, SSHD, 'X11Forwarding no', 'X11Forwarding yes'),
      'access.ssh-setting-changed ssh sshd forwarding',
    ],
    [
      'another port for SSH',
      appended(GATEWAY, { [SSHD]: 'Port 2222\n' }),
      'access.ssh-setting-changed ssh sshd listening',
    ],
    [
      'options of the SSH server',
      { ...GATEWAY, '/etc/default/ssh': 'SSHD_OPTS="-o PasswordAuthentication=yes"\n' },
      'access.ssh-setting-changed ssh sshd options',
    ],
    ['no SSH server any more', withoutSshd, 'access.ssh-setting-changed ssh sshd'],
    [
      'a second SSH server, which takes passwords',
      { ...GATEWAY, '/usr/sbin/dropbear': '' },
      'access.ssh-root-password-login ssh dropbear',
    ],
    ['sshd_config no longer understood', appended(GATEWAY, { [SSHD]: 'Port "22\n' }), 'access.not-readable ssh sshd'],
    [
      'accounts no longer there',
      edited(GATEWAY, '/etc/passwd', '\n', '\n\0\n'),
      'access.account-changed further accounts',
    ],
  ] as [string, Tree, string][])('%s', async (_, after, expected) => {
    expect(await findingsOf(GATEWAY, after)).toEqual([expected])
  })

  test('a server that takes passwords already now takes those of root', async () => {
    const before = edited(GATEWAY, VENDOR, 'PasswordAuthentication no', 'PasswordAuthentication yes')
    const after = edited(before, VENDOR, 'PermitRootLogin no', 'PermitRootLogin yes')
    expect(await findingsOf(before, after)).toEqual(['access.ssh-root-password-login ssh sshd root login'])
    expect(await findingsOf(after, before)).toEqual(['access.ssh-setting-changed ssh sshd root login'])
    const empty = appended(before, { [VENDOR]: 'PermitEmptyPasswords yes\n' })
    expect(await findingsOf(before, empty)).toEqual(['access.ssh-empty-passwords ssh sshd empty passwords'])
  })

  test('a server that asks for a password behind a key takes passwords alone', async () => {
    const passwords = edited(GATEWAY, VENDOR, 'PasswordAuthentication no', 'PasswordAuthentication yes')
    const before = appended(passwords, { [VENDOR]: 'AuthenticationMethods publickey,password\n' })
    expect(await findingsOf(GATEWAY, before)).toEqual([
      'access.ssh-setting-changed ssh sshd methods',
      'access.ssh-setting-changed ssh sshd password login',
    ])
    const after = appended(passwords, { [VENDOR]: 'AuthenticationMethods publickey,password password\n' })
    expect(await findingsOf(before, after)).toEqual(['access.ssh-password-login ssh sshd methods'])
  })

  test('none where only comments, blanks, order and numbers of users differ', async () => {
    const after: Tree = {
      ...GATEWAY,
      '/etc/passwd':
        'admin:x:1007:1000::/home/admin:/bin/bash\ndaemon:x:2:2:other:/usr/sbin:/usr/sbin/nologin\nroot:x:0:0:root:/root:/bin/bash\n',
      '/etc/sudoers': '# x\nDefaults\tenv_reset\nroot  ALL=(ALL:ALL) ALL # all\n#includedir /etc/sudoers.d\n',
      '/home/admin/.ssh/authorized_keys': '# mine\n\nssh-ed25519  AAAA other-comment\n',
      '/etc/pam.d/sshd': '# x\n@include   common-auth\n',
      '/etc/sudoers.d/eve~': 'eve ALL=(ALL) NOPASSWD: ALL\n',
    }
    expect(await findingsOf(GATEWAY, after)).toEqual([])
  })
})

test('where the passwords can no longer be read, that is one finding and no account has lost its own', async () => {
  const before = await reading(GATEWAY)
  const after = await accessSensor.measure(withoutPermission(treeHost(GATEWAY, { run }), '/etc/shadow'))
  expect(await findingsBetween('access', before, after)).toEqual(['access.not-readable passwords'])
})

test('where the accounts can no longer be read, that is one finding for them and one for groups', async () => {
  const after = await accessSensor.measure(withoutPermission(treeHost(GATEWAY, { run }), '/etc/passwd'))
  expect(await findingsBetween('access', await reading(GATEWAY), after)).toEqual([
    'access.not-readable accounts',
    'access.not-readable groups',
  ])
})

test('what makes a superuser of somebody is critical', () => {
  const codes = Object.keys(findings).filter((code) => code.startsWith('access.')) as FindingCode[]
  for (const code of codes) expect(findings[code]).toMatchObject({ axis: 'posture' })
  expect(codes.filter((code) => findings[code].severity === 'critical')).toEqual([
    'access.superuser-added',
    'access.password-less-account',
    'access.ssh-root-password-login',
    'access.ssh-empty-passwords',
  ])
})

test('accounts that show by their passwords alone have not gone without root, nor come where keys cannot be seen', async () => {
  const tree = appended(GATEWAY, {
    '/etc/passwd': 'mail:x:8:8::/var/mail:/usr/sbin/nologin\ngdm:x:110:110::/var/lib/gdm:/usr/sbin/nologin\n',
    '/etc/shadow': 'mail:$y$a$b$c:1::::::\ngdm:*:1::::::\n',
    '/var/lib/gdm/.config': '',
  })
  const before = await reading(tree)
  const hidden = withoutPermission(treeHost(tree, { run }), '/etc/shadow', '/var/lib/gdm')
  const found = await findingsBetween('access', before, await accessSensor.measure(hidden))
  expect(found).toEqual(['access.not-readable passwords'])
  const back = await findingsBetween('access', await accessSensor.measure(hidden), before)
  expect(back).toEqual(['access.account-changed passwords'])
})

describe('a file that is missing hides nothing of the others', () => {
  const missing: Tree = {
    ...appended(GATEWAY, { '/etc/sudoers': '@include /etc/sudoers.local\n' }),
    '/etc/pam.d/gone': { link: '/nowhere' },
    '/etc/sudoers.d/gone': { link: '/nowhere' },
  }

  test('of sudoers', async () => {
    const after = appended(missing, { '/etc/sudoers': 'eve ALL=(ALL) NOPASSWD: ALL\n' })
    expect(await findingsOf(missing, after)).toEqual(['access.sudo-without-password sudo without password'])
    const there = { ...missing, '/etc/sudoers.local': 'eve ALL=(ALL) ALL\n' }
    expect(await findingsOf(missing, there)).toEqual(['access.sudo-rules-changed sudo rules'])
  })

  test('of PAM', async () => {
    const after = appended(missing, { '/etc/pam.d/sshd': 'auth sufficient pam_permit.so\n' })
    expect(await findingsOf(missing, after)).toEqual(['access.pam-changed pam sshd'])
  })
})
