import type { Keyring, UpdateChannel, UpdateSource } from '../../../shared/posture/sections/update-channel.ts'
import { readKeyring } from '../apt/keyrings.ts'
import { transportOf } from '../apt/uri.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import { redactAddress } from './address.ts'
import { ChannelFiles } from './files.ts'
import { iniEntries, parseIni, type IniFile } from './ini.ts'
import { cut, setting, settingsOf, truth, type Manager, type ManagerReading, type SettingRule } from './manager.ts'
import { timerSchedule, unitSetting, unitState } from './systemd-units.ts'
import { newestTime } from './times.ts'

const REPOSITORIES = ['/ostree/repo', '/sysroot/ostree/repo']
const REMOTES = '/etc/ostree/remotes.d'
/** ostree-gpg(1): keys that hold for every remote, beside the remote's own. */
const TRUSTED = '/usr/share/ostree/trusted.gpg.d'
const TIMER = 'rpm-ostreed-automatic.timer'
const DAEMON = '/etc/rpm-ostreed.conf'
const MAX_KEYS = 256
const REMOTE = /^remote "(.*)"$/s

/** ostree.repo-config(5). */
const RULES: Readonly<Record<string, SettingRule>> = {
  'gpg-verify': 'neutral',
  'gpg-verify-summary': 'neutral',
  'sign-verify': 'neutral',
  'sign-verify-summary': 'neutral',
  'verification-ed25519-file': 'neutral',
  'verification-ed25519-key': 'neutral',
  'tls-permissive': 'weakens-if-true',
  'tls-ca-path': 'neutral',
  'unconfigured-state': 'neutral',
}

/** `sign-verify` is a boolean, or names the kinds of signatures of which one is needed. */
function isChecked(entries: ReadonlyMap<string, string>): boolean {
  const gpg = truth(entries.get('gpg-verify')) ?? true
  const sign = entries.get('sign-verify')
  return gpg || (sign !== undefined && sign !== '' && (truth(sign) ?? true))
}

function sourceOf(name: string, entries: ReadonlyMap<string, string>, keyrings: readonly Keyring[]): UpdateSource {
  const uris = ['url', 'contenturl', 'metalink'].flatMap((key) => entries.get(key) ?? []).filter((uri) => uri !== '')
  const proxy = entries.get('proxy')
  return {
    id: printable(name, 256),
    uris: uris.map(redactAddress),
    transports: uris.map(transportOf),
    signatures: isChecked(entries) ? 'enforced' : 'not-enforced',
    signedBy: keyrings.map(({ path }) => path),
    settings: [
      ...settingsOf(entries, RULES),
      ...(proxy === undefined ? [] : [{ ...setting('proxy', ''), value: cut(redactAddress(proxy)) }]),
    ],
  }
}

/** The remote's own file in the repository, and those that `gpgkeypath` names: files, or directories of them. */
function ownKeyrings(files: ChannelFiles, repository: string, name: string, gpgKeyPath: string): Keyring[] {
  const { host } = files
  const paths = /^[^/]+$/.test(name) ? [`${repository}/${name}.trustedkeys.gpg`] : []
  for (const path of gpgKeyPath.split(/[;,]/).filter((one) => one.startsWith('/'))) {
    const stat = host.stat(path)
    const isDirectory = stat.status === 'found' && stat.value.kind === 'directory'
    paths.push(...(isDirectory ? files.parts(path.replace(/\/+$/, ''), /./) : [path]))
  }
  return paths
    .slice(0, MAX_KEYS)
    .filter((path) => host.stat(path).status !== 'absent')
    .map((path) => readKeyring(host, path, false))
}

/** rpm-ostreed.conf(5): what the timer's run does, if it runs. */
function automaticUpdates(files: ChannelFiles): UpdateChannel['automatic'] {
  const state = unitState(files.host, TIMER)
  if (state === 'absent') return { state: 'none', settings: [] }
  const policy = iniEntries(parseIni(files.text(DAEMON)), 'Daemon').get('AutomaticUpdatePolicy') ?? 'none'
  const isOn = state === 'enabled' && ['stage', 'apply'].includes(policy)
  return {
    state: state === 'unknown' ? 'unknown' : isOn ? 'on' : 'off',
    settings: [
      unitSetting(TIMER, state),
      setting('AutomaticUpdatePolicy', policy),
      ...(state === 'enabled' ? timerSchedule(files.host, TIMER) : []),
    ],
  }
}

function measure(host: Host): ManagerReading | undefined {
  const files = new ChannelFiles(host)
  const repository = REPOSITORIES.find((path) => host.stat(`${path}/config`).status !== 'absent')
  if (repository === undefined) return undefined
  if (files.find(`${repository}/config`) === undefined) return files.absent()
  const configurations: IniFile[] = [`${repository}/config`, ...files.parts(REMOTES, /\.conf$/)].map((path) =>
    parseIni(files.text(path)),
  )
  const sources: UpdateSource[] = []
  const keyrings = files
    .parts(TRUSTED, /\.(?:gpg|asc)$/)
    .slice(0, MAX_KEYS)
    .map((path) => readKeyring(host, path, true))
  for (const { name: group, entries } of configurations.flatMap(({ sections }) => sections)) {
    const name = REMOTE.exec(group)?.[1]
    if (name === undefined) continue
    const own = ownKeyrings(files, repository, name, entries.get('gpgkeypath') ?? '')
    keyrings.push(...own)
    sources.push(sourceOf(name, entries, own))
  }
  // Each deployment is a new directory in there.
  const deployed = newestTime(host, ['/ostree/deploy'], 'deploy')
  return {
    channel: {
      // ostree.repo-config(5): gpg-verify is true unless a remote says otherwise.
      signatures: 'enforced',
      sources,
      keyrings,
      settings: [],
      automatic: automaticUpdates(files),
      malformed: configurations.reduce((sum, { malformed }) => sum + malformed, 0),
      unreadable: files.unreadable,
    },
    ...(deployed === undefined ? {} : { lastInstall: deployed }),
  }
}

export const ostree: Manager = { id: 'ostree', measure }
