import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { measurePosture } from '../../../agent/attest/posture.ts'
import { loadAgentConfig } from '../../../agent/config/load.ts'
import { absent } from '../../../agent/measure/client/asked.ts'
import { createHost } from '../../../agent/sensors/host.ts'
import { knowSelf } from '../../../agent/self/self.ts'
import { computeExposures } from '../../../collector/advisories/compute.ts'
import { addAdvisories } from '../../../collector/advisories/import.ts'
import { openStore } from '../../../collector/store/index.ts'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { compareVersions } from '../../../shared/versions/compare.ts'
import { OutdatedTree, type Upgrade } from '../../support/outdated-tree.ts'
import { DAY, PracticeFleet } from '../../support/practice-fleet.ts'

/**
 * Real packages that are behind, and what their maintainers have announced: each entry of the changelogs of the newer
 * packages that names a CVE becomes an advisory. apt is the oracle of what an upgrade would bring.
 */

interface Announced {
  /** Packages for which something is announced between what is installed and what apt would bring. */
  readonly packages: readonly string[]
  readonly documents: readonly { readonly id: string }[]
}

function announcedFor(tree: OutdatedTree, upgrades: readonly Upgrade[], release: string, at: number): Announced {
  const documents = new Map<string, { readonly id: string }>()
  const packages = upgrades.filter((upgrade) => {
    const sourceVersion = tree.run('dpkg-query', '-W', '-f', '${source:Version}', upgrade.name)
    let isAnnounced = false
    for (const { source, version, text } of tree.changelogOf(upgrade)) {
      const cves = [...new Set(text.match(/CVE-\d{4}-\d{4,}/g))]
      // A version that comes after what this release has is another release's, from which this one was made.
      const isOfOther = compareVersions('dpkg', version, upgrade.candidate) === 'newer'
      if (cves.length === 0 || isOfOther) continue
      isAnnounced ||= compareVersions('dpkg', sourceVersion, version) === 'older'
      // Also of what has long been fixed: none of it may show.
      const id = `TEST-${source}-${version.replaceAll(/[^A-Za-z0-9.+-]/g, '_')}`
      documents.set(id, {
        id,
        published: new Date(at).toISOString(),
        modified: new Date(at).toISOString(),
        aliases: cves,
        database_specific: { severity: 'critical' },
        affected: [
          {
            package: { ecosystem: `Debian:${release}`, name: source },
            ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: version }] }],
          },
        ],
      } as { readonly id: string })
    }
    return isAnnounced
  })
  return { packages: packages.map(({ name }) => name), documents: [...documents.values()] }
}

async function measured(root: string) {
  const { values: config } = loadAgentConfig({ config: '/dev/null', set: ['product.serial=gateway-0001'] }, {})
  const host = createHost({ root, byteOrder: 'LE', self: knowSelf(config) })
  return measurePosture(host, { sections: async () => absent('a recorded system') })
}

