import type { Tree } from './host-tree.ts'
import { socketTable } from './proc-net.ts'

const unit = '/etc/systemd/system'
const lib = '/usr/lib/systemd/system'

/** A service of systemd that is installed, started at boot, and running. */
export const runningUnit = (name: string, target = 'multi-user.target'): Tree => ({
  [`${lib}/${name}.service`]: '[Service]\n',
  [`${unit}/${target}.wants/${name}.service`]: { link: `${lib}/${name}.service` },
  [`/sys/fs/cgroup/system.slice/${name}.service`]: { directory: true },
})

export const mountLine = (point: string, type: string, options: string, source = 'none', fileSystem = 'rw'): string =>
  `30 1 0:20 / ${point} ${options} shared:1 - ${type} ${source} ${fileSystem}\n`

export const DEBIAN_MOUNTS: readonly string[] = [
  mountLine('/sys', 'sysfs', 'rw,nosuid,nodev,noexec,relatime'),
  mountLine('/proc', 'proc', 'rw,nosuid,nodev,noexec,relatime', 'proc', 'rw,hidepid=invisible'),
  mountLine('/', 'ext4', 'ro,relatime', '/dev/sda2', 'ro'),
  mountLine('/dev/shm', 'tmpfs', 'rw,nosuid,nodev,noexec', 'tmpfs', 'rw,size=24683656k'),
  mountLine('/tmp', 'tmpfs', 'rw,nosuid,nodev,noexec', 'tmpfs'),
  mountLine('/var', 'ext4', 'rw,nosuid,nodev', '/dev/disk/by-uuid/4711'),
  mountLine('/sys/kernel/tracing', 'tracefs', 'rw'),
]

const sysctls = (values: Readonly<Record<string, string>>): Tree =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`/proc/sys/${name.replaceAll('.', '/')}`, `${value}\n`]),
  )

/** PID 1 and a confined and an unconfined daemon, of which the first listens on port 22 and the second on loopback. */
const PROCESSES: Tree = {
  '/proc/1/exe': { link: '/usr/lib/systemd/systemd' },
  '/proc/1/fd/0': { link: '/dev/null' },
  '/proc/1/attr/current': 'unconfined\n',
  '/proc/1/limits':
    'Limit  Soft  Hard\nMax core file size        0                    unlimited            bytes     \n',
  '/proc/41/exe': { link: '/usr/sbin/gatewayd' },
  '/proc/41/fd/3': { link: 'socket:[4100]' },
  '/proc/41/attr/current': '/usr/sbin/gatewayd (enforce)\n',
  '/proc/42/exe': { link: '/usr/sbin/locald' },
  '/proc/42/fd/3': { link: 'socket:[4200]' },
  '/proc/42/attr/current': 'unconfined\n',
  '/proc/net/tcp': socketTable([
    { local: '00000000:0016', state: '0A', inode: 4100 },
    { local: '0100007F:0035', state: '0A', inode: 4200 },
  ]),
  '/proc/self/loginuid': '4294967295',
}

