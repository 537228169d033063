import { describe, expect, test } from 'vitest'
import { hardeningSensor } from '../../../agent/sensors/hardening.ts'
import type { Host } from '../../../agent/sensors/host.ts'
import { operationsSensor } from '../../../agent/sensors/operations.ts'
import { findings, type FindingCode } from '../../../shared/codes/findings.ts'
import { appraisalOf, approvalOf, deviationsOf } from '../../support/appraising.ts'
import { DEBIAN, DEBIAN_MOUNTS, mountLine } from '../../support/hardening-trees.ts'
import { ownedByRoot, treeHost, withoutPermission, type Tree } from '../../support/host-tree.ts'
import { socketTable } from '../../support/proc-net.ts'
import { GOOD_READINGS, SoftwareDevice } from '../../support/software-device.ts'

const without = (tree: Tree, ...paths: string[]): Tree =>
  Object.fromEntries(Object.entries(tree).filter(([path]) => !paths.includes(path)))

function edited(path: string, from: string, to: string): Tree {
  const text = DEBIAN[path]
  if (typeof text !== 'string' || !text.includes(from)) throw new Error(`${path} does not hold ${from}`)
  return { ...DEBIAN, [path]: text.replace(from, to) }
}
const sysctl = (name: string, value: string): Tree => ({
  ...DEBIAN,
  [`/proc/sys/${name.replaceAll('.', '/')}`]: `${value}\n`,
})
const mounts = (lines: readonly string[]): Tree => ({ ...DEBIAN, '/proc/1/mountinfo': lines.join('') })
const mountedAs = (point: string, line: string): Tree =>
  mounts(DEBIAN_MOUNTS.map((one) => (one.includes(` / ${point} `) ? line : one)))

async function readings(host: Host) {
  const [hardening, operations] = [await hardeningSensor.measure(host), await operationsSensor.measure(host)]
  if (hardening.status !== 'measured' || operations.status !== 'measured') throw new Error('not measured')
  return { ...GOOD_READINGS, hardening, operations }
}

/** The findings of a device that was approved as one host and is now as another one. */
async function between(before: Host, after: Host): Promise<string[]> {
  const device = new SoftwareDevice({ tpm: null })
  device.readings = await readings(before)
  const approved = approvalOf(device)
  const old = device.contents
  device.readings = await readings(after)
  const contents = new Map([...old, ...device.contents])
  return deviationsOf(appraisalOf(device, (await device.report()).bytes, { approved, contents }))
}
const hostOf = (tree: Tree): Host => ownedByRoot(treeHost(tree))
const findingsOf = (after: Tree, before: Tree = DEBIAN) => between(hostOf(before), hostOf(after))

const COMPLAIN = edited('/sys/kernel/security/apparmor/profiles', 'man (enforce)', 'man (complain)')
const unit = '/etc/systemd/system'

