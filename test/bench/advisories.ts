import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { computeExposures, lookupOf } from '../../collector/advisories/compute.ts'
import { addAdvisories, importFeed } from '../../collector/advisories/import.ts'
import { exposedGroups } from '../../collector/advisories/exposed-groups.ts'
import { StatementIndex } from '../../collector/advisories/index-groups.ts'
import { matchInventory } from '../../collector/advisories/match.ts'
import { Rulings } from '../../collector/advisories/rulings.ts'
import type { Inventory } from '../../collector/model/advisory.ts'
import { openStore } from '../../collector/store/index.ts'
import { cvesOf } from '../../shared/advisories/aliases.ts'
import { parseAdvisories } from '../../shared/advisories/format.ts'
import { saveDebianPosture } from '../support/debian-posture.ts'
import { addDevices } from './many-devices.ts'

export interface AdvisoriesOptions {
  readonly advisories: number
  readonly packages: number
  readonly postures: number
  readonly devices: number
}

export interface AdvisoriesResult extends AdvisoriesOptions {
  readonly loadSeconds: number
  readonly loadMib: number
  /** Everything in memory; and from the database, where nothing was looked up before. */
  readonly matchMs: number
  /** Of the processor, which a busy machine does not change. */
  readonly matchCpuMs: number
  readonly matchColdMs: number
  readonly found: number
  /** From the import of one advisory until its exposure is computed, and until its devices are counted. */
  readonly exposureMs: number
  readonly countedMs: number
}

const NAMES = 20_000
const nameOf = (index: number): string => `package-${index % NAMES}`

const document = (index: number, fixed = `1.${index % 90}-1`) => ({
  id: `BENCH-${index}`,
  published: '2026-01-01T00:00:00Z',
  modified: '2026-01-02T00:00:00Z',
  aliases: [`CVE-2026-${10_000 + index}`],
  summary: 'a buffer is read beyond its end when a message is shorter than it says',
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' }],
  affected: [
    {
      package: { ecosystem: 'Debian:12', name: nameOf(index) },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
    },
  ],
})

/** Of 500 packages as many advisories are open as on a device that is a month behind, and not all that there ever were. */
const packagesOf = (count: number, variant: number) =>
  Array.from({ length: count }, (_, index) => ({
    name: nameOf(index * 7 + (index === 0 ? 0 : variant)),
    version: '1.85-1',
  }))

export async function measureAdvisories(
  options: AdvisoriesOptions,
  say: (line: string) => void,
  save: (known: Partial<AdvisoriesResult>) => void = () => undefined,
): Promise<AdvisoriesResult> {
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-advisories-'))
  const path = join(directory, 'collector.db')
  const { store, close } = await openStore({ path })
  try {
    say(`Loading ${options.advisories} advisories.`)
    let peak = 0
    const batches = (function* () {
      for (let at = 0; at < options.advisories; at += 1000) {
        const texts = Array.from({ length: Math.min(1000, options.advisories - at) }, (_, index) =>
          JSON.stringify(document(at + index)),
        )
        peak = Math.max(peak, process.memoryUsage().rss)
        yield { records: texts.flatMap((text) => parseAdvisories(JSON.parse(text))) }
      }
    })()
    const begun = performance.now()
    await importFeed(store, { feed: 'bench', authority: 'distribution', batches }, Date.now)
    const loadSeconds = (performance.now() - begun) / 1000
    peak = Math.max(peak, process.memoryUsage().rss)

    const loaded = { ...options, loadSeconds, loadMib: peak / 2 ** 20 }
    save(loaded)

    say('Matching.')
    const packages = packagesOf(options.packages, 0)
    const inventory: Inventory = {
      manager: 'dpkg',
      ecosystem: { name: 'Debian', release: '12' },
      runningKernel: null,
      isWhole: true,
      packages: packages.map((one) => ({
        ...one,
        architecture: 'amd64',
        source: one.name,
        sourceVersion: one.version,
      })),
    }
    const cold = performance.now()
    const lookup = await lookupOf(
      store,
      packages.map(({ name }) => name),
    )
    const found = matchInventory(inventory, lookup, () => 1)
    const matchColdMs = performance.now() - cold
    const index = new StatementIndex()
    for (let at = 0; at < options.advisories; at++) {
      for (const record of parseAdvisories(document(at))) {
        for (const statement of record.statements) {
          index.add({ advisory: record.id, feed: 'bench', cves: cvesOf(record), statement })
        }
      }
    }
    index.seal()
    const rounds = Array.from({ length: 21 }, () => {
      const [start, cpu] = [performance.now(), process.cpuUsage()]
      matchInventory(inventory, index.group, () => 1)
      const { user, system } = process.cpuUsage(cpu)
      return { ms: performance.now() - start, cpuMs: (user + system) / 1000 }
    })
    const median = (of: readonly number[]): number => of.toSorted((a, b) => a - b)[10] ?? Number.NaN
    const matchMs = median(rounds.map(({ ms }) => ms))
    const matchCpuMs = median(rounds.map(({ cpuMs }) => cpuMs))

    const matched = { ...loaded, matchMs, matchCpuMs, matchColdMs, found: found.length }
    save(matched)

    say(`A new advisory, ${options.devices} devices on ${options.postures} lists of packages.`)
    const digests: Uint8Array[] = []
    for (let variant = 0; variant < options.postures; variant++) {
      digests.push(await saveDebianPosture(store, 'Bench', `posture ${variant}`, packagesOf(options.packages, variant)))
    }
    await computeExposures(store)
    await addDevices(store, path, 'Bench', digests, options.devices)
    const start = performance.now()
    await addAdvisories(store, 'own', 'own', parseAdvisories(document(options.advisories * NAMES, '9-1')), Date.now())
    await computeExposures(store)
    const exposureMs = performance.now() - start
    const affected = new Set(
      (await store.exposures.ofAdvisory(`BENCH-${options.advisories * NAMES}`)).map((one) => one.inventory),
    )
    const counted = (await exposedGroups(store, new Rulings([], Date.now()))).filter(
      (one) => one.inventory !== null && affected.has(one.inventory),
    )
    const countedMs = performance.now() - start
    const devices = counted.reduce((sum, { count }) => sum + count, 0)
    if (devices !== options.devices) throw new Error(`${devices} of ${options.devices} devices were found`)
    return { ...matched, exposureMs, countedMs }
  } finally {
    await close()
    rmSync(directory, { recursive: true })
  }
}
