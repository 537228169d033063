import type { PackageList } from '../../../shared/posture/sections/patch-level.ts'
import type { Package } from '../../../shared/posture/sections/packages.ts'
import type { Host } from '../host.ts'
import { readRpm, rpmDatabases } from '../packages/rpm.ts'
import { Unchanged } from '../unchanged.ts'
import { dnfRepositories, type DnfRepositories } from './dnf-repositories.ts'
import { KeptLists } from './kept-lists.ts'
import { NewerVersions } from './newer-versions.ts'
import type { ListReading } from './package-list.ts'
import { readAdvisories, readPrimary } from './rpm-metadata.ts'
import {
  boundedUpdates,
  installedPackages,
  modifiedAt,
  newestOfTimes,
  unknownUpdates,
  type UpdatesReading,
} from './updates-reading.ts'

const kept = new Unchanged<Promise<UpdatesReading>>()
const keptLists = new KeptLists()

/** What dnf's own downloaded metadata offer. Undefined on a system without an rpm database. */
export async function readDnfUpdates(host: Host): Promise<UpdatesReading | undefined> {
  const packages = await installedPackages(host, readRpm)
  if ('missing' in packages) return packages.missing === 'absent' ? undefined : unknownUpdates(packages.missing)
  const enabled = dnfRepositories(host)
  if (enabled === undefined) return unknownUpdates('unreadable')
  if (enabled.repositories.length === 0) return unknownUpdates('absent')
  return kept.get(host, [...rpmDatabases, ...enabled.inputs], () => compare(host, packages.value, enabled))
}

async function compare(host: Host, packages: readonly Package[], enabled: DnfRepositories): Promise<UpdatesReading> {
  const newer = new NewerVersions(packages, 'rpm', ['noarch'])
  const lists: PackageList[] = []
  const read = new Set<string>()
  /** The name is the same for every download, whose files are named by their content. */
  const list = async (
    name: string,
    path: string | undefined,
    security: boolean,
    reader: typeof readPrimary,
  ): Promise<ListReading['listed']> => {
    if (path === undefined) {
      lists.push({ name, status: 'absent', security })
      return []
    }
    read.add(path)
    const reading = await keptLists.get(host, path, newer.installed, () => reader(host, path, newer.installed))
    lists.push({ name, status: reading.status, security })
    return reading.listed
  }
  for (const { id, primary, advisories } of enabled.repositories) {
    for (const one of await list(`${id} primary`, primary, false, readPrimary)) newer.offer(one)
    if (advisories === undefined) continue
    for (const one of await list(`${id} updateinfo`, advisories, true, readAdvisories)) newer.security(one)
  }
  keptLists.keepOnly(host, read)
  const told = lists.filter(({ security }) => security)
  return {
    updates: {
      value: boundedUpdates({
        manager: 'dnf',
        pending: newer.pending(),
        securityTold: told.length > 0 && told.every(({ status }) => status === 'read'),
        lists,
        beyond: enabled.beyond,
        incomparable: newer.incomparable,
        pins: enabled.pins,
      }),
    },
    newest: newestOfTimes(
      enabled.repositories.map(({ repomd }) => (repomd === undefined ? undefined : modifiedAt(host, repomd))),
    ),
  }
}
