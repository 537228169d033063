import {
  MAX_KEYRINGS,
  MAX_OVERRIDES,
  MAX_SOURCES,
  type UpdateSource,
} from '../../shared/posture/sections/update-channel.ts'
import { parseAptConfiguration, watchedOverrides, type AptSettings } from './apt/configuration.ts'
import { AptFiles } from './apt/files.ts'
import { readKeyring } from './apt/keyrings.ts'
import { lastCheck } from './apt/last-check.ts'
import { expandEntry } from './apt/source.ts'
import { parseDeb822Sources, parseOneLineSources } from './apt/sources-list.ts'
import type { Host } from './host.ts'
import { required } from './required.ts'
import type { Reading, Sensor } from './sensor.ts'

const ETC = '/etc/apt'
/** Names that apt takes notice of in its directories of parts, sources.list(5) and apt.conf(5). */
const SOURCE_NAME = /^[A-Za-z0-9._-]+\.(?:list|sources)$/
const CONFIGURATION_NAME = /^[A-Za-z0-9_-][A-Za-z0-9_-]*(?:\.conf)?$/
const KEYRING_NAME = /^[A-Za-z0-9._-]+\.(?:gpg|asc)$/

interface Sources {
  readonly sources: UpdateSource[]
  readonly keyrings: Set<string>
  malformed: number
}

function readSources(files: AptFiles): Sources {
  const all: Sources = { sources: [], keyrings: new Set(), malformed: 0 }
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
      }
    }
  }
  return all
}

function measure(host: Host): Reading<'update-channel'> {
  if (required(host.readDirectory(ETC, 4096), ETC, 'directory') === undefined) {
    return { status: 'not-supported', reason: 'no-apt' }
  }
  const files = new AptFiles(host)
  const { sources, keyrings, malformed } = readSources(files)
  const trusted = files.parts(`${ETC}/trusted.gpg.d`, KEYRING_NAME)
  if (host.stat(`${ETC}/trusted.gpg`).status !== 'absent') trusted.unshift(`${ETC}/trusted.gpg`)
  const named = [...keyrings].filter((path) => !trusted.includes(path))
  const settings: AptSettings = new Map()
  let misread = 0
  for (const path of [...files.parts(`${ETC}/apt.conf.d`, CONFIGURATION_NAME), `${ETC}/apt.conf`]) {
    misread += parseAptConfiguration(files.text(path), settings)
  }
  const overrides = watchedOverrides(settings)
  const paths = [...trusted.map((path) => ({ path, all: true })), ...named.map((path) => ({ path, all: false }))]
  return {
    status: 'measured',
    content: {
      manager: 'apt',
      sources: sources.slice(0, MAX_SOURCES),
      keyrings: paths.slice(0, MAX_KEYRINGS).map(({ path, all }) => readKeyring(host, path, all)),
      overrides: overrides.slice(0, MAX_OVERRIDES),
      malformed: malformed + misread,
      unreadable: files.unreadable,
      truncated: sources.length > MAX_SOURCES || paths.length > MAX_KEYRINGS || overrides.length > MAX_OVERRIDES,
    },
    state: lastCheck(host),
  }
}

export const aptSensor: Sensor<'update-channel'> = {
  id: 'update-channel-apt',
  title: 'where apt takes packages from, and whose signature it trusts',
  section: 'update-channel',
  reads: '/etc/apt, the keyrings that its sources name, /var/lib/apt/periodic, times in /var/lib/apt/lists',
  needs: 'nothing beyond reading these files',
  blindSpots:
    "options given on apt's command line or in APT_CONFIG; files named by #include; pinning; credentials; " +
    "whether the servers behind the addresses are the vendor's",
  budget: { cpuMs: 20 },
  remedy: 'Make /etc/apt and the keyrings readable for all; check the sources with `apt-get update`.',
  measure,
}
