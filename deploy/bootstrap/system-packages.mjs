// What the programs and the tests need from the operating system, and how to find out whether it is there.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const LIBRARY_DIRECTORIES = ['/usr/lib', '/lib', '/usr/lib64', '/usr/local/lib']

function hasLibrary(soname) {
  return LIBRARY_DIRECTORIES.some((directory) => {
    if (existsSync(join(directory, soname))) return true
    try {
      return readdirSync(directory).some(
        (entry) => entry.endsWith('-linux-gnu') && existsSync(join(directory, entry, soname)),
      )
    } catch {
      return false
    }
  })
}

function hasCommand(name) {
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`
  return path.split(':').some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Debian keeps the server's programs out of the path, apart by version. */
function hasPostgres() {
  try {
    return readdirSync('/usr/lib/postgresql').some((version) =>
      existsSync(join('/usr/lib/postgresql', version, 'bin', 'initdb')),
    )
  } catch {
    return false
  }
}

/** `debian`: package names, newest release first; the first one that the package lists know is taken. */
const PACKAGES = [
  {
    name: 'tpm2-tss (esys)',
    for: ['preview', 'test'],
    present: () => hasLibrary('libtss2-esys.so.0'),
    debian: ['libtss2-esys-3.0.2-0t64', 'libtss2-esys-3.0.2-0'],
  },
  {
    name: 'tpm2-tss (mu)',
    for: ['preview', 'test'],
    present: () => hasLibrary('libtss2-mu.so.0'),
    debian: ['libtss2-mu-4.0.1-0t64', 'libtss2-mu0'],
  },
  {
    name: 'tpm2-tss (tctildr)',
    for: ['preview', 'test'],
    present: () => hasLibrary('libtss2-tctildr.so.0'),
    debian: ['libtss2-tctildr0t64', 'libtss2-tctildr0'],
  },
  {
    name: 'tpm2-tss (rc)',
    for: ['preview', 'test'],
    present: () => hasLibrary('libtss2-rc.so.0'),
    debian: ['libtss2-rc0t64', 'libtss2-rc0'],
  },
  {
    name: 'tpm2-tss (device)',
    for: ['preview', 'test'],
    present: () => hasLibrary('libtss2-tcti-device.so.0'),
    debian: ['libtss2-tcti-device0t64', 'libtss2-tcti-device0'],
  },
  {
    name: 'tpm2-tss (swtpm)',
    for: ['preview', 'test'],
    present: () => hasLibrary('libtss2-tcti-swtpm.so.0'),
    debian: ['libtss2-tcti-swtpm0t64', 'libtss2-tcti-swtpm0'],
  },
  {
    name: 'swtpm',
    for: ['preview', 'test'],
    present: () => hasCommand('swtpm') && hasCommand('swtpm_setup'),
    debian: ['swtpm', 'swtpm-tools'],
    all: true,
  },
  { name: 'tpm2-tools', for: ['test'], present: () => hasCommand('tpm2_checkquote'), debian: ['tpm2-tools'] },
  { name: 'mosquitto', for: ['test', 'vm'], present: () => hasCommand('mosquitto'), debian: ['mosquitto'] },
  { name: 'iproute2', for: ['test'], present: () => hasCommand('ss'), debian: ['iproute2'] },
  { name: 'openssl', for: ['test', 'vm'], present: () => hasCommand('openssl'), debian: ['openssl'] },
  { name: 'gpg', for: ['test'], present: () => hasCommand('gpg'), debian: ['gpg'] },
  { name: 'nftables', for: ['test'], present: () => hasCommand('nft'), debian: ['nftables'] },
  { name: 'sshd', for: ['test'], present: () => hasCommand('sshd'), debian: ['openssh-server'] },
  { name: 'needrestart', for: ['test'], present: () => hasCommand('needrestart'), debian: ['needrestart'] },
  {
    name: 'debootstrap',
    for: ['test', 'vm', 'container'],
    present: () => hasCommand('debootstrap'),
    debian: ['debootstrap'],
  },
  {
    name: 'systemd-nspawn',
    for: ['test'],
    present: () => hasCommand('systemd-nspawn'),
    debian: ['systemd-container'],
  },
  // Its program promtool. Where packages start their services, its server would be started too: see prepare.mjs.
  { name: 'promtool', for: ['test'], present: () => hasCommand('promtool'), debian: ['prometheus'] },
  { name: 'lz4', for: ['test'], present: () => hasCommand('lz4'), debian: ['lz4'] },
  { name: 'chromium', for: ['test'], present: () => hasCommand('chromium'), debian: ['chromium'] },
  { name: 'lintian', for: ['test'], present: () => hasCommand('lintian'), debian: ['lintian'] },
  { name: 'rpm', for: ['test'], present: () => hasCommand('rpmbuild') && hasCommand('rpmspec'), debian: ['rpm'] },
  // Unpacks what rpm2cpio makes of a package.
  { name: 'cpio', for: ['test'], present: () => hasCommand('cpio'), debian: ['cpio'] },
  { name: 'zsh', for: ['test'], present: () => hasCommand('zsh'), debian: ['zsh'] },
  { name: 'fish', for: ['test'], present: () => hasCommand('fish'), debian: ['fish'] },
  { name: 'man', for: ['test'], present: () => hasCommand('man'), debian: ['man-db'] },
  { name: 'mandoc', for: ['test'], present: () => hasCommand('mandoc'), debian: ['mandoc'] },
  {
    name: 'node-exporter',
    for: ['bench'],
    present: () => hasCommand('prometheus-node-exporter'),
    debian: ['prometheus-node-exporter'],
  },
  { name: 'lynis', for: ['bench'], present: () => hasCommand('lynis'), debian: ['lynis'] },
  { name: 'PostgreSQL', for: ['test', 'bench'], present: hasPostgres, debian: ['postgresql'] },
  {
    name: 'QEMU for x86',
    for: ['vm'],
    present: () => hasCommand('qemu-system-x86_64'),
    debian: ['qemu-system-x86'],
  },
  {
    name: 'OVMF',
    for: ['vm'],
    present: () => existsSync('/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd'),
    debian: ['ovmf'],
  },
  {
    name: "systemd's EFI stub",
    for: ['vm'],
    present: () => existsSync('/usr/lib/systemd/boot/efi/linuxx64.efi.stub'),
    debian: ['systemd-boot-efi'],
  },
  { name: 'sbsigntool', for: ['vm'], present: () => hasCommand('sbsign'), debian: ['sbsigntool'] },
  { name: 'mtools', for: ['vm'], present: () => hasCommand('mcopy'), debian: ['mtools'] },
  { name: 'dosfstools', for: ['vm'], present: () => hasCommand('mkfs.vfat'), debian: ['dosfstools'] },
  { name: 'fdisk', for: ['vm'], present: () => hasCommand('sfdisk'), debian: ['fdisk'] },
  { name: 'e2fsprogs', for: ['vm'], present: () => hasCommand('mkfs.ext4'), debian: ['e2fsprogs'] },
  { name: 'binutils', for: ['vm'], present: () => hasCommand('objcopy'), debian: ['binutils'] },
  { name: 'podman', for: ['container'], present: () => hasCommand('podman'), debian: ['podman'] },
  // Not crun, which refuses machines that have both versions of control groups at once.
  { name: 'runc', for: ['container'], present: () => hasCommand('runc'), debian: ['runc'] },
  { name: 'conmon', for: ['container'], present: () => hasCommand('conmon'), debian: ['conmon'] },
  {
    name: "podman's networks",
    for: ['container'],
    present: () => existsSync('/usr/lib/podman/netavark') && existsSync('/usr/lib/podman/aardvark-dns'),
    debian: ['netavark', 'aardvark-dns', 'iptables'],
    all: true,
  },
  {
    name: 'podman-compose',
    for: ['container'],
    present: () => hasCommand('podman-compose'),
    debian: ['podman-compose'],
  },
  {
    name: 'Go, with the functions of Helm',
    for: ['container'],
    present: () =>
      hasCommand('go') &&
      existsSync('/usr/share/gocode/src/github.com/Masterminds/sprig') &&
      existsSync('/usr/share/gocode/src/sigs.k8s.io/yaml'),
    debian: ['golang-go', 'golang-github-masterminds-sprig-dev', 'golang-k8s-sigs-yaml-dev'],
    all: true,
  },
  {
    name: 'a C++ compiler',
    for: ['preview', 'test'],
    present: () => hasCommand('g++') && hasCommand('make') && hasCommand('python3'),
    debian: ['g++', 'make', 'python3'],
    all: true,
  },
]

export function missingSystemPackages(purposes) {
  return PACKAGES.filter((entry) => purposes.some((purpose) => entry.for.includes(purpose)) && !entry.present())
}

export const hasApt = () => hasCommand('apt-get')

/** The command, as words, that installs `missing` on a Debian-like system. Wants current package lists. */
export function aptCommand(missing) {
  const known = (name) => spawnSync('apt-cache', ['show', '--no-all-versions', name], { stdio: 'ignore' }).status === 0
  const names = missing.flatMap((entry) => {
    if (entry.all === true) return entry.debian
    return [entry.debian.find(known) ?? entry.debian[entry.debian.length - 1]]
  })
  return ['apt-get', 'install', '-y', '--no-install-recommends', ...names]
}
