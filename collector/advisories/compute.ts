import { fromHex } from '../../shared/bytes/bytes.ts'
import type { SectionId } from '../../shared/posture/sections.ts'
import { FEED_AUTHORITIES, type Entry, type Inventory } from '../model/advisory.ts'
import type { NewPosture } from '../store/exposures.ts'
import type { Store } from '../store/index.ts'
import { groupOf, keyOf, placeOf, type Group, type Lookup } from './index-groups.ts'
import { inventoryOf } from './inventory.ts'
import { lookAtConfigurations } from './configurations.ts'
import { listeningOf } from './listening.ts'
import { inventoryOfRelease } from './release-inventory.ts'
import { incomparableIn, matchInventory, type Precedence } from './match.ts'
import { readSection } from './sections.ts'

/** Postures, or packages, of one transaction. */
const POSTURES = 50
const PACKAGES = 500

/**
 * Brings what is known of exposures up to date: for postures that nobody has looked at yet, and for packages of which
 * advisories say something else now. Done twice, it changes nothing. True when there was something to do.
 */
export async function computeExposures(store: Store): Promise<boolean> {
  let isDone = !(await lookAtPostures(store))
  if (await computeReleases(store)) isDone = false
  if (await lookAtConfigurations(store)) isDone = false
  while (await lookAtChanges(store)) isDone = false
  return !isDone
}

/** Postures whose sections are still on their way are passed by: they are looked at the next time. */
async function lookAtPostures(store: Store): Promise<boolean> {
  let wasAny = false
  let last: NewPosture | undefined
  for (;;) {
    const postures = await store.exposures.newPostures(POSTURES, last)
    for (const posture of postures) {
      const wasReady = await store.transaction((transaction) => lookAtPosture(transaction, posture))
      wasAny ||= wasReady
    }
    last = postures.at(-1)
    if (postures.length < POSTURES) return wasAny
  }
}

const NOTHING = new Uint8Array(0)

/**
 * Releases that are new, or were given another bill of materials. It touches nothing of other vendors, so that `store` may
 * be one that is bound.
 */
export async function computeReleases(store: Store): Promise<boolean> {
  let wasAny = false
  for (;;) {
    const releases = await store.releaseSboms.toLookAt(POSTURES)
    for (const { id, basis, ...release } of releases) {
      await store.transaction(async (transaction) => {
        const { inventory, digests } = inventoryOfRelease(release)
        const known = await transaction.exposures.findInventory(release.vendor, ...digests)
        const made = known ?? (await addInventory(transaction, release.vendor, digests, inventory))
        await transaction.releaseSboms.setInventory(id, made, basis)
      })
      wasAny = true
    }
    if (releases.length < POSTURES) return wasAny
  }
}

/** False where its sections are not all here yet. */
async function lookAtPosture(store: Store, { vendor, digest, sections }: NewPosture): Promise<boolean> {
  const digests = JSON.parse(sections) as Readonly<Record<string, string>>
  const read = async <S extends SectionId>(id: S, of: Uint8Array) => {
    const content = await readSection(store, vendor, id, of)
    return content === 'unreadable' ? null : content
  }
  const sockets = digests['sockets'] === undefined ? null : await read('sockets', fromHex(digests['sockets']))
  if (sockets === 'missing') return false
  const listening = sockets === null ? null : listeningOf(sockets)
  const packagesDigest = digests['packages'] === undefined ? undefined : fromHex(digests['packages'])
  if (packagesDigest === undefined) {
    await store.exposures.setPosture(vendor, digest, null, listening)
    return true
  }
  const systemDigest = digests['system'] === undefined ? NOTHING : fromHex(digests['system'])
  const known = await store.exposures.findInventory(vendor, packagesDigest, systemDigest)
  if (known !== undefined) {
    await store.exposures.setPosture(vendor, digest, known, listening)
    return true
  }
  const packages = await read('packages', packagesDigest)
  const system = systemDigest === NOTHING ? null : await read('system', systemDigest)
  if (packages === 'missing' || system === 'missing') return false
  if (packages === null) {
    await store.exposures.setPosture(vendor, digest, null, listening)
    return true
  }
  const inventory = inventoryOf(packages, system)
  const id = await addInventory(store, vendor, [packagesDigest, systemDigest], inventory)
  await store.exposures.setPosture(vendor, digest, id, listening)
  return true
}