/** A Debian gateway as a careful vendor ships it. */
export const DEBIAN: Tree = {
  ...PROCESSES,
  '/run/systemd/system': { directory: true },
  '/run/systemd/journal': { directory: true },
  '/proc/uptime': '3600.00 100.00\n',
  '/sys/fs/cgroup/system.slice': { directory: true },
  '/proc/1/mountinfo': DEBIAN_MOUNTS.join(''),
  '/proc/cmdline': 'ro quiet\n',
  '/proc/swaps': 'Filename Type Size Used Priority\n/dev/dm-1 partition 1000 0 -2\n',
  '/sys/class/block/dm-1/dm/uuid': 'CRYPT-PLAIN-swap\n',
  '/sys/kernel/security/lsm': 'lockdown,capability,landlock,yama,apparmor',
  '/sys/module/apparmor/parameters/enabled': 'Y\n',
  '/sys/kernel/security/apparmor/profiles': '/usr/sbin/gatewayd (enforce)\n/usr/bin/man (enforce)\nnvidia (complain)\n',
  ...sysctls({
    'kernel.yama.ptrace_scope': '1',
    'kernel.kptr_restrict': '2',
    'kernel.dmesg_restrict': '1',
    'kernel.unprivileged_bpf_disabled': '2',
    'kernel.perf_event_paranoid': '3',
    'kernel.randomize_va_space': '2',
    'kernel.sysrq': '438',
    'kernel.core_pattern': '|/usr/lib/systemd/systemd-coredump %P %u %g',
    'kernel.osrelease': '6.12-amd64',
    'fs.suid_dumpable': '2',
    'fs.protected_symlinks': '1',
    'net.ipv4.ip_forward': '0',
    'net.ipv4.conf.all.rp_filter': '1',
    'net.ipv4.conf.default.accept_redirects': '0',
    'user.max_user_namespaces': '63459',
  }),
  '/etc/systemd/coredump.conf': '[Coredump]\n#Storage=external\n',
  '/etc/systemd/coredump.conf.d/10-none.conf': '[Coredump]\nStorage=none\n',
  '/usr/bin/su': { mode: 0o4755 },
  '/usr/bin/ls': { mode: 0o755 },
  '/usr/bin/editor': { link: '/etc/alternatives/editor' },
  '/etc/alternatives/editor': { link: '/usr/bin/ls' },
  '/bin': { link: 'usr/bin' },
  '/usr/local/bin/tool': { mode: 0o755 },
  '/usr/lib/openssh/ssh-keysign': { mode: 0o4755 },
  '/usr/lib/x86_64-linux-gnu/utempter/utempter': { mode: 0o2755 },
  '/sys/bus/usb/devices/usb1/authorized_default': '0\n',
  '/sys/bus/usb/devices/usb2/authorized_default': '0\n',
  '/sys/bus/usb/devices/1-1/authorized': '1\n',
  '/etc/modprobe.d/usb.conf': '# no sticks\ninstall usb-storage /bin/false\n',
  '/sys/class/tty/console/active': 'tty0\n',
  '/boot/config-6.12-amd64': 'CONFIG_DEVMEM=y\nCONFIG_STRICT_DEVMEM=y\n',
  '/dev/mem': '',
  ...runningUnit('chrony'),
  '/etc/chrony/chrony.conf': [
    'confdir /etc/chrony/conf.d',
    'sourcedir /run/chrony-dhcp',
    'sourcedir /etc/chrony/sources.d',
    'Server time.vendor.example iburst NTS',
    '',
  ].join('\n'),
  '/etc/chrony/sources.d/plant.sources': '! the plant\nserver ntp.plant.example nts\n',
  '/run/chrony-dhcp/eth0.sources': 'server 192.168.1.1\n',
  ...runningUnit('rsyslog'),
  '/etc/rsyslog.conf': '$IncludeConfig /etc/rsyslog.d/*.conf\nauth,authpriv.* /var/log/auth.log\n',
  '/etc/rsyslog.d/remote.conf': [
    '*.* action(type="omfwd" target="log.vendor.example" port="6514" protocol="tcp"',
    '  StreamDriver="gtls" StreamDriverMode="1") # all',
    '',
  ].join('\n'),
  '/etc/systemd/journald.conf': '[Journal]\n#Storage=auto\nForwardToSyslog=yes\n',
  '/var/log/journal': { directory: true },
  ...runningUnit('auditd'),
  '/etc/audit/rules.d/10-base.rules': '# base\n-D\n-b 8192\n',
  '/etc/audit/rules.d/99-lock.rules': '-w /etc/passwd  -p wa\n-e 2\n',
}

