import { MAX_PACKAGES, type Package } from '../../../shared/posture/sections/packages.ts'
import { parseStanzas } from '../deb822.ts'
import type { Host } from '../host.ts'
import { required } from '../required.ts'
import type { Reading, Sensor } from '../sensor.ts'
import { readRecord, RECORD_FIELDS } from './dpkg-record.ts'

const STATUS = '/var/lib/dpkg/status'
/** Images without a package manager (distroless) have one file for each package instead. */
const STATUS_DIRECTORY = '/var/lib/dpkg/status.d'
const MAX_STATUS_BYTES = 16 * 1024 * 1024
const MAX_FILES = 8192

interface Inventory {
  readonly packages: Package[]
  malformed: number
  incomplete: boolean
}

function addDatabase(inventory: Inventory, text: string, stateless: boolean): void {
  for (const stanza of parseStanzas(text, { wanted: RECORD_FIELDS, comments: false })) {
    const record = readRecord(stanza, stateless)
    if (record === 'malformed') inventory.malformed += 1
    else if (record !== 'not-installed') inventory.packages.push(record)
  }
  // dpkg ends every record of its database with an empty line: without one, the file was cut.
  if (text !== '' && !text.endsWith(stateless ? '\n' : '\n\n')) inventory.incomplete = true
}

function addDirectory(host: Host, inventory: Inventory, names: readonly string[]): void {
  for (const name of names) {
    // The file lists of the same packages lie beside the records.
    if (name.endsWith('.md5sums')) continue
    const file = host.readText(`${STATUS_DIRECTORY}/${name}`, 1024 * 1024)
    if (file.status === 'found') addDatabase(inventory, file.value, true)
    else inventory.incomplete = true
  }
}

function measure(host: Host): Reading<'packages'> {
  const status = required(host.readText(STATUS, MAX_STATUS_BYTES), STATUS, 'file')
  const files = required(host.readDirectory(STATUS_DIRECTORY, MAX_FILES), STATUS_DIRECTORY, 'directory')
  if (status === undefined && files === undefined) return { status: 'not-supported', reason: 'no-dpkg' }
  const inventory: Inventory = { packages: [], malformed: 0, incomplete: false }
  if (status !== undefined) addDatabase(inventory, status, false)
  addDirectory(host, inventory, files ?? [])
  const { packages, malformed, incomplete } = inventory
  // By name before the cut, so that the order of the database does not decide what is left out.
  if (packages.length > MAX_PACKAGES) packages.sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    status: 'measured',
    content: {
      manager: 'dpkg',
      packages: packages.slice(0, MAX_PACKAGES),
      total: packages.length,
      malformed,
      incomplete,
    },
  }
}

export const dpkgSensor: Sensor<'packages'> = {
  id: 'packages-dpkg',
  title: 'installed Debian packages',
  section: 'packages',
  reads: `${STATUS}, ${STATUS_DIRECTORY}`,
  needs: 'nothing beyond reading /var/lib/dpkg',
  blindSpots:
    'software installed without dpkg; changes that dpkg has not merged yet from /var/lib/dpkg/updates; files changed after installation; packages inside containers',
  budget: { cpuMs: 60 },
  remedy: 'Check with `dpkg --audit` that the package database is intact.',
  measure,
}
