import type { ChannelSetting, SettingEffect, UpdateSource } from '../../../shared/posture/sections/update-channel.ts'
import { transportOf } from '../apt/uri.ts'
import type { Host } from '../host.ts'
import { apkDatabases } from '../packages/apk.ts'
import { required } from '../required.ts'
import { printable } from '../text.ts'
import { redactAddress } from './address.ts'
import { ChannelFiles } from './files.ts'
import { cut, setting, type Manager, type ManagerReading } from './manager.ts'
import { readKeyFile } from './pem-keys.ts'
import { newestOf } from './times.ts'

const ETC = '/etc/apk'
/** apk(8): options for every call, one to a line, without their dashes; the second where the first is absent. */
const OPTIONS = [`${ETC}/config`, '/lib/apk/config']
const KEY_DIRECTORIES = [`${ETC}/keys`, '/lib/apk/keys', '/usr/lib/apk/keys']
const MAX_KEYS = 300

/** apk-repositories(5): `[@tag] location`. */
export function parseRepositories(text: string): { sources: UpdateSource[]; malformed: number } {
  const sources: UpdateSource[] = []
  let malformed = 0
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/)
    const [first = ''] = words
    if (first === '' || first.startsWith('#')) continue
    const tag = first.startsWith('@') ? words.shift() : undefined
    const [location, ...rest] = words
    if (location === undefined || rest.length > 0) malformed += 1
    else {
      const uri = redactAddress(location)
      sources.push({
        id: tag === undefined ? uri : `${printable(tag, 128)} ${uri}`,
        uris: [uri],
        transports: [location.startsWith('/') ? 'file' : transportOf(location)],
        signatures: 'default',
        signedBy: [],
        settings: [],
      })
    }
  }
  return { sources, malformed }
}

/** Options of apk(8) that bear on what is accepted. */
const EFFECTS: Readonly<Record<string, SettingEffect>> = {
  'allow-untrusted': 'unsigned',
  'no-check-certificate': 'weakens',
}
const WATCHED = new Set([
  ...Object.keys(EFFECTS),
  'keys-dir',
  'repositories-file',
  'repository',
  'force',
  'force-refresh',
])

export function parseOptions(text: string): ChannelSetting[] {
  const found: ChannelSetting[] = []
  for (const line of text.split('\n')) {
    const [name = '', ...rest] = line
      .trim()
      .replace(/^--/, '')
      .split(/[\s=]+/)
    if (!WATCHED.has(name)) continue
    const value = rest.join(' ')
    const isOff = value === 'no'
    found.push({
      ...setting(name, value === '' ? 'yes' : value, isOff ? 'none' : (EFFECTS[name] ?? 'none')),
      ...(name === 'repository' ? { value: cut(redactAddress(value)) } : {}),
    })
  }
  return found
}

function measure(host: Host): ManagerReading | undefined {
  if (required(host.readDirectory(ETC, 4096), ETC, 'directory') === undefined) return undefined
  const files = new ChannelFiles(host)
  const sources: UpdateSource[] = []
  let malformed = 0
  for (const path of [`${ETC}/repositories`, ...files.parts(`${ETC}/repositories.d`, /\.list$/)]) {
    const repositories = parseRepositories(files.text(path))
    sources.push(...repositories.sources)
    malformed += repositories.malformed
  }
  const options = OPTIONS.map((path) => files.find(path)).find((text) => text !== undefined)
  const keys = KEY_DIRECTORIES.flatMap((directory) => files.parts(directory, /\.pub$/))
  const check = newestOf(host, '/var/cache/apk', /^APKINDEX\..*\.tar\.gz$/)
  const database = apkDatabases.map((path) => host.stat(path))
  const installed = database.find((one) => one.status === 'found')
  return {
    channel: {
      // apk-repositories(5): unless it is told not to.
      signatures: 'enforced',
      sources,
      keyrings: keys.slice(0, MAX_KEYS).map((path) => readKeyFile(host, path)),
      settings: parseOptions(options ?? ''),
      automatic: { state: 'none', settings: [] },
      malformed,
      unreadable: files.unreadable,
    },
    ...(check === undefined ? {} : { lastCheck: { at: check, source: 'apkindex' } }),
    ...(installed?.status === 'found' ? { lastInstall: installed.value.modified } : {}),
  }
}

export const apk: Manager = { id: 'apk', measure }