// Of different age: the newest release lacks some weeks of updates, the other one years.
describe.each([
  ['stable', ''],
  ['bullseye', '11'],
])('a Debian %s without its security updates', (suite, number) => {
  const made = OutdatedTree.make(suite)
  const tree = made instanceof OutdatedTree ? made : undefined
  const reason = 'obstacle' in made ? ` (skipped: ${made.obstacle})` : ''
  afterAll(() => tree?.remove())

  describe.skipIf(tree === undefined)(`with advisories from its packages' changelogs${reason}`, () => {
    if (tree === undefined) return
    const directory = mkdtempSync(join(tmpdir(), 'keepseal-outdated-'))
    const { root } = tree
    let fleet: PracticeFleet
    let close: () => Promise<void>
    let announced: Announced
    let held: Announced
    const before = tree.upgrades()

    beforeAll(async () => {
      const opened = await openStore({ path: join(directory, 'collector.db') })
      close = opened.close
      fleet = await PracticeFleet.certified(opened.store)
      // What of a machine that runs is needed to measure it.
      tree.run('mkdir', '-p', '/proc/sys/kernel/random')
      const boot = join(tree.root, 'proc/sys/kernel/random/boot_id')
      writeFileSync(boot, '01234567-89ab-4cde-8f01-23456789abcd\n')
      const release = number || (/^VERSION_ID="(\d+)"$/m.exec(tree.run('cat', '/etc/os-release'))?.[1] ?? '')
      announced = announcedFor(tree, before, release, fleet.now)
      // It stays behind when the rest is upgraded.
      const [kept = ''] = announced.packages
      held = announcedFor(
        tree,
        before.filter(({ name }) => name === kept),
        release,
        fleet.now,
      )
    }, 300_000)

    afterAll(async () => {
      await close()
      rmSync(directory, { recursive: true, force: true })
    })

    /** Stores what the agent measures, as if it had come; the digest, and the packages that are exposed. */
    async function report() {
      const { store, product } = fleet
      const { sections, posture, postureDigest } = await measured(root)
      for (const { digest, bytes } of sections.values()) await store.sections.save(product.vendor, digest, bytes)
      await store.postures.save(product.vendor, postureDigest, posture)
      await computeExposures(store)
      const id = await store.exposures.inventoryOfPosture(product.vendor, postureDigest)
      const found = await store.exposures.of(id ?? 0)
      return { postureDigest, found, packages: [...new Set(found.map((one) => one.package))].sort() }
    }

    test('is exposed by exactly those that have announced fixes, until they are there, and for as long as it took', async () => {
      const { store, product } = fleet
      const first = await report()
      expect(first.packages).toEqual([])
      await addAdvisories(store, 'own', 'own', parseAdvisories(announced.documents), fleet.now)
      const behind = await report()
      expect(announced.packages.length).toBeGreaterThan(0)
      expect(behind.packages).toEqual([...announced.packages].sort())
      // Nothing is exposed that apt has no newer version of, and each fix is one that apt would bring.
      for (const { package: name, fixedIn, status, reason: why } of behind.found) {
        const upgrade = before.find((one) => one.name === name)
        expect({ status, why }, name).toEqual({ status: 'affected', why: 'older-than-fix' })
        expect(compareVersions('dpkg', fixedIn ?? '', upgrade?.candidate ?? ''), name).not.toBe('newer')
      }

      const units = await fleet.add(10, { postureDigest: behind.postureDigest })
      await fleet.days(4, 'patch-management')

      const [kept = ''] = announced.packages
      tree.run('apt-mark', 'hold', kept)
      tree.upgrade()
      const left = tree.upgrades('--ignore-hold').map(({ name }) => name) ?? []
      const partly = await report()
      expect(partly.packages).toContain(kept)
      expect(partly.packages).toEqual(announced.packages.filter((name) => left.includes(name)).sort())
      for (const unit of units) await fleet.set(unit, { postureDigest: partly.postureDigest })
      await fleet.days(2, 'patch-management')

      tree.run('apt-mark', 'unhold', kept)
      tree.upgrade()
      expect(tree.upgrades()).toEqual([])
      const after = await report()
      expect(after.found).toEqual([])
      for (const unit of units) await fleet.set(unit, { postureDigest: after.postureDigest })
      await fleet.days(1, 'patch-management')

      // Four days until the first, two more for what was held back; each to the end of the day on which it was seen.
      const tracked = await store.trackedAdvisories.ofProduct(product.id)
      const ids = new Set(held.documents.map(({ id }) => id))
      const late = (of: readonly { advisory: string; patchedAt: number | null; publishedAt: number }[]) =>
        of.map(({ patchedAt, publishedAt }) => ((patchedAt ?? 0) - publishedAt) / DAY)
      const [slow, quick] = [
        tracked.filter(({ advisory }) => ids.has(advisory)),
        tracked.filter(({ advisory }) => !ids.has(advisory)),
      ]
      expect(new Set(late(slow))).toEqual(new Set([7]))
      if (quick.length > 0) expect(new Set(late(quick))).toEqual(new Set([5]))
      const sample = (await store.practices.samples(product.id, 0, 'patch.critical-time')).get('patch.critical-time')
      const figures = sample?.at(-1)
      // Seen on the fifth day: it counts to its end, that nothing looks faster than it was.
      const durations = [...quick.map(() => 6 * DAY), ...slow.map(() => 7 * DAY)]
      const at = (percent: number) => durations[Math.ceil((durations.length * percent) / 100) - 1]
      expect(figures).toMatchObject({
        known: 10 * tracked.length,
        percentiles: { p50: at(50), p90: at(90), p95: at(95), open: 0 },
      })
    }, 300_000)
  })
})