async function addInventory(
  store: Store,
  vendor: string,
  [packagesDigest, systemDigest]: readonly [Uint8Array, Uint8Array],
  inventory: Inventory,
): Promise<number> {
  const incomparable = incomparableIn(inventory).length
  const id = await store.exposures.addInventory({ vendor, packagesDigest, systemDigest, inventory, incomparable })
  const names = [...new Set(inventory.packages.flatMap(({ name, source }) => [name, source]))]
  const exposures = matchInventory(inventory, await lookupOf(store, names), await precedenceOf(store))
  await store.exposures.replace(id, exposures)
  return id
}

/** Some packages at a time, each time with all inventories that have them. */
async function lookAtChanges(store: Store): Promise<boolean> {
  return store.transaction(async (transaction) => {
    const packages = await transaction.exposures.changedPackages(PACKAGES)
    if (packages.length === 0) return false
    const changed = new Set(packages)
    const [lookup, precedence] = [await lookupOf(transaction, packages), await precedenceOf(transaction)]
    const ids = await transaction.exposures.inventoriesWith(packages)
    for (let at = 0; at < ids.length; at += POSTURES) {
      for (const { id, inventory } of await transaction.exposures.inventories(ids.slice(at, at + POSTURES))) {
        await renew(transaction, id, inventory, changed, lookup, precedence)
      }
    }
    await transaction.exposures.settleChanged(packages)
    return true
  })
}

/**
 * A package is looked at by its own name and by its source's: where one of them changed, both are needed to settle which
 * statement counts.
 */
async function renew(
  store: Store,
  id: number,
  inventory: Inventory,
  changed: ReadonlySet<string>,
  lookup: Lookup,
  precedence: Precedence,
): Promise<void> {
  const concerned = inventory.packages.filter(({ name, source }) => changed.has(name) || changed.has(source))
  const names = new Set(concerned.map(({ name }) => name))
  const missing = [...new Set(concerned.flatMap(({ name, source }) => [name, source]))].filter(
    (one) => !changed.has(one),
  )
  const rest = missing.length === 0 ? undefined : await lookupOf(store, missing)
  const both: Lookup = Object.assign(
    (key: string): Group => {
      const group = lookup(key)
      return rest === undefined || group.fixes.length + group.others.length > 0 ? group : rest(key)
    },
    { isKnown: (place: string): boolean => lookup.isKnown(place) || rest?.isKnown(place) === true },
  )
  const found = matchInventory(inventory, both, precedence, names).filter((each) => names.has(each.package))
  await store.exposures.replace(id, found, [...names])
}

/** Everything that is said of packages of these names. */
export async function lookupOf(store: Store, packages: readonly string[]): Promise<Lookup> {
  const byKey = new Map<string, Entry[]>()
  const places = new Set<string>()
  for (const entry of await store.advisories.entries(packages)) {
    const { ecosystem, release, side, package: name } = entry.statement
    places.add(placeOf(ecosystem, release, side))
    const key = keyOf(ecosystem, release, side, name)
    const list = byKey.get(key)
    if (list === undefined) byKey.set(key, [entry])
    else list.push(entry)
  }
  const groups = new Map<string, Group>()
  const find = (key: string): Group => {
    const known = groups.get(key)
    if (known !== undefined) return known
    const group = groupOf(byKey.get(key) ?? [])
    groups.set(key, group)
    return group
  }
  return Object.assign(find, { isKnown: (place: string): boolean => places.has(place) })
}

export async function precedenceOf(store: Store): Promise<Precedence> {
  const feeds = await store.advisorySets.feeds()
  const ranks = new Map(feeds.map(({ id, authority }) => [id, FEED_AUTHORITIES.indexOf(authority)]))
  return (feed) => ranks.get(feed) ?? FEED_AUTHORITIES.length
}
