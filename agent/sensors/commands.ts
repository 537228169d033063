/**
 * The commands of the system that the privileged helper runs, each with one fixed list of arguments. They only read.
 * The agent itself runs none: see HostOptions.run in ./host.ts.
 */
export interface SystemCommand {
  /** Where it may be; the first file that exists is run, without a shell and without an environment of ours. */
  readonly paths: readonly string[]
  readonly args: readonly string[]
  readonly maxBytes: number
  readonly timeoutMs: number
}

const MIB = 1024 * 1024

/** Read by ./packages/rpm-list.ts. rpm itself turns the escapes into characters. */
const RPM_FORMAT = '%{NAME}\\t%{EPOCH}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\t%{SOURCERPM}\\n'

export const COMMANDS = {
  'nft-ruleset': {
    paths: ['/usr/sbin/nft', '/sbin/nft', '/usr/bin/nft'],
    args: ['--json', '--stateless', '--numeric', 'list', 'ruleset'],
    maxBytes: 8 * MIB,
    timeoutMs: 5000,
  },
  'iptables-nft': {
    paths: ['/usr/sbin/iptables-nft-save', '/sbin/iptables-nft-save'],
    args: [],
    maxBytes: 8 * MIB,
    timeoutMs: 5000,
  },
  'ip6tables-nft': {
    paths: ['/usr/sbin/ip6tables-nft-save', '/sbin/ip6tables-nft-save'],
    args: [],
    maxBytes: 8 * MIB,
    timeoutMs: 5000,
  },
  'iptables-legacy': {
    paths: ['/usr/sbin/iptables-legacy-save', '/sbin/iptables-legacy-save'],
    args: [],
    maxBytes: 8 * MIB,
    timeoutMs: 5000,
  },
  'ip6tables-legacy': {
    paths: ['/usr/sbin/ip6tables-legacy-save', '/sbin/ip6tables-legacy-save'],
    args: [],
    maxBytes: 8 * MIB,
    timeoutMs: 5000,
  },
  'sshd-effective': { paths: ['/usr/sbin/sshd', '/usr/bin/sshd'], args: ['-T'], maxBytes: MIB, timeoutMs: 5000 },
  'vsock-listeners': {
    paths: ['/usr/bin/ss', '/bin/ss', '/sbin/ss'],
    args: ['--no-header', '--numeric', '--listening', '--extended', '--vsock'],
    maxBytes: MIB,
    timeoutMs: 5000,
  },
  'socket-bindings': {
    paths: ['/usr/bin/ss', '/bin/ss', '/sbin/ss'],
    args: ['--no-header', '--numeric', '--listening', '--extended', '--tcp', '--udp', '--raw', '--sctp'],
    maxBytes: 8 * MIB,
    timeoutMs: 5000,
  },
  // Only where the database is in a format that is not read here: rpm itself may lock it, as for every query.
  'rpm-packages': {
    paths: ['/usr/bin/rpm', '/bin/rpm'],
    args: ['-qa', '--nodigest', '--nosignature', '--queryformat', RPM_FORMAT],
    maxBytes: 8 * MIB,
    timeoutMs: 5000,
  },
} as const satisfies Record<string, SystemCommand>

export type CommandId = keyof typeof COMMANDS
