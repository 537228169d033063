import type { Host } from '../host.ts'
import type { ListedPackage, ListReading, NameSet } from './package-list.ts'
import { ListProblem, readPieces } from './pieces.ts'
import { detached, Records } from './records.ts'

/** More versions of installed packages than any repository has. */
const MAX_LISTED = 100_000
const END = '</package>'

/** Texts that XML has to write in another way have no place in a name or version. */
const NAME = /<name>([^<&]*)<\/name>/
const ARCHITECTURE = /<arch>([^<&]*)<\/arch>/
const VERSION = /<version\s([^<>]*?)\/?>/

const listedOf = (
  name: string,
  architecture: string,
  attributes: ReadonlyMap<string, string>,
  keys: Keys,
): ListedPackage => {
  const [epoch = '0', version = '', release = ''] = keys.map((key) => attributes.get(key))
  return {
    name: detached(name),
    architecture: detached(architecture),
    version: detached(`${epoch === '0' || epoch === '' ? '' : `${epoch}:`}${version}-${release}`),
  }
}
type Keys = readonly [epoch: string, version: string, release: string]

function attributesOf(text: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>()
  // From the beginning of a name on only: what a server sends may be one long word.
  for (const [, name = '', value = ''] of text.matchAll(/\b([A-Za-z]+)\s*=\s*["']([^"'<&]*)["']/g))
    attributes.set(name, value)
  return attributes
}

/** The versions of installed packages in a repository's primary.xml, createrepo_c(8). */
export async function readPrimary(host: Host, path: string, names: NameSet): Promise<ListReading> {
  const listed: ListedPackage[] = []
  let isMalformed = false
  const records = new Records(END, (record) => {
    const name = NAME.exec(record)?.[1]
    if (name === undefined) isMalformed = true
    if (name === undefined || !names.has(name)) return
    const [architecture, version] = [ARCHITECTURE.exec(record)?.[1], VERSION.exec(record)?.[1]]
    if (architecture === undefined || version === undefined) isMalformed = true
    else if (architecture !== 'src' && architecture !== 'nosrc') {
      if (listed.length === MAX_LISTED) throw new ListProblem('too-large')
      listed.push(listedOf(name, architecture, attributesOf(version), ['epoch', 'ver', 'rel']))
    }
  })
  return finished(await readPieces(host, path, records), listed, isMalformed, records, '</metadata>')
}

/** The versions of installed packages that come with a security advisory, by a repository's updateinfo.xml. */
export async function readAdvisories(host: Host, path: string, names: NameSet): Promise<ListReading> {
  const listed: ListedPackage[] = []
  let isMalformed = false
  // An advisory begins before the first of its packages.
  let isSecurity = false
  const records = new Records(END, (record) => {
    const advisory = record.lastIndexOf('<update ')
    if (advisory >= 0) isSecurity = attributesOf(tagAt(record, advisory)).get('type') === 'security'
    if (!isSecurity) return
    const start = record.lastIndexOf('<package ')
    const attributes = attributesOf(start < 0 ? '' : tagAt(record, start))
    const [name, architecture] = [attributes.get('name'), attributes.get('arch')]
    if (name === undefined || architecture === undefined) isMalformed = true
    else if (names.has(name) && architecture !== 'src') {
      if (listed.length === MAX_LISTED) throw new ListProblem('too-large')
      listed.push(listedOf(name, architecture, attributes, ['epoch', 'version', 'release']))
    }
  })
  return finished(await readPieces(host, path, records), listed, isMalformed, records, '</updates>')
}

function tagAt(text: string, start: number): string {
  const end = text.indexOf('>', start)
  return text.slice(start, end < 0 ? text.length : end)
}

/** A list without the end of its root was cut. */
function finished(
  status: ListReading['status'],
  listed: readonly ListedPackage[],
  isMalformed: boolean,
  records: Records,
  end: string,
): ListReading {
  if (status !== 'read') return { status, listed }
  const isWhole = records.rest.trimEnd().endsWith(end) || /<(?:metadata|updates)\b[^>]*\/>\s*$/.test(records.rest)
  return { status: isMalformed || !isWhole ? 'malformed' : 'read', listed }
}
