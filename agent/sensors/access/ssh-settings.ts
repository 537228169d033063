import { isIPv6 } from 'node:net'
import { MAX_SSH_SETTINGS, type SshSetting } from '../../../shared/posture/sections/access/ssh.ts'
import { printableOrDigest } from '../digest.ts'
import { parseAddressText } from '../sockets/address.ts'
import { printable } from '../text.ts'

/**
 * The settings that bear on who gets in and what he can do then, by sshd_config(5), with what OpenSSH does where its
 * configuration is silent. Undefined: that depends on its version, or on how it was built.
 */
const SETTINGS = {
  PasswordAuthentication: 'yes',
  KbdInteractiveAuthentication: 'yes',
  UsePAM: 'no',
  AuthenticationMethods: 'any',
  PermitRootLogin: 'prohibit-password',
  PermitEmptyPasswords: 'no',
  PubkeyAuthentication: 'yes',
  AuthorizedKeysFile: '.ssh/authorized_keys .ssh/authorized_keys2',
  AuthorizedKeysCommand: 'none',
  AuthorizedKeysCommandUser: 'none',
  AuthorizedPrincipalsFile: 'none',
  AuthorizedPrincipalsCommand: 'none',
  TrustedUserCAKeys: 'none',
  RevokedKeys: 'none',
  HostbasedAuthentication: 'no',
  IgnoreRhosts: 'yes',
  StrictModes: 'yes',
  PermitUserEnvironment: 'no',
  AllowUsers: undefined,
  AllowGroups: undefined,
  DenyUsers: undefined,
  DenyGroups: undefined,
  AllowTcpForwarding: 'yes',
  AllowStreamLocalForwarding: 'yes',
  AllowAgentForwarding: 'yes',
  DisableForwarding: 'no',
  GatewayPorts: 'no',
  PermitOpen: 'any',
  PermitListen: 'any',
  PermitTunnel: 'no',
  X11Forwarding: 'no',
  Ciphers: undefined,
  MACs: undefined,
  KexAlgorithms: undefined,
  HostKeyAlgorithms: undefined,
  PubkeyAcceptedAlgorithms: undefined,
  CASignatureAlgorithms: undefined,
  RequiredRSASize: undefined,
  MaxAuthTries: '6',
  LogLevel: 'INFO',
  ForceCommand: 'none',
  ChrootDirectory: 'none',
  PermitTTY: 'yes',
  PermitUserRC: 'yes',
  AcceptEnv: undefined,
  Subsystem: undefined,
} as const satisfies Record<string, string | undefined>

const NAMES: ReadonlyMap<string, keyof typeof SETTINGS> = new Map(
  (Object.keys(SETTINGS) as (keyof typeof SETTINGS)[]).map((name) => [name.toLowerCase(), name]),
)

/** Older names of the same things. */
const ALIASES: Readonly<Record<string, string>> = {
  challengeresponseauthentication: 'kbdinteractiveauthentication',
  skeyauthentication: 'kbdinteractiveauthentication',
  pubkeyacceptedkeytypes: 'pubkeyacceptedalgorithms',
  dsaauthentication: 'pubkeyauthentication',
}

/** Those of which all lines count; of any other one the first does. */
const ADDING: ReadonlySet<string> = new Set([
  'port',
  'listenaddress',
  'allowusers',
  'allowgroups',
  'denyusers',
  'denygroups',
  'acceptenv',
  'subsystem',
])

/** One line of a configuration, or of what `sshd -T` prints. Words are byte strings. */
export interface SshdLine {
  /** In lower case. */
  readonly keyword: string
  readonly words: readonly string[]
}

/** Values by lower-case keyword. */
export type SshdValues = ReadonlyMap<string, readonly string[]>

export function valuesOf(lines: readonly SshdLine[]): SshdValues {
  const values = new Map<string, string[]>()
  for (const { keyword: given, words } of lines) {
    const keyword = ALIASES[given] ?? given
    const value = keyword === 'subsystem' ? [words.join(' ')] : words
    const known = values.get(keyword)
    if (known === undefined) values.set(keyword, [...value])
    else if (ADDING.has(keyword)) known.push(...value)
  }
  return values
}

const SYNONYMS: Readonly<Record<string, string>> = {
  true: 'yes',
  false: 'no',
  'without-password': 'prohibit-password',
  all: 'yes',
}

function normal(keyword: string, words: readonly string[]): string {
  if (keyword === 'loglevel') return words.join(' ').toUpperCase()
  if (ADDING.has(keyword)) return [...new Set(words)].sort().join(' ')
  const value = words.join(' ')
  const lower = value.toLowerCase()
  return SYNONYMS[lower] ?? (/^(?:yes|no|none|any|prohibit-password|forced-commands-only)$/.test(lower) ? lower : value)
}

export const setting = (name: string, value: string): SshSetting => ({
  name: printable(name, 64),
  value: printableOrDigest(value, 2048),
})

/** What is set, of all that is known here; `defaults`: and what OpenSSH does of the rest. */
export function generalSettings(values: SshdValues, defaults: boolean): SshSetting[] {
  const all: SshSetting[] = []
  for (const [keyword, name] of NAMES) {
    const words = values.get(keyword)
    const value = words === undefined ? (defaults ? SETTINGS[name] : undefined) : normal(keyword, words)
    if (value !== undefined) all.push(setting(name, value))
  }
  return [...all, setting('ListenAddress', listeners(values))]
}

/** All that a Match block sets; undefined if that is too much. */
export function matchSettings(lines: readonly SshdLine[]): SshSetting[] | undefined {
  const values = [...valuesOf(lines)]
  if (values.length > MAX_SSH_SETTINGS) return undefined
  return values.map(([keyword, words]) => setting(NAMES.get(keyword) ?? keyword, normal(keyword, words)))
}

/** Where the server listens, by how far it reaches: addresses of the unit's own differ from unit to unit. */
function listeners(values: SshdValues): string {
  const ports = values.get('port') ?? ['22']
  const [family = 'any'] = values.get('addressfamily') ?? []
  const everywhere = [...(family === 'inet6' ? [] : ['0.0.0.0']), ...(family === 'inet' ? [] : ['::'])]
  const addresses = values.get('listenaddress') ?? everywhere
  const all = addresses.flatMap((one) => {
    const { host, port } = split(one)
    return (port === undefined ? ports : [port]).map((each) => `${scopeOf(host)}:${each}`)
  })
  return [...new Set(all)].sort().join(' ')
}

/** `host:port`, `[address]:port`, or an address alone. */
function split(address: string): { host: string; port?: string } {
  const [, bracketed, after] = /^\[([^\]]*)\](?::(\d+))?$/.exec(address) ?? []
  if (bracketed !== undefined) return after === undefined ? { host: bracketed } : { host: bracketed, port: after }
  const [, host, port] = /^([^:]*):(\d+)$/.exec(address) ?? []
  return host === undefined || port === undefined ? { host: address } : { host, port }
}

function scopeOf(host: string): string {
  const ipv4 = parseAddressText(host)
  if (ipv4 !== undefined) return `ipv4-${ipv4.scope}`
  const [plain = ''] = host.split('%')
  if (!isIPv6(plain)) return host === '*' ? 'any' : 'name'
  if (plain === '::') return 'ipv6-any'
  if (plain === '::1') return 'ipv6-loopback'
  return /^fe[89ab]/i.test(plain) ? 'ipv6-link' : 'ipv6-address'
}