describe('exactly one finding, and which', () => {
  test.each<[string, Tree, string]>([
    ['a profile that only complains', COMPLAIN, 'mac-weakened mandatory access control'],
    [
      'a profile unloaded',
      edited('/sys/kernel/security/apparmor/profiles', '/usr/bin/man (enforce)\n', ''),
      'mac-weakened mandatory access control',
    ],
    [
      'one profile swapped for another that complains',
      edited('/sys/kernel/security/apparmor/profiles', 'man (enforce)', 'man (complain)\nnew (enforce)'),
      'mac-weakened mandatory access control',
    ],
    [
      'AppArmor switched off',
      {
        ...without(edited('/sys/kernel/security/lsm', ',apparmor', ''), '/sys/kernel/security/apparmor/profiles'),
        '/sys/module/apparmor/parameters/enabled': 'N\n',
      },
      'mac-weakened mandatory access control',
    ],
    [
      'a profile more',
      edited('/sys/kernel/security/apparmor/profiles', 'nvidia', '/usr/bin/x (enforce)\nnvidia'),
      'mac-changed mandatory access control',
    ],
    [
      'a listener that has lost its profile',
      { ...DEBIAN, '/proc/41/attr/current': 'unconfined\n' },
      'unconfined-listener unconfined listener "/usr/sbin/gatewayd"',
    ],
    [
      'an unconfined listener that opens to the network',
      {
        ...DEBIAN,
        '/proc/net/tcp': socketTable([
          { local: '00000000:0016', state: '0A', inode: 4100 },
          { local: '00000000:0035', state: '0A', inode: 4200 },
        ]),
      },
      'unconfined-listener unconfined listener "/usr/sbin/locald"',
    ],
    ['a root that can be written to', mountedAs('/', mountLine('/', 'ext4', 'rw')), 'mount-option-lost mount "/"'],
    [
      '/tmp without noexec',
      mountedAs('/tmp', mountLine('/tmp', 'tmpfs', 'rw,nosuid,nodev')),
      'mount-option-lost mount "/tmp"',
    ],
    [
      '/tmp that is not mounted',
      mounts(DEBIAN_MOUNTS.filter((one) => !one.includes('/tmp'))),
      'mount-option-lost mount "/tmp"',
    ],
    [
      'hidepid less strict',
      mountedAs('/proc', mountLine('/proc', 'proc', 'rw,nosuid,nodev,noexec', 'proc', 'rw,hidepid=1')),
      'mount-option-lost mount "/proc"',
    ],
    [
      '/var with noexec in addition',
      mountedAs('/var', mountLine('/var', 'ext4', 'rw,nosuid,nodev,noexec')),
      'mount-changed mount "/var"',
    ],
    ['a home of its own', mounts([...DEBIAN_MOUNTS, mountLine('/home', 'ext4', 'rw')]), 'mount-changed mount "/home"'],
    [
      'the mounts of the agent alone',
      without({ ...DEBIAN, '/proc/self/mountinfo': DEBIAN_MOUNTS.join('') }, '/proc/1/mountinfo'),
      'not-readable mounts',
    ],
    ...(
      [
        ['kernel.yama.ptrace_scope', '0'],
        ['kernel.kptr_restrict', '0'],
        ['kernel.unprivileged_bpf_disabled', '0'],
        ['kernel.perf_event_paranoid', '-1'],
        ['kernel.randomize_va_space', '1'],
        ['kernel.sysrq', '1'],
        ['kernel.sysrq', '439'],
        ['fs.suid_dumpable', '1'],
        ['net.ipv4.ip_forward', '1'],
        ['net.ipv4.conf.all.rp_filter', '2'],
        ['net.ipv4.conf.default.accept_redirects', '1'],
      ] as const
    ).map(([name, value]): [string, Tree, string] => [
      `${name} at ${value}`,
      sysctl(name, value),
      name === 'kernel.sysrq' && value === '439'
        ? `kernel-setting-changed setting "${name}"`
        : `kernel-setting-weakened setting "${name}"`,
    ]),
    [
      'yama gone',
      without(DEBIAN, '/proc/sys/kernel/yama/ptrace_scope'),
      'kernel-setting-weakened setting "kernel.yama.ptrace_scope"',
    ],
    ...(
      [
        ['kernel.yama.ptrace_scope', '3'],
        ['kernel.unprivileged_bpf_disabled', '1'],
        ['kernel.sysrq', '0'],
        ['fs.suid_dumpable', '0'],
        ['user.max_user_namespaces', '0'],
        ['kernel.kptr_restrict', '3'],
      ] as const
    ).map(([name, value]): [string, Tree, string] => [
      `${name} at ${value}`,
      sysctl(name, value),
      `kernel-setting-changed setting "${name}"`,
    ]),
    ['a set-uid program', { ...DEBIAN, '/usr/bin/x': { mode: 0o4755 } }, 'setuid-added set-id "/usr/bin/x"'],
    ['a set-gid program in /opt', { ...DEBIAN, '/opt/v/x': { mode: 0o2755 } }, 'setuid-added set-id "/opt/v/x"'],
    [
      'bits on a program that was there',
      { ...DEBIAN, '/usr/bin/ls': { mode: 0o4755 } },
      'setuid-added set-id "/usr/bin/ls"',
    ],
    ['a set-uid program less', without(DEBIAN, '/usr/bin/su'), 'setuid-removed set-id "/usr/bin/su"'],
    ['another mode', { ...DEBIAN, '/usr/bin/su': { mode: 0o4775 } }, 'setuid-changed set-id "/usr/bin/su"'],
    [
      'a program for everybody to write',
      { ...DEBIAN, '/usr/local/bin/tool': { mode: 0o757 } },
      'writable-program writable "/usr/local/bin/tool"',
    ],
    [
      'a directory for everybody to write',
      { ...DEBIAN, '/usr/local/sbin': { directory: true, mode: 0o1777 } },
      'writable-program writable "/usr/local/sbin"',
    ],
    [
      'a link to such a program',
      { ...DEBIAN, '/srv/x': { mode: 0o777 }, '/usr/local/bin/y': { link: '/srv/x' } },
      'writable-program writable "/usr/local/bin/y"',
    ],
    ['core dumps into a file', sysctl('kernel.core_pattern', '/tmp/core'), 'core-dumps-changed core dumps'],
    ['core dumps kept', without(DEBIAN, '/etc/systemd/coredump.conf.d/10-none.conf'), 'core-dumps-changed core dumps'],
    ['swap without encryption', edited('/sys/class/block/dm-1/dm/uuid', 'CRYPT', 'LVM'), 'swap-not-encrypted swap'],
    ['no swap', edited('/proc/swaps', '/dev/dm-1 partition 1000 0 -2\n', ''), 'swap-changed swap'],
    ['USB for everybody', { ...DEBIAN, '/sys/bus/usb/devices/usb2/authorized_default': '1\n' }, 'usb-weakened usb'],
    ['USB storage', without(DEBIAN, '/etc/modprobe.d/usb.conf'), 'usb-weakened usb'],
    [
      'a getty and console on a serial port',
      {
        ...DEBIAN,
        '/sys/class/tty/console/active': 'tty0 ttyS0\n',
        '/run/systemd/generator/getty.target.wants/serial-getty@ttyS0.service': { link: 'x' },
      },
      'debug-port-opened terminal "ttyS0"',
    ],
    [
      'a debug shell',
      { ...DEBIAN, [`${unit}/sysinit.target.wants/debug-shell.service`]: { link: 'x' } },
      'debug-port-opened terminal "debug-shell"',
    ],
    [
      'debugfs',
      mounts([...DEBIAN_MOUNTS, mountLine('/sys/kernel/debug', 'debugfs', 'rw')]),
      'debug-port-opened debugfs',
    ],
    ['kgdb', { ...DEBIAN, '/sys/module/kgdboc/parameters/kgdboc': 'ttyS0\n' }, 'debug-port-opened kernel debugger'],
    [
      'a kernel with an open /dev/mem',
      edited('/boot/config-6.12-amd64', 'CONFIG_STRICT_DEVMEM=y', '# CONFIG_STRICT_DEVMEM is not set'),
      'debug-port-opened /dev/mem',
    ],
  ])('hardening: %s', async (_, after, expected) => {
    expect(await findingsOf(after)).toEqual([`hardening.${expected}`])
  })

  test.each<[string, Tree, string]>([
    [
      'chrony stopped',
      without(DEBIAN, '/sys/fs/cgroup/system.slice/chrony.service'),
      'time-sync-off time synchronisation',
    ],
    [
      'chrony disabled',
      without(DEBIAN, `${unit}/multi-user.target.wants/chrony.service`),
      'time-sync-off time synchronisation',
    ],
    [
      'chrony masked',
      { ...DEBIAN, [`${unit}/chrony.service`]: { link: '/dev/null' } },
      'time-sync-off time synchronisation',
    ],
    [
      'another service beside it',
      { ...DEBIAN, '/usr/lib/systemd/system/systemd-timesyncd.service': '' },
      'time-sync-changed time synchronisation',
    ],
    [
      'a server without NTS',
      edited('/etc/chrony/sources.d/plant.sources', ' nts', ''),
      'time-servers-unauthenticated time servers',
    ],
    [
      'rsyslog stopped',
      without(DEBIAN, '/sys/fs/cgroup/system.slice/rsyslog.service'),
      'log-forwarding-off log forwarding',
    ],
    ['the target removed', without(DEBIAN, '/etc/rsyslog.d/remote.conf'), 'log-forwarding-off log forwarding'],
    [
      'another target',
      edited('/etc/rsyslog.d/remote.conf', 'log.vendor', 'log.evil'),
      'log-forwarding-changed log forwarding',
    ],
    [
      'no TLS',
      edited('/etc/rsyslog.d/remote.conf', 'Mode="1"', 'Mode="0"'),
      'log-forwarding-not-encrypted log forwarding',
    ],
    [
      'a second target in plain text',
      { ...DEBIAN, '/etc/rsyslog.d/z.conf': '*.* @10.0.0.1\n' },
      'log-forwarding-not-encrypted log forwarding',
    ],
    [
      'a journal in memory',
      edited('/etc/systemd/journald.conf', '#Storage=auto', 'Storage=volatile'),
      'journal-changed journal',
    ],
    ['auditd stopped', without(DEBIAN, '/sys/fs/cgroup/system.slice/auditd.service'), 'audit-off audit'],
    ['audit=0', { ...DEBIAN, '/proc/cmdline': 'ro quiet audit=0\n' }, 'audit-off audit'],
    [
      'an audit rule less',
      edited('/etc/audit/rules.d/99-lock.rules', '-w /etc/passwd  -p wa\n', ''),
      'audit-changed audit',
    ],
  ])('operations: %s', async (_, after, expected) => {
    expect(await findingsOf(after)).toEqual([`operations.${expected}`])
  })

  test('another time server, and nothing for another comment about it', async () => {
    expect(await findingsOf(edited('/etc/chrony/sources.d/plant.sources', 'the plant', 'ours'))).toEqual([])
    expect(await findingsOf(edited('/etc/chrony/chrony.conf', 'time.vendor', 'time.evil'))).toEqual([
      'operations.time-servers-changed time servers',
    ])
  })

  test('SELinux set to permissive, at once or for the next boot', async () => {
    const selinux: Tree = {
      ...without(DEBIAN, '/sys/module/apparmor/parameters/enabled', '/sys/kernel/security/apparmor/profiles'),
      '/sys/kernel/security/lsm': 'capability,selinux',
      '/sys/fs/selinux/enforce': '1',
      '/etc/selinux/config': '# mode\nSELINUX=enforcing\nSELINUXTYPE=targeted\n',
      '/proc/41/attr/current': 'system_u:system_r:gatewayd_t:s0',
    }
    const one = ['hardening.mac-weakened mandatory access control']
    expect(await findingsOf({ ...selinux, '/sys/fs/selinux/enforce': '0' }, selinux)).toEqual(one)
    const config = '# mode\nSELINUX=permissive\nSELINUXTYPE=targeted\n'
    expect(await findingsOf({ ...selinux, '/etc/selinux/config': config }, selinux)).toEqual(one)
    const other = '# mode\nSELINUX=enforcing\nSELINUXTYPE=mls\n'
    expect(await findingsOf({ ...selinux, '/etc/selinux/config': other }, selinux)).toEqual([
      'hardening.mac-changed mandatory access control',
    ])
    expect(await findingsOf({ ...selinux, '/proc/41/attr/current': 'u:r:unconfined_service_t:s0' }, selinux)).toEqual([
      'hardening.unconfined-listener unconfined listener "/usr/sbin/gatewayd"',
    ])
  })
})

