import { parseStanzas } from '../deb822.ts'
import type { Host } from '../host.ts'
import { required } from '../required.ts'
import { Unchanged } from '../unchanged.ts'
import { readRecord, RECORD_FIELDS, type StatusRules } from './dpkg-record.ts'
import { addRecord, emptyInventory, MAX_DATABASE_BYTES, type Inventory } from './inventory.ts'

export const dpkgDatabase = '/var/lib/dpkg/status'
const STATUS = dpkgDatabase
/** Images without a package manager (distroless) have one file for each package instead. */
const STATUS_DIRECTORY = '/var/lib/dpkg/status.d'
const MAX_FILES = 8192
/** OpenWrt's place and Yocto's. */
export const opkgDatabases = ['/usr/lib/opkg/status', '/var/lib/opkg/status'] as const

export const DPKG_READS = `${STATUS}, ${STATUS_DIRECTORY}`
export const OPKG_READS = opkgDatabases.join(', ')

function addDatabase(inventory: Inventory, text: string, rules: StatusRules): void {
  for (const stanza of parseStanzas(text, { wanted: RECORD_FIELDS, comments: false })) {
    addRecord(inventory, readRecord(stanza, rules))
  }
  // Both managers end every record of their database with an empty line: without one, the file was cut.
  if (text !== '' && !text.endsWith(rules === 'stateless' ? '\n' : '\n\n')) inventory.incomplete = true
}

function addDirectory(host: Host, inventory: Inventory, names: readonly string[]): Inventory {
  for (const name of names) {
    // The file lists of the same packages lie beside the records.
    if (name.endsWith('.md5sums')) continue
    const file = host.readText(`${STATUS_DIRECTORY}/${name}`, 1024 * 1024)
    if (file.status === 'found') addDatabase(inventory, file.value, 'stateless')
    else inventory.incomplete = true
  }
  return inventory
}

/** V8 cuts a name out of the text of the whole file and keeps that for it: a copy lets go of it. */
const copied = (inventory: Inventory): Inventory => JSON.parse(JSON.stringify(inventory)) as Inventory

const kept = new Unchanged<Inventory | undefined>()
const keptOpkg = new Unchanged<Inventory | undefined>()

/** Undefined on a system without dpkg's database. Throws SensorFailure if it is there and cannot be read. */
export function readDpkg(host: Host): Inventory | undefined {
  const status = kept.get(host, [STATUS], () => {
    const text = required(host.readText(STATUS, MAX_DATABASE_BYTES), STATUS, 'file')
    if (text === undefined) return undefined
    const inventory = emptyInventory()
    addDatabase(inventory, text, 'dpkg')
    return copied(inventory)
  })
  const names = required(host.readDirectory(STATUS_DIRECTORY, MAX_FILES), STATUS_DIRECTORY, 'directory')
  if (names === undefined) return status
  const inventory = status ?? emptyInventory()
  return addDirectory(host, { ...inventory, packages: [...inventory.packages] }, names)
}

/** opkg keeps its packages in dpkg's format. One place is a link to the other on some systems: the first is read. */
export function readOpkg(host: Host): Inventory | undefined {
  return keptOpkg.get(host, opkgDatabases, () => {
    for (const path of opkgDatabases) {
      const status = required(host.readText(path, MAX_DATABASE_BYTES), path, 'file')
      if (status === undefined) continue
      const inventory = emptyInventory()
      addDatabase(inventory, status, 'opkg')
      return copied(inventory)
    }
    return undefined
  })
}
