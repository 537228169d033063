import type { ChannelSetting, SigningKey, UpdateSource } from '../../../shared/posture/sections/update-channel.ts'
import { transportOf } from '../apt/uri.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import { redactAddress } from './address.ts'
import { ChannelFiles } from './files.ts'
import { cut, setting, truth, type Manager, type ManagerReading } from './manager.ts'
import { readKeyFile } from './pem-keys.ts'
import { newestOf } from './times.ts'

const FILE = '/etc/opkg.conf'
const DIRECTORY = '/etc/opkg'
const KEYS = `${DIRECTORY}/keys`
const MAX_KEYS = 300

interface OpkgConfiguration {
  readonly sources: UpdateSource[]
  /** The last value of each `option`; one without a value is on. */
  readonly options: Map<string, string>
  malformed: number
}

/** opkg.conf(5): `src|src/gz name url`, `option name [value]`; `dest`, `arch`, `lists_dir` bear on nothing here. */
export function parseOpkg(text: string, into: OpkgConfiguration): void {
  for (const line of text.split('\n')) {
    const words = line.replace(/^\s*#.*/, '').match(/"[^"]*"|\S+/g) ?? []
    const [kind, name, value] = words.map((word) => word.replaceAll('"', ''))
    if (kind === undefined) continue
    if (kind === 'option' && name !== undefined) into.options.set(name, value ?? '1')
    else if (/^src(?:\/gz)?$/.test(kind) && name !== undefined && value !== undefined) {
      const uri = redactAddress(value)
      into.sources.push({
        id: printable(name, 256),
        uris: [uri],
        transports: [transportOf(value)],
        signatures: 'default',
        signedBy: [],
        settings: [],
      })
    } else if (!['dest', 'arch', 'lists_dir'].includes(kind)) into.malformed += 1
  }
}

/** `option` names that bear on what is accepted; credentials are only told to be there. */
const WEAKENING = new Set(['no_check_certificate', 'no-check-certificate', 'force_checksum', 'force_signature'])
const NEUTRAL = new Set(['signature_type', 'signature_ca_file', 'ssl_ca_file', 'ssl_ca_path'])
const PROXIES = new Set(['http_proxy', 'https_proxy', 'ftp_proxy'])
const SECRETS = new Set(['http_auth', 'proxy_user', 'proxy_passwd', 'signature_passwd', 'ssl_cert_passwd'])

function optionSettings(options: ReadonlyMap<string, string>): ChannelSetting[] {
  const settings: ChannelSetting[] = []
  for (const [name, value] of options) {
    if (NEUTRAL.has(name)) settings.push(setting(name, value))
    else if (WEAKENING.has(name)) settings.push(setting(name, value, truth(value) === false ? 'none' : 'weakens'))
    else if (PROXIES.has(name)) settings.push({ ...setting(name, ''), value: cut(redactAddress(value)) })
    else if (SECRETS.has(name)) settings.push(setting(name, 'present'))
  }
  return settings
}

/** usign's public key, as OpenWrt uses it: a comment line, then base64 of `Ed`, a key number and the key itself. */
export function readUsignKey(text: string): SigningKey[] | undefined {
  const [comment = '', body = ''] = text.split('\n')
  const bytes = Buffer.from(body.trim(), 'base64')
  if (!comment.startsWith('untrusted comment:') || bytes.length !== 42) return undefined
  if (bytes.toString('latin1', 0, 2) !== 'Ed' || bytes.toString('base64') !== body.trim()) return undefined
  return [{ fingerprint: bytes.toString('hex', 2, 10).toUpperCase() }]
}

function measure(host: Host): ManagerReading | undefined {
  const files = new ChannelFiles(host)
  const main = files.find(FILE)
  const parts = files.parts(DIRECTORY, /\.conf$/)
  if (main === undefined && parts.length === 0) return files.absent()
  const configuration: OpkgConfiguration = { sources: [], options: new Map(), malformed: 0 }
  for (const text of [main ?? '', ...parts.map((path) => files.text(path))]) parseOpkg(text, configuration)
  // Lists, unlike packages, are what carries the signature of OpenWrt; either of the two options is a check.
  const { options } = configuration
  const isChecked = ['check_signature', 'check_pkg_signature'].some((name) => truth(options.get(name)) === true)
  const keys = files.parts(KEYS, /^[0-9a-f]{16}$/)
  const lists = ['/var/opkg-lists', '/var/lib/opkg/lists', '/usr/lib/opkg/lists']
  const checks = lists.map((directory) => newestOf(host, directory, /./)).filter((at) => at !== undefined)
  const status = ['/usr/lib/opkg/status', '/var/lib/opkg/status'].map((path) => host.stat(path))
  const installed = status.find((one) => one.status === 'found')
  return {
    channel: {
      signatures: isChecked ? 'enforced' : files.unreadable.length > 0 ? 'unknown' : 'not-enforced',
      sources: configuration.sources,
      keyrings: keys.slice(0, MAX_KEYS).map((path) => readKeyFile(host, path, readUsignKey)),
      settings: optionSettings(options),
      automatic: { state: 'none', settings: [] },
      malformed: configuration.malformed,
      unreadable: files.unreadable,
    },
    ...(checks.length === 0 ? {} : { lastCheck: { at: Math.max(...checks), source: 'lists' } }),
    ...(installed?.status === 'found' ? { lastInstall: installed.value.modified } : {}),
  }
}

export const opkg: Manager = { id: 'opkg', measure }
