import type { Listening } from '../model/advisory.ts'
import { NOTHING_KNOWN } from '../model/product-statement.ts'
import type { ExposedDevices } from '../store/exposed-devices.ts'
import type { Store } from '../store/index.ts'
import type { Rulings, Whereabouts } from './rulings.ts'

/** Devices of a product for whom advisories mean the same, and for whom the same was said of them. */
export interface ExposedGroup extends Pick<ExposedDevices, 'product' | 'hardware' | 'inventory' | 'release'> {
  readonly where: Whereabouts
  readonly listening: Listening | null
  readonly count: number
}

const NONE: ReadonlySet<string> = new Set()
/** Of which nothing was said. */
const OTHER_RELEASE = ''

/** Postures are many, and what they differ in matters to advisories only where a statement names it. */
export async function exposedGroups(
  store: Store,
  rulings: Rulings,
  productId?: string,
): Promise<readonly ExposedGroup[]> {
  const reported = await store.exposedDevices.groups(productId)
  const met = await store.productConfigurations.metBy([...rulings.configurations])
  const releases = new Set(rulings.all.flatMap(({ release }) => release?.id ?? []))
  const groups = new Map<string, ExposedGroup & { count: number }>()
  const numbers = new Map<Listening, number>()
  const add = (one: ExposedDevices, environments: ReadonlySet<string>, count: number): void => {
    if (count <= 0) return
    const { product, hardware, inventory, release, listening } = one
    const configurations = met.get(one.posture) ?? NOTHING_KNOWN
    // Two releases that nothing was said of are one to advisories, where their components are the same.
    const releaseId = one.releaseId === null || releases.has(one.releaseId) ? one.releaseId : OTHER_RELEASE
    const listens = listening === null ? null : (numbers.get(listening) ?? numbers.size)
    if (listening !== null && listens !== null) numbers.set(listening, listens)
    const scopes = [configurations.met, configurations.notMet, environments].map((ids) => [...ids].sort())
    const key = JSON.stringify([product, hardware, inventory, release, releaseId, listens, scopes])
    const known = groups.get(key)
    if (known !== undefined) known.count += count
    else {
      const where = { releaseId, configurations, environments }
      groups.set(key, { product, hardware, inventory, release, where, listening, count })
    }
  }
  const environments = await environmentsOf(store, rulings, reported)
  for (const one of reported) {
    let rest = one.count
    for (const part of environments.get(placeOf(one)) ?? []) {
      // Counted a moment later: no more than there are.
      const count = Math.min(part.count, rest)
      add(one, part.environments, count)
      rest -= count
    }
    add(one, NONE, rest)
  }
  return [...groups.values()]
}

type Place = Pick<ExposedDevices, 'product' | 'hardware' | 'posture' | 'releaseId'>
const placeOf = ({ product, hardware, posture, releaseId }: Place): string =>
  JSON.stringify([product, hardware, posture, releaseId])

type Part = { readonly environments: ReadonlySet<string>; readonly count: number }

async function environmentsOf(
  store: Store,
  rulings: Rulings,
  reported: readonly ExposedDevices[],
): Promise<ReadonlyMap<string, readonly Part[]>> {
  const found = new Map<string, Part[]>()
  for (const product of new Set(reported.map((one) => one.product))) {
    for (const part of await store.exposedDevices.within(product, rulings.environments(product))) {
      const key = placeOf({ ...part, product })
      found.set(key, [...(found.get(key) ?? []), part])
    }
  }
  return found
}
