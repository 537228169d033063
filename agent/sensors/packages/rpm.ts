import type { Host } from '../host.ts'
import { required } from '../required.ts'
import { Unchanged } from '../unchanged.ts'
import { addRecord, emptyInventory, type Inventory } from './inventory.ts'
import { readRpmHeader } from './rpm-header.ts'
import { SqliteDatabase } from './sqlite-table.ts'

/** New place first; on many systems the second is a link to it. */
const DIRECTORIES = ['/usr/lib/sysimage/rpm', '/var/lib/rpm'] as const
const SQLITE = 'rpmdb.sqlite'
/** Formats that are recognised and not read: ndb and Berkeley DB. */
const OTHER_FORMATS = ['Packages.db', 'Packages'] as const

export const RPM_READS = DIRECTORIES.map((directory) => `${directory}/${SQLITE}`).join(', ')

const kept = new Unchanged<Inventory>()

/** Undefined on a system without an rpm database, `unread` with one in a format that is not read here. */
export function readRpm(host: Host): Inventory | 'unread' | undefined {
  for (const directory of DIRECTORIES) {
    const path = `${directory}/${SQLITE}`
    if (host.stat(path).status !== 'absent') {
      return kept.get(host, [path, `${path}-wal`, `${path}-journal`], () => readDatabase(host, path))
    }
    if (OTHER_FORMATS.some((name) => host.stat(`${directory}/${name}`).status !== 'absent')) return 'unread'
  }
  return undefined
}

function readDatabase(host: Host, path: string): Inventory {
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
