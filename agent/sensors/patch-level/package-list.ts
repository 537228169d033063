import { MAX_PACKAGES } from '../../../shared/posture/sections/packages.ts'
import { parseStanzas } from '../deb822.ts'
import type { Host } from '../host.ts'
import { ListProblem, readPieces, type ListStatus } from './pieces.ts'
import { detached, Records } from './records.ts'

/** More versions of installed packages than any list has. */
const MAX_LISTED = 2 * MAX_PACKAGES

const FIRST_FIELD = 'Package: '
const WANTED: ReadonlySet<string> = new Set(['package', 'version', 'architecture'])

export interface ListedPackage {
  readonly name: string
  readonly version: string
  readonly architecture: string
}

/** What a downloaded list has of the installed packages: all of it where it was `read`. */
export interface ListReading {
  readonly status: ListStatus
  readonly listed: readonly ListedPackage[]
}

/** A set of names, or a map by name. */
export interface NameSet {
  has(name: string): boolean
  keys(): Iterable<string>
}

/**
 * Reads the records whose package is among `names`. Nearly all of the tens of thousands of records are of packages
 * that are not installed: of those only the first line is looked at.
 */
export async function readPackageList(host: Host, path: string, names: NameSet): Promise<ListReading> {
  const listed: ListedPackage[] = []
  let isMalformed = false
  const take = (record: string): void => {
    // The name may stand elsewhere than in the first line, though no archive writes it so.
    for (const { fields, malformed } of parseStanzas(record, { wanted: WANTED, comments: false })) {
      const [name, version, architecture] = [fields.get('package'), fields.get('version'), fields.get('architecture')]
      if (malformed || name === undefined || version === undefined || architecture === undefined) isMalformed = true
      else if (names.has(name)) {
        if (listed.length === MAX_LISTED) throw new ListProblem('too-large')
        listed.push({ name: detached(name), version: detached(version), architecture: detached(architecture) })
      }
    }
  }
  const records = new Records('\n\n', (record) => {
    const end = record.indexOf('\n')
    const isOther = end >= 0 && record.startsWith(FIRST_FIELD) && !names.has(record.slice(FIRST_FIELD.length, end))
    if (!isOther) take(record)
  })
  const status = await readPieces(host, path, records)
  if (status !== 'read') return { status, listed }
  if (records.rest.trim() !== '') take(records.rest)
  return { status: isMalformed ? 'malformed' : 'read', listed }
}
