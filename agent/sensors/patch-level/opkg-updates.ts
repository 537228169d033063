import type { Host } from '../host.ts'
import { opkgDatabases, readOpkg } from '../packages/dpkg.ts'
import { printable } from '../text.ts'
import { Unchanged } from '../unchanged.ts'
import { ChannelFiles } from '../update-channel/files.ts'
import { KeptLists } from './kept-lists.ts'
import { NewerVersions } from './newer-versions.ts'
import { readPackageList } from './package-list.ts'
import {
  boundedUpdates,
  installedPackages,
  modifiedAt,
  newestOfTimes,
  unknownUpdates,
  type UpdatesReading,
} from './updates-reading.ts'

const FILE = '/etc/opkg.conf'
const DIRECTORY = '/etc/opkg'
/** OpenWrt's place, and those of Yocto's newer and older versions. */
const LISTS = ['/var/opkg-lists', '/var/lib/opkg/lists', '/usr/lib/opkg/lists'] as const
const MAX_FEEDS = 64

export const OPKG_UPDATES_READS = `${FILE}, ${DIRECTORY}/*.conf, ${LISTS.join(' or ')}`

const kept = new Unchanged<Promise<UpdatesReading>>()
const keptLists = new KeptLists()

/** What opkg's own downloaded lists offer. Undefined on a system without opkg's database. */
export async function readOpkgUpdates(host: Host): Promise<UpdatesReading | undefined> {
  const packages = await installedPackages(host, readOpkg)
  if ('missing' in packages) return packages.missing === 'absent' ? undefined : unknownUpdates(packages.missing)
  const files = new ChannelFiles(host)
  const configuration = [FILE, ...files.parts(DIRECTORY, /\.conf$/)]
  const lines = configuration.flatMap((path) => files.text(path).split('\n'))
  if (files.unreadable.length > 0) return unknownUpdates('unreadable')
  // opkg.conf(5): `src NAME URL`, `lists_dir ext PATH` or `option lists_dir PATH`; lists have the name of their feed.
  const feeds = new Set(lines.flatMap((line) => /^\s*src(?:\/gz)?\s+"?([A-Za-z0-9._+-]+)"?\s+\S/.exec(line)?.[1] ?? []))
  const told = lines.flatMap(
    (line) => /^\s*(?:lists_dir\s+\S+|option\s+lists_dir)\s+"?(\/[^\s"]+)/.exec(line)?.[1] ?? [],
  )
  const directory = told.at(-1) ?? LISTS.find((path) => host.stat(path).status !== 'absent') ?? LISTS[0]
  const named = [...feeds].slice(0, MAX_FEEDS).map((name) => ({ name, path: `${directory}/${name}` }))
  const inputs = [...opkgDatabases, ...configuration, ...named.map(({ path }) => path)]
  return kept.get(host, inputs, async () => {
    const newer = new NewerVersions(packages.value, 'dpkg', ['all'])
    const lists = []
    for (const { name, path } of named) {
      const { status, listed } = await keptLists.get(host, path, newer.installed, () =>
        readPackageList(host, path, newer.installed),
      )
      for (const one of listed) newer.offer(one)
      lists.push({ name: printable(name, 512), status, security: false })
    }
    keptLists.keepOnly(host, new Set(named.map(({ path }) => path)))
    return {
      updates: {
        value: boundedUpdates({
          manager: 'opkg',
          pending: newer.pending(),
          securityTold: false,
          lists,
          beyond: feeds.size - named.length,
          incomparable: newer.incomparable,
          pins: false,
        }),
      },
      newest: newestOfTimes(named.map(({ path }) => modifiedAt(host, path))),
    }
  })
}
