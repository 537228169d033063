import type { Keyring, SigningKey } from '../../../shared/posture/sections/update-channel.ts'
import type { Host } from '../host.ts'
import { required } from '../required.ts'
import { ChannelFiles } from './files.ts'
import { iniEntries, parseIni } from './ini.ts'
import { settingsOf, type Manager, type ManagerReading, type SettingRule } from './manager.ts'
import { readKeyFile, readPemKeys } from './pem-keys.ts'

/** RAUC's reference, "System Configuration File": the first of them that is there. */
const FILES = ['/etc/rauc/system.conf', '/run/rauc/system.conf', '/usr/lib/rauc/system.conf']
const MAX_FILE_BYTES = 1024 * 1024
const MAX_KEYS = 64

const SYSTEM: Readonly<Record<string, SettingRule>> = {
  compatible: 'neutral',
  bootloader: 'neutral',
  'bundle-formats': 'neutral',
  'min-bundle-version': 'neutral',
  'activate-installed': 'neutral',
  'prevent-late-fallback': 'neutral',
}
const KEYRING: Readonly<Record<string, SettingRule>> = {
  'check-crl': 'neutral',
  'check-purpose': 'neutral',
  'allowed-signer-cns': 'neutral',
  'allow-partial-chain': 'weakens-if-true',
  'allow-single-signature': 'neutral',
  // An expired certificate is good then, as long as the bundle says that it was signed before.
  'use-bundle-signing-time': 'weakens-if-true',
}
const STREAMING: Readonly<Record<string, SettingRule>> = {
  'sandbox-user': 'neutral',
  'tls-ca': 'neutral',
  'tls-cert': 'neutral',
  'tls-key': 'secret',
  'send-headers': 'neutral',
}
const CASYNC: Readonly<Record<string, SettingRule>> = { storepath: 'neutral', 'use-desync': 'neutral' }

/** A path in the file may be relative to the file. */
const absolute = (path: string, file: string): string =>
  path.startsWith('/') ? path : `${file.slice(0, file.lastIndexOf('/'))}/${path}`

function readKeyrings(files: ChannelFiles, entries: ReadonlyMap<string, string>, file: string): Keyring[] {
  const path = entries.get('path')
  const directory = entries.get('directory')
  const paths = path === undefined || path === '' ? [] : [absolute(path, file)]
  // OpenSSL's directory of hashed names: what is no certificate is none of its.
  if (directory !== undefined) paths.push(...files.parts(absolute(directory, file), /^[0-9a-f]{8}\.\d+$/))
  return paths.slice(0, MAX_KEYS).map((one) => readKeyFile(files.host, one, readCertificates))
}

/** A keyring of certificates holds nothing else. */
function readCertificates(text: string): SigningKey[] | undefined {
  const keys = readPemKeys(text)
  return keys?.every(({ expires }) => expires !== undefined) === true ? keys : undefined
}

/** By the central status file, if the system has one: it keeps a time of installation for each slot. */
function lastInstall({ host }: ChannelFiles, system: ReadonlyMap<string, string>): number | undefined {
  const directory = system.get('data-directory')
  const path = system.get('statusfile') ?? (directory === undefined ? undefined : `${directory}/central.raucs`)
  if (path?.startsWith('/') !== true) return undefined
  const file = host.readText(path, MAX_FILE_BYTES)
  if (file.status !== 'found') return undefined
  const times = parseIni(file.value).sections.map(({ entries }) => Date.parse(entries.get('installed.timestamp') ?? ''))
  const known = times.filter((time) => Number.isSafeInteger(time))
  return known.length === 0 ? undefined : Math.floor(Math.max(...known) / 1000)
}

function measure(host: Host): ManagerReading | undefined {
  const file = FILES.find((path) => host.stat(path).status !== 'absent')
  if (file === undefined) return undefined
  const text = required(host.readText(file, MAX_FILE_BYTES), file, 'file')
  if (text === undefined) return undefined
  const files = new ChannelFiles(host)
  const configuration = parseIni(text)
  const keyring = iniEntries(configuration, 'keyring')
  const keyrings = readKeyrings(files, keyring, file)
  const system = iniEntries(configuration, 'system')
  const install = lastInstall(files, system)
  return {
    channel: {
      // A bundle is checked always, and none is accepted where there is no keyring to check it with.
      signatures: 'enforced',
      sources: [],
      keyrings,
      settings: [
        ...settingsOf(system, SYSTEM),
        ...settingsOf(keyring, KEYRING, 'keyring '),
        ...settingsOf(iniEntries(configuration, 'streaming'), STREAMING, 'streaming '),
        ...settingsOf(iniEntries(configuration, 'casync'), CASYNC, 'casync '),
      ],
      // RAUC installs what it is told to; whoever tells it is another manager, or a program of the product.
      automatic: { state: 'none', settings: [] },
      malformed: configuration.malformed,
      unreadable: files.unreadable,
    },
    ...(install === undefined ? {} : { lastInstall: install }),
  }
}

export const rauc: Manager = { id: 'rauc', measure }
