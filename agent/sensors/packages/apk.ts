import { PACKAGE_NAME, PACKAGE_VERSION, type Package } from '../../../shared/posture/sections/packages.ts'
import type { Host } from '../host.ts'
import { required } from '../required.ts'
import { Unchanged } from '../unchanged.ts'
import { addRecord, emptyInventory, MAX_DATABASE_BYTES, type Inventory } from './inventory.ts'

/** The second place is that of systems whose /lib is a part of /usr. */
export const apkDatabases = ['/lib/apk/db/installed', '/usr/lib/apk/db/installed'] as const

export const APK_READS = apkDatabases.join(', ')

const NEWLINE = 0x0a
const COLON = 0x3a
/** The fields of interest, apk-package(5): name, version, architecture, origin, and what is broken. */
const WANTED: ReadonlySet<string> = new Set(['P', 'V', 'A', 'o', 'f'])

/**
 * Reads apk's database of installed packages: one-letter fields, a colon, and an empty line after each package. Most
 * lines list files, and are looked at for their form alone.
 */
export function parseInstalled(text: string): Inventory {
  const inventory = emptyInventory()
  let fields = new Map<string, string>()
  let [isMalformed, isEmpty] = [false, true]
  const finish = (): void => {
    if (!isEmpty) addRecord(inventory, isMalformed ? 'malformed' : readRecord(fields))
    fields = new Map()
    isMalformed = false
    isEmpty = true
  }
  for (let start = 0; start < text.length;) {
    if (text.charCodeAt(start) === NEWLINE) {
      finish()
      start += 1
      continue
    }
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    isEmpty = false
    const name = text.charAt(start)
    if (text.charCodeAt(start + 1) !== COLON) isMalformed = true
    else if (WANTED.has(name)) {
      // Which of two names or versions apk would show is its own affair: the package cannot be relied on.
      if (fields.has(name)) isMalformed = true
      fields.set(name, text.slice(start + 2, end))
    }
    start = end + 1
  }
  finish()
  // apk ends each package with an empty line: without one, the file was cut.
  if (text !== '' && !text.endsWith('\n\n')) inventory.incomplete = true
  return inventory
}

function readRecord(fields: ReadonlyMap<string, string>): Package | 'malformed' {
  const [name = '', version = '', origin] = [fields.get('P'), fields.get('V'), fields.get('o')]
  const architecture = fields.get('A')
  if (!PACKAGE_NAME.test(name) || !PACKAGE_VERSION.test(version)) return 'malformed'
  if (architecture !== undefined && !PACKAGE_NAME.test(architecture)) return 'malformed'
  if (origin !== undefined && !PACKAGE_NAME.test(origin)) return 'malformed'
  const broken = fields.get('f') ?? ''
  // apk's marks: files or attributes that could not be written, a script that failed.
  const state = /[fx]/.test(broken) ? 'half-installed' : broken === '' ? undefined : 'half-configured'
  return {
    name,
    version,
    ...(architecture === undefined ? {} : { architecture }),
    ...(origin === undefined || origin === name ? {} : { source: origin }),
    ...(state === undefined ? {} : { state }),
  }
}

const kept = new Unchanged<Inventory | undefined>()

/** Undefined on a system without apk's database. Throws SensorFailure if it is there and cannot be read. */
export function readApk(host: Host): Inventory | undefined {
  return kept.get(host, apkDatabases, () => {
    for (const path of apkDatabases) {
      const text = required(host.readText(path, MAX_DATABASE_BYTES), path, 'file')
      if (text !== undefined) return parseInstalled(text)
    }
    return undefined
  })
}
