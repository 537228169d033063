import type {
  ChannelSetting,
  Keyring,
  UpdateChannel,
  UpdateSource,
} from '../../../shared/posture/sections/update-channel.ts'
import { readKeyring } from '../apt/keyrings.ts'
import { transportOf } from '../apt/uri.ts'
import type { Host } from '../host.ts'
import { rpmDatabases } from '../packages/rpm.ts'
import { required } from '../required.ts'
import { printable } from '../text.ts'
import { redactAddress } from './address.ts'
import { ChannelFiles } from './files.ts'
import { iniEntries, parseIni } from './ini.ts'
import { newestTime } from './times.ts'
import { cut, settingsOf, truth, type Manager, type ManagerReading, type SettingRule } from './manager.ts'
import { timerSchedule, unitSetting, unitState } from './systemd-units.ts'

const CONFIGURATION = ['/etc/dnf/dnf.conf', '/etc/yum.conf']
/** dnf5's drop-ins, in their order; the main file holds over them. */
const DROP_INS = ['/usr/share/dnf5/libdnf.conf.d', '/etc/dnf/libdnf5.conf.d']
const REPOSITORIES = ['/etc/yum.repos.d', '/etc/yum/repos.d', '/etc/distro.repos.d']
const AUTOMATIC = ['/etc/dnf/automatic.conf', '/etc/dnf/dnf5-plugins/automatic.conf']
const KEYS = '/etc/pki/rpm-gpg'
/** dnf.conf(5). `pkg_gpgcheck` is dnf5's name of gpgcheck. */
const RULES: Readonly<Record<string, SettingRule>> = {
  gpgcheck: 'weakens-if-false',
  pkg_gpgcheck: 'weakens-if-false',
  localpkg_gpgcheck: 'neutral',
  repo_gpgcheck: 'neutral',
  sslverify: 'weakens-if-false',
  proxy_sslverify: 'weakens-if-false',
  proxy: 'neutral',
  reposdir: 'neutral',
  countme: 'neutral',
  username: 'secret',
  password: 'secret',
  proxy_username: 'secret',
  proxy_password: 'secret',
}
const MAX_URIS = 64
const MAX_KEYS = 64

const words = (text: string | undefined): string[] => (text ?? '').split(/[\s,]+/).filter((word) => word !== '')

/** Values that are addresses lose what may be a secret in them. */
const shownSettings = (entries: ReadonlyMap<string, string>): ChannelSetting[] =>
  settingsOf(entries, RULES).map((one) =>
    one.name === 'proxy' ? { ...one, value: cut(redactAddress(one.value)) } : one,
  )

function sourceOf(id: string, entries: ReadonlyMap<string, string>): UpdateSource | undefined {
  const uris = ['baseurl', 'mirrorlist', 'metalink'].flatMap((name) => words(entries.get(name)))
  const signers = words(entries.get('gpgkey'))
  if (uris.length === 0 || uris.length > MAX_URIS || signers.length > MAX_KEYS) return undefined
  const check = truth(entries.get('pkg_gpgcheck') ?? entries.get('gpgcheck'))
  return {
    id: printable(id, 256),
    uris: uris.map(redactAddress),
    transports: uris.map(transportOf),
    signatures: check === undefined ? 'default' : check ? 'enforced' : 'not-enforced',
    signedBy: signers.map((signer) => localPath(signer) ?? redactAddress(signer)),
    settings: shownSettings(entries),
  }
}

const localPath = (uri: string): string | undefined =>
  uri.startsWith('file:///') ? uri.slice('file://'.length) : uri.startsWith('/') ? uri : undefined

/** Files that a `gpgkey` names. dnf's variables stand for any text here: one release's key is as good as another's. */
function readKeyrings(files: ChannelFiles, named: ReadonlySet<string>): Keyring[] {
  const keyrings: Keyring[] = []
  const isPlain = (path: string): boolean => !path.includes('$')
  for (const path of [...named].slice(0, MAX_KEYS)) {
    if (isPlain(path)) keyrings.push(readKeyring(files.host, path, false))
    else if (path.startsWith(`${KEYS}/`)) {
      const pattern = path
        .slice(KEYS.length + 1)
        .split(/\$\{?\w+\}?/)
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('[A-Za-z0-9_.-]+')
      const keys = files
        .parts(KEYS, new RegExp(`^${pattern}$`))
        .slice(0, MAX_KEYS)
        .map((one) => readKeyring(files.host, one, false))
      keyrings.push({
        path: printable(path, 512),
        trustedForAll: false,
        status: keys.length === 0 ? 'absent' : (keys.find(({ status }) => status !== 'read')?.status ?? 'read'),
        keys: keys.flatMap((one) => one.keys).slice(0, MAX_KEYS),
      })
    }
  }
  return keyrings
}

