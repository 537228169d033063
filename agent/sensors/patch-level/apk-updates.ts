import { createHash } from 'node:crypto'
import type { Host } from '../host.ts'
import { apkDatabases, readApk } from '../packages/apk.ts'
import { printable } from '../text.ts'
import { Unchanged } from '../unchanged.ts'
import { redactAddress } from '../update-channel/address.ts'
import { ChannelFiles } from '../update-channel/files.ts'
import { KeptLists } from './kept-lists.ts'
import { NewerVersions } from './newer-versions.ts'
import type { ListedPackage, ListReading, NameSet } from './package-list.ts'
import { ListProblem, readPieces } from './pieces.ts'
import { detached, Records } from './records.ts'
import { TarMember } from './tar.ts'
import {
  boundedUpdates,
  installedPackages,
  modifiedAt,
  newestOfTimes,
  unknownUpdates,
  type UpdatesReading,
} from './updates-reading.ts'

const ETC = '/etc/apk'
/** apk-cache(5): a link where the administrator wants packages kept; the indices alone are in the other place. */
const CACHES = [`${ETC}/cache`, '/var/cache/apk'] as const
const WORLD = `${ETC}/world`
const MAX_REPOSITORIES = 64
const MAX_LISTED = 100_000

export const APK_UPDATES_READS = `${ETC}, ${CACHES[1]}/APKINDEX.*.tar.gz`

interface Repository {
  readonly name: string
  readonly path: string
}

const kept = new Unchanged<Promise<UpdatesReading>>()
const keptLists = new KeptLists()

/** What apk's own downloaded indices offer. Undefined on a system without apk's database. */
export async function readApkUpdates(host: Host): Promise<UpdatesReading | undefined> {
  const packages = await installedPackages(host, readApk)
  if ('missing' in packages) return packages.missing === 'absent' ? undefined : unknownUpdates(packages.missing)
  const files = new ChannelFiles(host)
  const configuration = [`${ETC}/repositories`, ...files.parts(`${ETC}/repositories.d`, /\.list$/)]
  const texts = configuration.map((path) => files.text(path))
  const architecture = files.text(`${ETC}/arch`).trim() || packages.value[0]?.architecture || 'noarch'
  const world = files.text(WORLD)
  if (files.unreadable.length > 0) return unknownUpdates('unreadable')
  const lines = texts.flatMap((text) => text.split('\n').map((line) => line.trim()))
  // apk-repositories(5): what is tagged is only taken from for packages that ask for the tag.
  const isTagged = lines.some((line) => line.startsWith('@'))
  const urls = [...new Set(lines.filter((line) => /^[^#@\s]/.test(line)))]
  const repositories = urls.slice(0, MAX_REPOSITORIES).map((url) => repositoryOf(host, url, architecture))
  const inputs = [...apkDatabases, ...configuration, WORLD, ...repositories.map(({ path }) => path)]
  return kept.get(host, inputs, async () => {
    const newer = new NewerVersions(packages.value, 'apk', ['noarch'])
    const lists = []
    for (const { name, path } of repositories) {
      const { status, listed } = await keptLists.get(host, path, newer.installed, () =>
        readIndex(host, path, newer.installed),
      )
      for (const one of listed) newer.offer(one)
      lists.push({ name, status, security: false })
    }
    keptLists.keepOnly(host, new Set(repositories.map(({ path }) => path)))
    return {
      updates: {
        value: boundedUpdates({
          manager: 'apk',
          pending: newer.pending(),
          securityTold: false,
          lists,
          beyond: urls.length - repositories.length,
          incomparable: newer.incomparable,
          // apk-world(5): a constraint on the version stands behind the name.
          pins: isTagged || /^[^\s<>=~]+[<>=~]/m.test(world),
        }),
      },
      newest: newestOfTimes(repositories.map(({ path }) => modifiedAt(host, path))),
    }
  })
}

/**
 * Where apk keeps the index of a repository: by the first four bytes of the digest of its address, of SHA-1 in apk 2
 * and SHA-256 in apk 3, or in the repository itself where that is a directory.
 */
function repositoryOf(host: Host, url: string, architecture: string): Repository {
  const name = printable(redactAddress(url), 512)
  if (url.startsWith('/')) return { name, path: `${url.replace(/\/+$/, '')}/${architecture}/APKINDEX.tar.gz` }
  const paths = CACHES.flatMap((cache) =>
    ['sha1', 'sha256'].map((algorithm) => {
      const digest = createHash(algorithm).update(Buffer.from(url, 'latin1')).digest('hex').slice(0, 8)
      return `${cache}/APKINDEX.${digest}.tar.gz`
    }),
  )
  return { name, path: paths.find((path) => host.stat(path).status === 'found') ?? (paths[0] as string) }
}

async function readIndex(host: Host, path: string, names: NameSet): Promise<ListReading> {
  const listed: ListedPackage[] = []
  let isMalformed = false
  const records = new Records('\n\n', (record) => {
    const [name, version, architecture] = [fieldOf(record, 'P'), fieldOf(record, 'V'), fieldOf(record, 'A')]
    if (name === undefined || version === undefined) isMalformed ||= record.trim() !== ''
    else if (names.has(name)) {
      if (listed.length === MAX_LISTED) throw new ListProblem('too-large')
      const architectureText = detached(architecture ?? 'noarch')
      listed.push({ name: detached(name), version: detached(version), architecture: architectureText })
    }
  })
  const index = new TarMember('APKINDEX', records)
  const status = await readPieces(host, path, index)
  if (status !== 'read') return { status, listed }
  // Without its last member, or its last record's end, the index was cut.
  return { status: index.found && !isMalformed && records.rest.trim() === '' ? 'read' : 'malformed', listed }
}

/** apk-package(5): one letter, a colon, the value. */
function fieldOf(record: string, letter: string): string | undefined {
  const start = record.startsWith(`${letter}:`) ? 0 : record.indexOf(`\n${letter}:`) + 1
  if (start === 0 && !record.startsWith(`${letter}:`)) return undefined
  const end = record.indexOf('\n', start)
  return record.slice(start + 2, end < 0 ? record.length : end)
}
