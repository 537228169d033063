/**
 * Settings of the kernel that decide how well it keeps programs apart, by their names as of sysctl(8), and in which
 * direction each is weaker. What the section `boot` tells is not here.
 */
export interface KernelSetting {
  readonly name: string
  /**
   * `higher`, `lower`: numbers, of which the higher or the lower is the stronger. A list: values from the weakest to
   * the strongest; those in one inner list are equals. `bits`: each bit that is set is one more thing that is allowed.
   * Anything else than what is described here has no direction.
   */
  readonly stronger: 'higher' | 'lower' | 'bits' | readonly (readonly string[])[]
  /** The kernel makes it from the size of the memory: only whether it is zero is the same on equal units. */
  readonly zeroOnly?: true
}

/** net.ipv4.conf and net.ipv6.conf: for all interfaces, and for those to come. Interfaces differ from unit to unit. */
const forAll = (family: 'ipv4' | 'ipv6', name: string, stronger: KernelSetting['stronger']): KernelSetting[] =>
  ['all', 'default'].map((scope) => ({ name: `net.${family}.conf.${scope}.${name}`, stronger }))

export const KERNEL_SETTINGS: readonly KernelSetting[] = [
  { name: 'kernel.yama.ptrace_scope', stronger: 'higher' },
  { name: 'kernel.kptr_restrict', stronger: 'higher' },
  { name: 'kernel.dmesg_restrict', stronger: 'higher' },
  // 2: off until root switches it on again; 1: off until the next boot.
  { name: 'kernel.unprivileged_bpf_disabled', stronger: [['0'], ['2'], ['1']] },
  { name: 'kernel.unprivileged_userns_clone', stronger: 'lower' },
  { name: 'kernel.apparmor_restrict_unprivileged_userns', stronger: 'higher' },
  { name: 'user.max_user_namespaces', stronger: [['not 0'], ['0']], zeroOnly: true },
  { name: 'kernel.perf_event_paranoid', stronger: 'higher' },
  { name: 'kernel.randomize_va_space', stronger: 'higher' },
  { name: 'kernel.modules_disabled', stronger: 'higher' },
  { name: 'kernel.io_uring_disabled', stronger: 'higher' },
  { name: 'kernel.sysrq', stronger: 'bits' },
  { name: 'fs.protected_symlinks', stronger: 'higher' },
  { name: 'fs.protected_hardlinks', stronger: 'higher' },
  { name: 'fs.protected_fifos', stronger: 'higher' },
  { name: 'fs.protected_regular', stronger: 'higher' },
  // 1: readable by the user who runs the program; 2: by root alone; 0: not written.
  { name: 'fs.suid_dumpable', stronger: [['1'], ['2'], ['0']] },
  { name: 'vm.mmap_min_addr', stronger: 'higher' },
  { name: 'vm.unprivileged_userfaultfd', stronger: 'lower' },
  { name: 'dev.tty.ldisc_autoload', stronger: 'lower' },
  { name: 'dev.tty.legacy_tiocsti', stronger: 'lower' },
  { name: 'net.core.bpf_jit_harden', stronger: 'higher' },
  { name: 'net.ipv4.ip_forward', stronger: 'lower' },
  { name: 'net.ipv4.tcp_syncookies', stronger: [['0'], ['1', '2']] },
  { name: 'net.ipv4.icmp_echo_ignore_broadcasts', stronger: 'higher' },
  // 2, loose, lets in what 1, strict, does not.
  ...forAll('ipv4', 'rp_filter', [['0'], ['2'], ['1']]),
  ...forAll('ipv4', 'accept_redirects', 'lower'),
  ...forAll('ipv4', 'send_redirects', 'lower'),
  ...forAll('ipv4', 'accept_source_route', 'lower'),
  ...forAll('ipv6', 'forwarding', 'lower'),
  ...forAll('ipv6', 'accept_redirects', 'lower'),
  ...forAll('ipv6', 'accept_source_route', 'lower'),
]

const byName = new Map(KERNEL_SETTINGS.map((setting) => [setting.name, setting]))

/** How strong a setting is, in numbers that compare only with those of the same setting; undefined: nobody knows. */
export function settingStrength(name: string, value: string): Readonly<Record<string, number>> | undefined {
  const stronger = byName.get(name)?.stronger
  if (stronger === undefined) return undefined
  if (typeof stronger !== 'string') {
    const rank = stronger.findIndex((equals) => equals.includes(value))
    return rank < 0 ? undefined : { [name]: rank + 1 }
  }
  if (!/^-?\d{1,15}$/.test(value)) return undefined
  const number = Number(value)
  if (stronger === 'bits') return forbidden(name, number)
  return { [name]: OFFSET + (stronger === 'higher' ? number : -number) }
}

/** Every number is above zero, which is what a setting counts for that is not there any more. */
const OFFSET = 2 ** 50

/** Of kernel.sysrq, admin-guide/sysrq.rst: 1 allows all, and 0 nothing. */
const SYSRQ_BITS = [2, 4, 8, 16, 32, 64, 128, 256] as const

function forbidden(name: string, allowed: number): Readonly<Record<string, number>> {
  const isAllowed = (bit: number): boolean => allowed === 1 || (allowed & bit) !== 0
  return Object.fromEntries(SYSRQ_BITS.map((bit) => [`${name} ${bit}`, isAllowed(bit) ? 0 : 1]))
}
