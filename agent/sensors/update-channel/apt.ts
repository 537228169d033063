import type { Keyring, UpdateSource } from '../../../shared/posture/sections/update-channel.ts'
import { automaticUpdates } from '../apt/automatic.ts'
import { parseAptConfiguration, watchedOverrides, type AptSettings } from '../apt/configuration.ts'
import { readKeyring } from '../apt/keyrings.ts'
import { lastCheck } from '../apt/last-check.ts'
import { lastUpgrade } from '../apt/last-install.ts'
import { expandEntry } from '../apt/source.ts'
import { parseDeb822Sources, parseOneLineSources } from '../apt/sources-list.ts'
import type { Host } from '../host.ts'
import { required } from '../required.ts'
import { ChannelFiles } from './files.ts'
import type { Manager, ManagerReading } from './manager.ts'

const ETC = '/etc/apt'
/** Names that apt takes notice of in its directories of parts, sources.list(5) and apt.conf(5). */
const SOURCE_NAME = /^[A-Za-z0-9._-]+\.(?:list|sources)$/
const CONFIGURATION_NAME = /^[A-Za-z0-9_-][A-Za-z0-9_-]*(?:\.conf)?$/
const KEYRING_NAME = /^[A-Za-z0-9._-]+\.(?:gpg|asc)$/

interface Sources {
  readonly sources: UpdateSource[]
  readonly keyrings: Set<string>
  readonly inline: Map<string, Keyring>
  malformed: number
}

function readSources(files: ChannelFiles): Sources {
  const all: Sources = { sources: [], keyrings: new Set(), inline: new Map(), malformed: 0 }
  for (const path of [`${ETC}/sources.list`, ...files.parts(`${ETC}/sources.list.d`, SOURCE_NAME)]) {
    const parse = path.endsWith('.sources') ? parseDeb822Sources : parseOneLineSources
    const { entries, malformed } = parse(files.text(path))
    all.malformed += malformed
    for (const entry of entries) {
      const expanded = expandEntry(entry)
      if (expanded === undefined) all.malformed += 1
      else {
        for (const source of expanded.sources) all.sources.push(source)
        for (const keyring of expanded.keyrings) all.keyrings.add(keyring)
        for (const keyring of expanded.inline) all.inline.set(keyring.path, keyring)
      }
    }
  }
  return all
}

/** More keyring files than any system has would cost more than they tell; the section says that it was cut. */
const MAX_READ = 300

function readKeyrings(files: ChannelFiles, { keyrings, inline }: Sources): Keyring[] {
  const { host } = files
  const trusted = files.parts(`${ETC}/trusted.gpg.d`, KEYRING_NAME)
  if (host.stat(`${ETC}/trusted.gpg`).status !== 'absent') trusted.unshift(`${ETC}/trusted.gpg`)
  const named = [...keyrings].filter((path) => !trusted.includes(path))
  const paths = [...trusted.map((path) => ({ path, all: true })), ...named.map((path) => ({ path, all: false }))]
  return [...paths.slice(0, MAX_READ).map(({ path, all }) => readKeyring(host, path, all)), ...inline.values()]
}

function measure(host: Host): ManagerReading | undefined {
  if (required(host.readDirectory(ETC, 4096), ETC, 'directory') === undefined) return undefined
  const files = new ChannelFiles(host)
  const sources = readSources(files)
  const settings: AptSettings = new Map()
  let misread = 0
  for (const path of [...files.parts(`${ETC}/apt.conf.d`, CONFIGURATION_NAME), `${ETC}/apt.conf`]) {
    misread += parseAptConfiguration(files.text(path), settings)
  }
  const automatic = automaticUpdates(host, settings)
  const check = lastCheck(host)
  const upgrade = lastUpgrade(host)
  return {
    channel: {
      // apt-secure(8): so it is, where no setting and no source says otherwise.
      signatures: 'enforced',
      sources: sources.sources,
      keyrings: readKeyrings(files, sources),
      settings: watchedOverrides(settings),
      // A file that could not be read may say the contrary.
      automatic: files.unreadable.length === 0 ? automatic : { ...automatic, state: 'unknown' },
      malformed: sources.malformed + misread,
      unreadable: files.unreadable,
    },
    ...(check === undefined ? {} : { lastCheck: check }),
    ...(upgrade === undefined ? {} : { lastInstall: upgrade }),
  }
}

export const apt: Manager = { id: 'apt', measure }