describe('what is not a weakening', () => {
  test('the same system twice', async () => {
    expect(await findingsOf({ ...DEBIAN })).toEqual([])
  })

  test('another unit: devices, sizes, DHCP, learning profiles, a stick that was plugged in', async () => {
    const lines = DEBIAN_MOUNTS.map((one) =>
      one.replace('4711', '0815').replace('24683656k', '1k').replace('0:20', '0:9'),
    )
    const profiles = String(DEBIAN['/sys/kernel/security/apparmor/profiles'])
    const other: Tree = {
      ...mounts([mountLine('/run/user/1000', 'tmpfs', 'rw'), ...lines.toReversed()]),
      '/run/chrony-dhcp/eth0.sources': 'server 192.168.7.1\n',
      '/sys/kernel/security/apparmor/profiles': `x//null-/bin/sh (complain)\n${profiles}`,
      '/sys/module/usb_storage/refcnt': '1',
      '/proc/sys/user/max_user_namespaces': '127000\n',
    }
    expect(await findingsOf(other)).toEqual([])
  })

  test.each([
    ['mended', COMPLAIN, DEBIAN, 'hardening.mac-changed mandatory access control'],
    [
      'a setting made stronger',
      sysctl('kernel.yama.ptrace_scope', '0'),
      DEBIAN,
      'hardening.kernel-setting-changed setting "kernel.yama.ptrace_scope"',
    ],
    [
      'a program protected again',
      { ...DEBIAN, '/usr/local/bin/tool': { mode: 0o777 } },
      DEBIAN,
      'hardening.writable-program-gone writable "/usr/local/bin/tool"',
    ],
    [
      'a console closed',
      { ...DEBIAN, '/sys/class/tty/console/active': 'ttyS0\n' },
      DEBIAN,
      'hardening.debug-port-changed terminal "ttyS0"',
    ],
  ] as [string, Tree, Tree, string][])('%s', async (_, before, after, expected) => {
    expect(await findingsOf(after, before)).toEqual([expected])
  })
})

