import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { socketTable } from './proc-net.ts'

/** What one unit has for itself, and no other unit of its fleet. */
export interface Unit {
  readonly name: string
  /** Sixteen random bytes in hexadecimal, or what looks like it. */
  readonly id: string
  readonly address: string
  readonly firstPid: number
  readonly uptimeSeconds: number
  /** When its files were written and its updates last looked for, seconds since 1970. */
  readonly installedAt: number
  readonly checkedAt: number
  readonly ephemeralPort: string
}

const uuid = (id: string): string => id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

/** Makes an installed system into this unit, as it runs: its own names, keys, logs, times, and a kernel's files. */
export function becomeUnit(root: string, unit: Unit): void {
  const write = (path: string, content: string): void => {
    const at = join(root, path)
    mkdirSync(dirname(at), { recursive: true })
    // Never through a link, which may lead out of the tree.
    rmSync(at, { force: true })
    writeFileSync(at, content)
  }
  for (const [path, content] of Object.entries({ ...ownFiles(unit), ...kernelFiles(unit) })) write(path, content)
  runProcesses(root, unit)
  touchAll(root, unit.installedAt)
  const stamp = 'var/lib/apt/periodic/update-success-stamp'
  write(stamp, '')
  utimesSync(join(root, stamp), unit.checkedAt, unit.checkedAt)
}

const ownFiles = ({ name, id, address, checkedAt }: Unit): Record<string, string> => ({
  'etc/hostname': `${name}\n`,
  'etc/hosts': `127.0.0.1 localhost\n127.0.1.1 ${name}\n${address} ${name}.example\n`,
  'etc/machine-id': `${id}\n`,
  'var/lib/dbus/machine-id': `${id}\n`,
  'etc/fstab': `UUID=${uuid(id)} / ext4 errors=remount-ro 0 1\n`,
  'etc/ssh/ssh_host_ed25519_key': `-----BEGIN OPENSSH PRIVATE KEY-----\n${id}\n-----END OPENSSH PRIVATE KEY-----\n`,
  'etc/ssh/ssh_host_ed25519_key.pub': `ssh-ed25519 AAAA${id} root@${name}\n`,
  'var/lib/systemd/random-seed': id,
  'var/log/dpkg.log': `${checkedAt} status installed base-files\n`,
  'var/log/auth.log': `${name} sshd: Accepted publickey from ${address}\n`,
  'var/log/apt/history.log': '',
})

const kernelFiles = (unit: Unit): Record<string, string> => ({
  'proc/cmdline': `BOOT_IMAGE=/boot/vmlinuz root=UUID=${uuid(unit.id)} ro quiet\n`,
  'proc/version': 'Linux version 6.12.0-amd64 (a builder) #1 SMP\n',
  'proc/uptime': `${unit.uptimeSeconds}.07 ${unit.uptimeSeconds * 2}.11\n`,
  'proc/sys/kernel/osrelease': '6.12.0-amd64\n',
  'proc/sys/kernel/arch': 'x86_64\n',
  'proc/sys/kernel/hostname': `${unit.name}\n`,
  'proc/sys/kernel/random/boot_id': `${uuid(unit.id)}\n`,
  'proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n',
  'sys/class/dmi/id/sys_vendor': 'Example Works\n',
  'sys/class/dmi/id/bios_version': '1.2.3\n',
  'sys/class/dmi/id/product_serial': `${unit.id.slice(0, 8)}\n`,
  'sys/class/dmi/id/product_uuid': `${uuid(unit.id)}\n`,
  'sys/class/net/eth0/address': `02:${unit.id.slice(0, 10).replace(/..(?!$)/g, '$&:')}\n`,
  'proc/net/tcp': socketTable([
    { local: '00000000:0016', state: '0A', inode: unit.firstPid * 10 },
    { local: `${hexAddress(unit.address)}:01BB`, state: '0A', inode: unit.firstPid * 10 + 1 },
    { local: `${hexAddress(unit.address)}:0016`, state: '01', inode: unit.firstPid * 10 + 2 },
  ]),
  'proc/net/udp': socketTable([
    { local: `00000000:${unit.ephemeralPort}`, state: '07', inode: unit.firstPid * 10 + 3 },
  ]),
})

const hexAddress = (address: string): string =>
  address
    .split('.')
    .reverse()
    .map((byte) => Number(byte).toString(16).toUpperCase().padStart(2, '0'))
    .join('')

function runProcesses(root: string, { firstPid, uptimeSeconds }: Unit): void {
  const programs = ['/usr/lib/systemd/systemd', '/usr/sbin/sshd', '/usr/sbin/gateway', '/usr/sbin/gateway']
  const pids = [1, firstPid, firstPid + 7, firstPid + 11]
  programs.forEach((program, index) => {
    const directory = join(root, 'proc', String(pids[index]))
    mkdirSync(join(directory, 'fd'), { recursive: true })
    symlinkSync(program, join(directory, 'exe'))
    symlinkSync('/dev/null', join(directory, 'fd', '0'))
    writeFileSync(join(directory, 'maps'), `${uptimeSeconds}000-2 r-xp 0 08:01 42 ${program}\n`)
    writeFileSync(join(directory, 'stat'), `${pids[index]} (${program.slice(-9)}) S 1 1 1 0 -1 0 ${uptimeSeconds}\n`)
    writeFileSync(join(directory, 'cmdline'), `${program}\0`)
    const inodes = index === 1 ? [0] : index === 2 ? [1] : index === 3 ? [3] : []
    for (const [at, inode] of inodes.entries()) {
      symlinkSync(`socket:[${firstPid * 10 + inode}]`, join(directory, 'fd', String(at + 3)))
    }
  })
}

/** Every file of the tree, links included, gets the time at which this unit was installed. */
function touchAll(root: string, seconds: number): void {
  const touched = spawnSync('find', [root, '-exec', 'touch', '-h', '-d', `@${seconds}`, '{}', '+'], {
    encoding: 'utf8',
  })
  if (touched.status !== 0) throw new Error(touched.stderr)
}
