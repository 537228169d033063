import {
  MAX_CONFIGURATION_FILES,
  type ConfigurationFile,
  type FirewallManager,
} from '../../../shared/posture/sections/firewall.ts'
import { digestOf, significantLines } from '../digest.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import { identitiesOf, withEntries } from '../unchanged.ts'

const MAX_FILE_BYTES = 1024 * 1024
const MAX_ENTRIES = 256

/** A path that ends in `/` is a directory, whose files count. */
const FILES: readonly (readonly [manager: FirewallManager, paths: readonly string[]])[] = [
  ['nftables', ['/etc/nftables.conf', '/etc/nftables.nft', '/etc/sysconfig/nftables.conf', '/etc/nftables.d/']],
  [
    'ufw',
    [
      '/etc/default/ufw',
      ...['ufw.conf', 'user.rules', 'user6.rules', 'before.rules', 'before6.rules', 'after.rules', 'after6.rules'].map(
        (name) => `/etc/ufw/${name}`,
      ),
    ],
  ],
  [
    'firewalld',
    ['/etc/firewalld/firewalld.conf', '/etc/firewalld/direct.xml', '/etc/firewalld/zones/', '/etc/firewalld/policies/'],
  ],
  [
    'iptables',
    ['/etc/iptables/rules.v4', '/etc/iptables/rules.v6', '/etc/sysconfig/iptables', '/etc/sysconfig/ip6tables'],
  ],
  ['openwrt', ['/etc/config/firewall', '/etc/firewall.user']],
]

export const CONFIGURATION_READS = FILES.flatMap(([, paths]) => paths).join(', ')

/** Another one when one of these files is: also of those that only root may read, as the rules of ufw. */
export function configurationIdentity(host: Host): string {
  const all = FILES.flatMap(([, paths]) => paths)
  const directories = all.filter((path) => path.endsWith('/')).map((path) => path.slice(0, -1))
  return identitiesOf(host, [...all.filter((path) => !path.endsWith('/')), ...withEntries(host, directories)])
}

/** The files that set up the firewall here, each by what it says. */
export function readConfiguration(host: Host): ConfigurationFile[] {
  const found: ConfigurationFile[] = []
  for (const [manager, paths] of FILES) {
    const add = (path: string, content: string) =>
      found.push({ manager, path: printable(path, 512), content: content as ConfigurationFile['content'] })
    for (const path of paths) {
      const names = path.endsWith('/') ? host.readDirectory(path.slice(0, -1), MAX_ENTRIES) : undefined
      if (names !== undefined && names.status !== 'found') {
        if (names.status !== 'absent') add(path, names.status)
        continue
      }
      for (const file of names === undefined ? [path] : names.value.map((name) => `${path}${name}`)) {
        const text = host.readText(file, MAX_FILE_BYTES)
        if (text.status === 'found') add(file, contentDigest(text.value))
        else if (text.status !== 'absent') add(file, text.status)
      }
    }
  }
  if (found.length <= MAX_CONFIGURATION_FILES) return found
  // What does not fit is told as a whole: a change in it is one of the configuration too.
  const named = found.slice(0, MAX_CONFIGURATION_FILES - 1)
  const others = found.slice(named.length)
  const content = digestOf(others.map((one) => `${one.manager} ${one.path} ${one.content}`).join('\n'))
  return [
    ...named,
    { manager: (others[0] as ConfigurationFile).manager, path: `(${others.length} more files)`, content },
  ]
}

/** Saved rules carry counters. */
const contentDigest = (text: string): string => digestOf(significantLines(text.replace(/\[\d+:\d+\]/g, '')).join('\n'))