const TIMERS = ['dnf-automatic.timer', 'dnf-automatic-install.timer', 'dnf5-automatic.timer']

/** dnf-automatic(8): the timer with `-install` applies whatever the file says. */
function automaticUpdates(files: ChannelFiles): UpdateChannel['automatic'] {
  const { host } = files
  const states = TIMERS.map((unit) => ({ unit, state: unitState(host, unit) }))
  const there = states.filter(({ state }) => state !== 'absent')
  const commands = iniEntries(parseIni(AUTOMATIC.map((path) => files.text(path)).join('\n')), 'commands')
  const applies = truth(commands.get('apply_updates')) === true
  const isOn = there.some(({ unit, state }) => state === 'enabled' && (applies || unit.includes('-install')))
  const isUnknown = there.some(({ state }) => state === 'unknown')
  return {
    state: there.length === 0 ? 'none' : isUnknown ? 'unknown' : isOn ? 'on' : 'off',
    settings: [
      ...there.map(({ unit, state }) => unitSetting(unit, state)),
      ...there.filter(({ state }) => state === 'enabled').flatMap(({ unit }) => timerSchedule(host, unit)),
      ...settingsOf(commands, { apply_updates: 'neutral', download_updates: 'neutral', upgrade_type: 'neutral' }),
    ],
  }
}

function measure(host: Host): ManagerReading | undefined {
  const directories = REPOSITORIES.filter(
    (path) => required(host.readDirectory(path, 4096), path, 'directory') !== undefined,
  )
  const files = new ChannelFiles(host)
  const path = CONFIGURATION.find((one) => host.stat(one).status !== 'absent')
  if (directories.length === 0 && path === undefined) return undefined
  const text = path === undefined ? undefined : files.find(path)
  const dropIns = DROP_INS.flatMap((directory) => files.parts(directory, /\.conf$/)).map((one) => files.text(one))
  const configuration = parseIni([...dropIns, text ?? ''].join('\n'))
  const main = iniEntries(configuration, 'main')
  let { malformed } = configuration
  const sources = new Map<string, UpdateSource>()
  const named = new Set<string>()
  for (const part of directories.flatMap((directory) => files.parts(directory, /\.repo$/))) {
    const file = parseIni(files.text(part))
    malformed += file.malformed
    for (const { name, entries } of file.sections) {
      if (name === 'main' || truth(entries.get('enabled')) === false) continue
      const source = sourceOf(name, entries)
      if (source === undefined) malformed += 1
      else sources.set(source.id, source)
      for (const signer of words(entries.get('gpgkey')).slice(0, MAX_KEYS)) {
        const key = localPath(signer)
        if (key !== undefined) named.add(key)
      }
    }
  }
  const check = newestTime(host, ['/var/cache/dnf', '/var/cache/libdnf5', '/var/cache/yum'], 'repodata/repomd.xml')
  const installed = rpmDatabases.map((one) => host.stat(one))
  const installs = installed.flatMap((one) => (one.status === 'found' ? [one.value.modified] : []))
  return {
    channel: {
      // dnf.conf(5): packages are not checked unless that is said.
      signatures: files.unreadable.length > 0 ? 'unknown' : mainCheck(main) ? 'enforced' : 'not-enforced',
      sources: [...sources.values()],
      keyrings: readKeyrings(files, named),
      settings: shownSettings(main).filter(({ name }) => name !== 'gpgcheck' && name !== 'pkg_gpgcheck'),
      automatic: automaticUpdates(files),
      malformed,
      unreadable: files.unreadable,
    },
    ...(check === undefined ? {} : { lastCheck: { at: check, source: 'repomd' } }),
    ...(installs.length === 0 ? {} : { lastInstall: Math.max(...installs) }),
  }
}

const mainCheck = (main: ReadonlyMap<string, string>): boolean =>
  truth(main.get('pkg_gpgcheck') ?? main.get('gpgcheck')) === true

export const dnf: Manager = { id: 'dnf', measure }
