import { dirname } from 'node:path'
import type { FindingCode } from '../../shared/codes/findings.ts'
import type { ApartMachine } from './apart-machine.ts'
import { ENABLED, PERIODIC_ON } from './apt-tree.ts'
import type { Tree } from './host-tree.ts'

/** Where the agent asks by default, and where deploy/systemd has the socket of the helper. */
export const SOCKET = '/run/keepseal/measure.sock'

/** RFC 9580, the primary key of appendix A.1. */
const KEY = 'xjMEU/NfCxYJKwYBBAHaRw8BAQdAPwmJlL3ZFu1AUxl5NOSofIBzOhKA1i+AEJkuQ+47JAY='
const KEYRING = '/etc/apt/keyrings/vendor.gpg'
const VENDOR = '/etc/apt/sources.list.d/vendor.list'
const PERIODIC = '/etc/apt/apt.conf.d/20auto-upgrades'
const SERVICE_GROUP = '/sys/fs/cgroup/system.slice/unattended-upgrades.service'
const FIREWALL = '/etc/nftables.conf'
const LOGIN = '/etc/ssh/sshd_config.d/login.conf'
const TIMER = '/etc/systemd/system/timers.target.wants/apt-daily-upgrade.timer'
const RULES = `
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    tcp dport { 22, 443 } accept
  }
}
`

/** A gateway as its vendor would ship it: signed sources of both forms, updates by themselves, keys alone over SSH. */
const SHIPPED: Tree = {
  ...ENABLED,
  '/etc/apt/sources.list': '',
  '/etc/apt/sources.list.d': { directory: true },
  '/etc/apt/sources.list.d/debian.sources': `Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: ${KEYRING}
`,
  [VENDOR]: `deb [signed-by=${KEYRING}] https://packages.vendor.example/gateway stable main\n`,
  [KEYRING]: Buffer.from(KEY, 'base64'),
  [PERIODIC]: PERIODIC_ON,
  '/run/systemd/system': { directory: true },
  [SERVICE_GROUP]: { directory: true },
  [dirname(SOCKET)]: { directory: true },
  '/run/sshd': { directory: true },
  '/etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\nPermitRootLogin no\n',
  '/etc/ssh/sshd_config.d': { directory: true },
  [LOGIN]: 'PasswordAuthentication no\nKbdInteractiveAuthentication no\n',
  [FIREWALL]: RULES,
}

/** With a server of root's that listens, on port 22. */
export function install(machine: ApartMachine): void {
  machine.write(SHIPPED)
  machine.run(['ssh-keygen', '-A'])
  machine.start(['/usr/sbin/sshd', '-D'])
  loadFirewall(machine)
}

/** As at its boot. */
export const loadFirewall = (machine: ApartMachine): string => machine.run(['nft', '-f', FIREWALL])

/** What weakens the gateway, and the one finding that it is. */
interface Weakening {
  readonly change: string
  /** What is put back afterwards. */
  readonly paths: readonly string[]
  readonly make: (machine: ApartMachine) => void
  readonly code: FindingCode
  readonly subject: string
}

export const WEAKENINGS: readonly Weakening[] = [
  {
    change: 'setting trusted=yes on one apt source',
    paths: [VENDOR],
    make: (machine) =>
      machine.write({
        [VENDOR]: `deb [signed-by=${KEYRING} trusted=yes] https://packages.vendor.example/gateway stable main\n`,
      }),
    code: 'update-channel.unsigned-source',
    subject: 'source apt deb https://packages.vendor.example/gateway stable',
  },
  {
    change: 'adding an unsigned source',
    paths: ['/etc/apt/sources.list.d'],
    make: (machine) =>
      machine.write({ '/etc/apt/sources.list.d/other.list': 'deb [trusted=yes] http://other.example/apt ./\n' }),
    code: 'update-channel.unsigned-source',
    subject: 'source apt deb http://other.example/apt ./',
  },
  {
    change: 'stopping unattended-upgrades',
    paths: [SERVICE_GROUP],
    // What `systemctl stop` leaves, which nobody can do here.
    make: (machine) => machine.remove(SERVICE_GROUP),
    code: 'update-channel.automatic-updates-off',
    subject: 'automatic apt',
  },
  {
    change: 'disabling the timer that starts it',
    paths: ['/etc/systemd/system/timers.target.wants'],
    make: (machine) => machine.remove(TIMER),
    code: 'update-channel.automatic-updates-off',
    subject: 'automatic apt',
  },
  {
    change: 'adding a user with number 0',
    paths: ['/etc/passwd', '/etc/shadow', '/etc/group', '/etc/gshadow'],
    make: (machine) =>
      machine.run([
        '/usr/sbin/useradd',
        '--non-unique',
        '--uid',
        '0',
        '--gid',
        '0',
        '--no-create-home',
        '--no-log-init',
        'toor',
      ]),
    code: 'access.superuser-added',
    subject: 'account toor',
  },
  {
    change: 'enabling SSH password login',
    paths: [LOGIN],
    make: (machine) => machine.write({ [LOGIN]: 'PasswordAuthentication yes\nKbdInteractiveAuthentication no\n' }),
    code: 'access.ssh-password-login',
    subject: 'ssh sshd password login',
  },
  {
    change: 'flushing the firewall',
    paths: [],
    make: (machine) => machine.run(['nft', 'flush', 'ruleset']),
    code: 'firewall.off',
    subject: 'input',
  },
]