/** OpenRC, no journal, BusyBox. */
export const ALPINE: Tree = {
  '/proc/1/mountinfo': mountLine('/', 'ext4', 'rw,relatime') + mountLine('/tmp', 'tmpfs', 'rw,nosuid,nodev'),
  '/proc/uptime': '3600.00 100.00\n',
  '/proc/cmdline': 'quiet\n',
  '/proc/swaps': 'Filename Type Size Used Priority\n/dev/zram0 partition 1000 0 100\n',
  '/etc/init.d/ntpd': '#!/sbin/openrc-run\n',
  '/etc/init.d/syslog': '#!/sbin/openrc-run\n',
  '/etc/init.d/auditd': '#!/sbin/openrc-run\n',
  '/etc/runlevels/default/ntpd': { link: '/etc/init.d/ntpd' },
  '/etc/runlevels/boot/syslog': { link: '/etc/init.d/syslog' },
  '/run/openrc/softlevel': 'default',
  '/run/openrc/started/ntpd': { link: '/etc/init.d/ntpd' },
  '/run/openrc/started/syslog': { link: '/etc/init.d/syslog' },
  '/etc/conf.d/ntpd': '# BusyBox\nNTPD_OPTS="-N -p pool.ntp.org -p 10.0.0.1"\n',
  '/etc/conf.d/syslog': 'SYSLOGD_OPTS="-t -R log.example:514"\n',
  '/etc/inittab': [
    '::sysinit:/sbin/openrc sysinit',
    'tty1::respawn:/sbin/getty 38400 tty1',
    '#ttyS1::respawn:/sbin/getty -L 0 ttyS1 vt100',
    'ttyS0::respawn:/sbin/getty -L 0 ttyS0 vt100',
    '::ctrlaltdel:/sbin/reboot',
    '',
  ].join('\n'),
  '/bin/busybox': { mode: 0o755 },
  '/bin/bbsuid': { mode: 0o4111 },
}

/** procd and UCI. */
export const OPENWRT: Tree = {
  '/proc/1/mountinfo': mountLine('/rom', 'squashfs', 'ro') + mountLine('/', 'overlay', 'rw,noatime'),
  '/proc/cmdline': 'console=ttyS0,115200\n',
  '/etc/init.d/sysntpd': '#!/bin/sh /etc/rc.common\n',
  '/etc/init.d/log': '#!/bin/sh /etc/rc.common\n',
  '/etc/rc.d/S98sysntpd': { link: '../init.d/sysntpd' },
  '/etc/rc.d/S12log': { link: '../init.d/log' },
  '/etc/config/system': [
    'config system',
    "\toption hostname 'unit-1'",
    "\toption log_ip '192.0.2.1'",
    "\toption log_proto 'tcp'",
    '',
    "config timeserver 'ntp'",
    "\toption enabled '1'",
    "\tlist server '0.openwrt.pool.ntp.org'",
    "\tlist server '1.openwrt.pool.ntp.org'",
    '',
  ].join('\n'),
  '/etc/inittab': '::sysinit:/etc/init.d/rcS S boot\n::askconsole:/usr/libexec/login.sh\n',
  '/sys/class/tty/console/active': 'ttyS0\n',
  '/bin/busybox': { mode: 0o755 },
}

/** SysV init, read-only root, BusyBox's syslogd. */
export const YOCTO: Tree = {
  '/proc/1/mountinfo': mountLine('/', 'ext4', 'rw', '/dev/mmcblk0p2', 'ro') + mountLine('/var/volatile', 'tmpfs', 'rw'),
  '/proc/cmdline': 'ro audit=0\n',
  '/etc/init.d/ntpd': '#!/bin/sh\n',
  '/etc/init.d/syslog': '#!/bin/sh\n',
  '/etc/rc5.d/S20ntpd': { link: '../init.d/ntpd' },
  '/etc/rc5.d/S20syslog': { link: '../init.d/syslog' },
  '/etc/ntp.conf':
    'driftfile /var/lib/ntp/drift\nserver time.example # ours\nserver 127.127.1.0\npool -4 pool.example nts\n',
  '/etc/syslog-startup.conf': 'DESTINATION=remote\nREMOTE=log.example:514\n',
  '/etc/inittab': 'S0:12345:respawn:/bin/start_getty 115200 ttyS0 vt102\n1:12345:respawn:/sbin/getty 38400 tty1\n',
  '/usr/bin/sudo': { mode: 0o4755 },
}