describe('what could not be looked at', () => {
  test.each([
    ['/sys/kernel/security/apparmor', 'hardening.not-readable mandatory access control'],
    ['/proc/sys/kernel/kptr_restrict', 'hardening.not-readable setting "kernel.kptr_restrict"'],
    ['/usr/lib/openssh', 'hardening.not-readable not looked at "/usr/lib/openssh"'],
    ['/etc/audit', 'operations.not-readable audit'],
    ['/etc/rsyslog.d', 'operations.not-readable not read "/etc/rsyslog.d"'],
    ['/proc/swaps', 'hardening.not-readable swap'],
  ])('%s is told as such, and nothing of it as gone without that', async (path, expected) => {
    const found = await between(hostOf(DEBIAN), withoutPermission(hostOf(DEBIAN), path))
    expect(found).toContain(expected)
    expect(found.filter((one) => one.includes('mac-weakened') || one.includes('kernel-setting-weakened'))).toEqual([])
  })

  test('an agent without root is not weaker than the helper that was before it', async () => {
    const agent = withoutPermission(
      hostOf(DEBIAN),
      '/sys/kernel/security/apparmor',
      '/proc/1/fd',
      '/proc/41/fd',
      '/etc/audit',
    )
    expect(await between(agent, hostOf(DEBIAN))).toEqual([
      'hardening.mac-changed mandatory access control',
      'hardening.mac-changed unconfined listeners',
      'operations.audit-changed audit',
    ])
    expect(await between(hostOf(DEBIAN), agent)).toEqual([
      'hardening.not-readable mandatory access control',
      'hardening.not-readable unconfined listeners',
      'operations.not-readable audit',
    ])
  })
})

test('every code of both sections is of the posture, and what lets somebody become root is critical or high', () => {
  const codes = Object.keys(findings).filter((code) => /^(?:hardening|operations)\./.test(code)) as FindingCode[]
  expect(codes.length).toBeGreaterThan(25)
  for (const code of codes) expect(findings[code]).toMatchObject({ axis: 'posture' })
  expect(findings['hardening.writable-program'].severity).toBe('critical')
})
