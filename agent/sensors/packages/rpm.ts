import type { Host } from '../host.ts'
import { required } from '../required.ts'
import { SensorFailure } from '../sensor.ts'
import { Unchanged } from '../unchanged.ts'
import { addRecord, emptyInventory, type Inventory } from './inventory.ts'
import { readNdb } from './ndb.ts'
import { readRpmHeader } from './rpm-header.ts'
import { parseRpmList } from './rpm-list.ts'
import { SqliteDatabase } from './sqlite-table.ts'

/** New place first; on many systems the second is a link to it. */
const DIRECTORIES = ['/usr/lib/sysimage/rpm', '/var/lib/rpm'] as const
const SQLITE = 'rpmdb.sqlite'
const NDB = 'Packages.db'
/** Berkeley DB, of rpm before 4.16: recognised, and left to rpm itself. */
const BERKELEY = 'Packages'

export const RPM_READS = DIRECTORIES.flatMap((directory) => [`${directory}/${SQLITE}`, `${directory}/${NDB}`]).join(
  ', ',
)

/** Where the database is, whichever format it has: a change of any of these is a change of what is installed. */
export const rpmDatabases: readonly string[] = DIRECTORIES.flatMap((directory) => {
  const sqlite = `${directory}/${SQLITE}`
  return [sqlite, `${sqlite}-wal`, `${sqlite}-journal`, `${directory}/${NDB}`, `${directory}/${BERKELEY}`]
})

const kept = new Unchanged<Promise<Inventory | 'unread' | undefined>>()

/**
 * Undefined on a system without an rpm database, `unread` with one in a format that only rpm itself reads, where it
 * may not be asked. Rejects with SensorFailure if the database is there and cannot be read.
 */
export function readRpm(host: Host): Promise<Inventory | 'unread' | undefined> {
  return kept.get(host, rpmDatabases, () => readAny(host))
}

async function readAny(host: Host): Promise<Inventory | 'unread' | undefined> {
  for (const directory of DIRECTORIES) {
    const isThere = (name: string): boolean => host.stat(`${directory}/${name}`).status !== 'absent'
    if (isThere(SQLITE)) return preferred(host, () => readSqlite(host, `${directory}/${SQLITE}`))
    if (isThere(NDB)) return preferred(host, () => readBlobs(host, `${directory}/${NDB}`))
    if (isThere(BERKELEY)) return (await askRpm(host)) ?? 'unread'
  }
  return undefined
}

/** What was read of the database, unless that is not all and rpm can be asked. */
async function preferred(host: Host, read: () => Inventory): Promise<Inventory> {
  try {
    const inventory = read()
    return inventory.incomplete ? ((await askRpm(host)) ?? inventory) : inventory
  } catch (error) {
    const told = error instanceof SensorFailure ? await askRpm(host) : undefined
    if (told === undefined) throw error
    return told
  }
}

async function askRpm(host: Host): Promise<Inventory | undefined> {
  const list = await host.run('rpm-packages')
  return list.status === 'found' ? parseRpmList(list.value) : undefined
}

function readBlobs(host: Host, path: string): Inventory {
  const inventory = emptyInventory()
  const file = required(host.open(path), path, 'file')
  if (file === undefined) return { ...inventory, incomplete: true }
  try {
    for (const header of readNdb(file)) addRecord(inventory, readRpmHeader(header))
  } finally {
    file.close()
  }
  return inventory
}

function readSqlite(host: Host, path: string): Inventory {
  const inventory = emptyInventory()
  const file = required(host.open(path), path, 'file')
  if (file === undefined) return { ...inventory, incomplete: true }
  try {
    const rows = new SqliteDatabase(file).rows('Packages')
    if (rows === undefined) inventory.incomplete = true
    // hnum, which is the row's own number, and the header.
    for (const [, header] of rows ?? []) {
      addRecord(inventory, Buffer.isBuffer(header) ? readRpmHeader(header) : 'malformed')
    }
  } finally {
    file.close()
  }
  // What rpm has written and SQLite not yet moved into the database, or would take back.
  if (hasContent(host, `${path}-wal`) || hasContent(host, `${path}-journal`)) inventory.incomplete = true
  return inventory
}

function hasContent(host: Host, path: string): boolean {
  const file = host.open(path)
  if (file.status !== 'found') return file.status !== 'absent'
  file.value.close()
  return file.value.size > 0
}
