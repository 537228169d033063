import { MAX_DAEMONS, type SshDaemon, type SshSetting } from '../../../shared/posture/sections/access/ssh.ts'
import { printableOrDigest } from '../digest.ts'
import type { Host } from '../host.ts'
import { observed } from '../observe.ts'
import { printable } from '../text.ts'
import { shellVariable } from './shell-variable.ts'
import { setting } from './ssh-settings.ts'

const PROGRAMS = ['/usr/sbin/dropbear', '/usr/bin/dropbear', '/usr/bin/dropbearmulti', '/usr/sbin/dropbearmulti']
const UCI = '/etc/config/dropbear'
const DEFAULTS = ['/etc/default/dropbear', '/etc/conf.d/dropbear', '/etc/sysconfig/dropbear']
const MAX_FILE_BYTES = 64 * 1024

export const DROPBEAR_KEY_FILES = ['.ssh/authorized_keys']
/** Where OpenWrt has the keys of root. */
export const DROPBEAR_ROOT_KEYS = '/etc/dropbear/authorized_keys'

const NO_MATCHES = { value: [] }
const yesNo = (value: boolean): string => (value ? 'yes' : 'no')

interface Dropbear {
  readonly password: boolean
  readonly rootLogin: boolean
  readonly rootPassword: boolean
  readonly empty: boolean
  readonly gatewayPorts: boolean
  readonly forwarding: boolean
  readonly port: string
  readonly forceCommand: string
}

/** By the names of sshd_config(5): so far as they mean the same, the same is said of both servers. */
const settingsOf = (one: Dropbear): SshSetting[] => [
  setting('PasswordAuthentication', yesNo(one.password)),
  setting('PermitRootLogin', yesNo(one.rootLogin)),
  setting('RootPasswordAuthentication', yesNo(one.rootPassword)),
  setting('PermitEmptyPasswords', yesNo(one.empty)),
  setting('GatewayPorts', yesNo(one.gatewayPorts)),
  setting('AllowTcpForwarding', yesNo(one.forwarding)),
  setting('Port', one.port),
  setting('ForceCommand', one.forceCommand),
]

/** Empty: no dropbear is installed. */
export function readDropbear(host: Host): SshDaemon[] {
  if (PROGRAMS.every((path) => host.stat(path).status === 'absent')) return []
  const base = { program: 'dropbear', basis: 'configuration', matches: NO_MATCHES } as const
  const uci = host.readText(UCI, MAX_FILE_BYTES)
  if (uci.status === 'found') {
    const sections = parseUci(uci.value).slice(0, MAX_DAEMONS - 1)
    return sections.map(({ name, options }) => ({
      ...base,
      instance: printable(name, 64),
      settings: { value: settingsOf(ofUci(options)) },
      options: { missing: 'absent' },
    }))
  }
  if (uci.status !== 'absent') return [{ ...base, settings: { missing: uci.status }, options: { missing: uci.status } }]
  const path = DEFAULTS.find((one) => host.stat(one).status !== 'absent')
  const text = path === undefined ? ({ status: 'found', value: '' } as const) : host.readText(path, MAX_FILE_BYTES)
  return [
    {
      ...base,
      settings: observed(text, (file) => ({ value: settingsOf(ofDefaults(file)) })),
      options: observed(text, (file) => ({ value: printableOrDigest(optionsIn(file), 512) })),
    },
  ]
}

const optionsIn = (text: string): string =>
  ['DROPBEAR_EXTRA_ARGS', 'DROPBEAR_ARGS', 'DROPBEAR_OPTS', 'OPTIONS']
    .flatMap((name) => shellVariable(text, name) ?? [])
    .join(' ')

/** dropbear(8): options with a value end a group of letters. */
const WITH_VALUE = 'bcDGIKpPrTW'

function ofDefaults(text: string): Dropbear {
  const letters = new Set<string>()
  const ports: string[] = []
  const port = shellVariable(text, 'DROPBEAR_PORT')
  if (port !== undefined && port !== '') ports.push(port)
  let forceCommand = 'none'
  const words = optionsIn(text).split(/\s+/)
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (!/^-[A-Za-z]/.test(word)) continue
    for (const [index, letter] of [...word].entries()) {
      if (index === 0) continue
      letters.add(letter)
      if (!WITH_VALUE.includes(letter)) continue
      const value = word.length > index + 1 ? word.slice(index + 1) : (words[(at += 1)] ?? '')
      if (letter === 'p') ports.push(value)
      if (letter === 'c') forceCommand = value
      break
    }
  }
  return {
    password: !letters.has('s'),
    rootLogin: !letters.has('w'),
    rootPassword: !letters.has('g'),
    empty: letters.has('B'),
    gatewayPorts: letters.has('a'),
    forwarding: !(letters.has('j') && letters.has('k')),
    port: scopes(ports),
    forceCommand,
  }
}

/** An address of the unit's own is not told: `192.0.2.1:22` is `address:22`. */
const scopes = (ports: readonly string[]): string =>
  (ports.length === 0 ? ['22'] : ports.map((one) => one.replace(/^.+:(?=\d+$)/, 'address:'))).sort().join(' ')

interface UciSection {
  readonly name: string
  readonly options: ReadonlyMap<string, string>
}

/** The sections of UCI's file for dropbear. One without a name is told by its place. */
function parseUci(text: string): UciSection[] {
  const sections: { name: string; options: Map<string, string> }[] = []
  for (const line of text.split('\n')) {
    const [kind, ...words] = (line.match(/'[^']*'|"[^"]*"|[^\s'"]+/g) ?? []).map((word) =>
      word.replace(/^(['"])(.*)\1$/, '$2'),
    )
    const [key = '', value = ''] = words
    if (kind === 'config' && key === 'dropbear') {
      sections.push({ name: words[1] ?? `${sections.length}`, options: new Map() })
    } else if (kind === 'config') sections.push({ name: '', options: new Map() })
    else if (kind === 'option' || kind === 'list') sections.at(-1)?.options.set(key, value)
  }
  return sections.filter(({ name }) => name !== '')
}

function ofUci(options: ReadonlyMap<string, string>): Dropbear {
  const is = (name: string, byDefault: boolean): boolean => {
    const value = options.get(name)
    return value === undefined ? byDefault : /^(?:1|on|true|yes|enabled)$/.test(value)
  }
  return {
    password: is('PasswordAuth', true),
    rootLogin: is('RootLogin', true),
    rootPassword: is('RootPasswordAuth', true),
    empty: false,
    gatewayPorts: is('GatewayPorts', false),
    forwarding: true,
    port: [options.get('Port') ?? '22', ...(is('enable', true) ? [] : ['disabled'])].join(' '),
    forceCommand: options.get('ForceCommand') ?? 'none',
  }
}
