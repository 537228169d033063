import type { ChannelSetting, Keyring, UpdateSource } from '../../../shared/posture/sections/update-channel.ts'
import { transportOf } from '../apt/uri.ts'
import type { Host } from '../host.ts'
import { redactAddress } from './address.ts'
import { ChannelFiles } from './files.ts'
import { parseLibconfig } from './libconfig.ts'
import { cut, setting, settingsOf, truth, type Manager, type ManagerReading, type SettingRule } from './manager.ts'
import { readKeyFile } from './pem-keys.ts'
import { serviceRuns, serviceState, unitSetting } from './systemd-units.ts'

const FILES = ['/etc/swupdate.cfg', '/etc/swupdate/swupdate.cfg']
/** Shell snippets that add to SWUPDATE_ARGS before the daemon is started. */
const SNIPPETS = ['/etc/swupdate/conf.d', '/usr/lib/swupdate/conf.d']
const SERVICE = 'swupdate.service'

/** examples/configuration/swupdate.cfg of SWUpdate. */
const GLOBALS: Readonly<Record<string, SettingRule>> = {
  'globals.ca-path': 'neutral',
  'globals.forced-signer-name': 'neutral',
  'globals.cert-purpose': 'neutral',
  'globals.no-downgrading': 'neutral',
  'globals.minimum-version': 'neutral',
  'globals.max-version': 'neutral',
  'globals.no-reinstalling': 'neutral',
  'globals.aes-key-file': 'secret',
}
const SURICATTA: Readonly<Record<string, SettingRule>> = {
  'suricatta.enable': 'neutral',
  'suricatta.tenant': 'neutral',
  'suricatta.server': 'neutral',
  'suricatta.polldelay': 'neutral',
  'suricatta.cacert': 'neutral',
  'suricatta.cafile': 'neutral',
  'suricatta.nocheckcert': 'weakens-if-true',
  'suricatta.targettoken': 'secret',
  'suricatta.gatewaytoken': 'secret',
  'suricatta.sslkey': 'secret',
}
const OTHERS: Readonly<Record<string, SettingRule>> = {
  'download.authentication': 'secret',
  'webserver.port': 'neutral',
  'webserver.global-auth-file': 'neutral',
  'mongoose.port': 'neutral',
  'mongoose.global-auth-file': 'neutral',
}

/** The arguments that matter here, in a shell snippet that is not run: `-k FILE`, `--key FILE`, `--no-downgrading`. */
export function parseArguments(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const words = text
    .split('\n')
    .filter((line) => !line.trim().startsWith('#'))
    .flatMap((line) => line.split(/[\s"'=]+/))
  words.forEach((word, index) => {
    const next = words[index + 1] ?? ''
    if ((word === '-k' || word === '--key') && next.startsWith('/')) found.set('globals.public-key-file', next)
    else if (word === '--ca-path' && next !== '') found.set('globals.ca-path', next)
    else if (word === '--no-downgrading' || word === '-N') found.set('globals.no-downgrading', next)
    else if (word === '--forced-signer-name') found.set('globals.forced-signer-name', next)
  })
  return found
}

/** Where the daemon gets updates from by itself. */
function sourcesOf(values: ReadonlyMap<string, string>): UpdateSource[] {
  return ['suricatta', 'download'].flatMap((id) => {
    const url = values.get(`${id}.url`)
    if (url === undefined || url === '') return []
    const settings: ChannelSetting[] = id === 'suricatta' ? settingsOf(values, SURICATTA) : []
    const transports = [transportOf(url)]
    return [{ id, uris: [redactAddress(url)], transports, signatures: 'default' as const, signedBy: [], settings }]
  })
}

function measure(host: Host): ManagerReading | undefined {
  const files = new ChannelFiles(host)
  const texts = FILES.map((path) => files.find(path)).filter((text) => text !== undefined)
  const snippets = SNIPPETS.flatMap((directory) => files.parts(directory, /^[A-Za-z0-9._-]+$/))
  if (texts.length === 0 && snippets.length === 0) return files.absent()
  const values = new Map<string, string>()
  let malformed = 0
  for (const text of texts) {
    const file = parseLibconfig(text)
    malformed += file.malformed
    for (const [name, value] of file.values) values.set(name, value)
  }
  for (const path of snippets) for (const [name, value] of parseArguments(files.text(path))) values.set(name, value)
  const key = values.get('globals.public-key-file')
  const keyrings: Keyring[] = key === undefined || key === '' ? [] : [readKeyFile(host, key)]
  const hasCheck = keyrings.length > 0 || values.has('globals.ca-path')
  const service = serviceState(host, SERVICE)
  const polls = values.has('suricatta.url') && truth(values.get('suricatta.enable')) !== false
  const proxy = values.get('suricatta.proxy')
  return {
    channel: {
      // Whether it was built to demand signatures does not show; with a key to check them with it was.
      signatures: hasCheck ? 'enforced' : 'unknown',
      sources: sourcesOf(values),
      keyrings,
      settings: [
        ...settingsOf(values, GLOBALS),
        ...settingsOf(values, OTHERS),
        ...(proxy === undefined ? [] : [{ ...setting('suricatta.proxy', ''), value: cut(redactAddress(proxy)) }]),
      ],
      automatic: polls
        ? {
            state: serviceRuns(service),
            settings: [unitSetting(SERVICE, service)],
          }
        : { state: 'none', settings: [] },
      malformed,
      unreadable: files.unreadable,
    },
  }
}

export const swupdate: Manager = { id: 'swupdate', measure }
