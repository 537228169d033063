import { join } from 'node:path'
import { computeExposures } from '../../collector/advisories/compute.ts'
import { addAdvisories, importFeed } from '../../collector/advisories/import.ts'
import { openStore } from '../../collector/store/index.ts'
import { parseAdvisories } from '../../shared/advisories/format.ts'
import type { WebSite } from '../support/web-site.ts'

const DAY = 86_400_000

/** Advisories about the first packages of the fleet, one of which is used in attacks, so that there is something to see. */
export async function addAdvisoriesTo({ directory, productId }: WebSite): Promise<void> {
  const { store, close } = await openStore({ path: join(directory, 'data', 'collector.db') })
  try {
    const now = Date.now()
    await computeExposures(store)
    const [group] = await store.exposedDevices.groups(productId)
    const found = await store.exposures.inventory(group?.inventory ?? 0)
    const { ecosystem, packages } = found?.inventory ?? { ecosystem: null, packages: [] }
    if (ecosystem === null) throw new Error('the fleet has no packages')
    const published = new Date(now - 40 * DAY).toISOString()
    const severities = ['critical', 'high', 'medium', 'low']
    const records = packages.slice(0, severities.length).flatMap(({ source }, index) =>
      parseAdvisories({
        id: `DSA-100${index}`,
        published,
        modified: published,
        aliases: [`CVE-2026-100${index}`],
        summary: 'a buffer is read beyond its end when a message is short',
        database_specific: { severity: severities[index] },
        affected: [
          {
            package: { ecosystem: `${ecosystem.name}:${ecosystem.release}`, name: source },
            ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: `999:${index}-1` }] }],
          },
        ],
      }),
    )
    await addAdvisories(store, 'own', 'own', records, now)
    const facts = [{ cve: 'CVE-2026-1001', addedAt: now, dueAt: null }]
    await importFeed(store, { feed: 'kev', authority: 'other', batches: [{ facts }] }, () => now)
    await computeExposures(store)
  } finally {
    await close()
  }
}
