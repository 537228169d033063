import { expect, it } from 'vitest'
import { computeExposures } from '../../../collector/advisories/compute.ts'
import { addAdvisories, importFeed } from '../../../collector/advisories/import.ts'
import type { Store } from '../../../collector/store/index.ts'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { encodeSection } from '../../../shared/posture/canonical.ts'
import type { Package } from '../../../shared/posture/sections/packages.ts'
import { bytes, NOW } from './samples.ts'
import { describeStore } from './support.ts'

const osv = (id: string, name: string, fixed: string, more: object = {}) => ({
  id,
  published: '2026-01-01T00:00:00Z',
  modified: '2026-01-02T00:00:00Z',
  affected: [
    {
      package: { ecosystem: 'Debian:12', name },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
    },
  ],
  ...more,
})

/** A posture of a Debian 12 with these packages, as if a device had reported it; its digest. */
async function report(store: Store, label: string, packages: readonly Package[]): Promise<Uint8Array> {
  const missing = { missing: 'absent' } as const
  const [list, system] = [
    encodeSection(
      'packages',
      {
        status: 'measured',
        content: { manager: 'dpkg', packages: [...packages], total: packages.length, malformed: 0, incomplete: false },
      },
      hash,
    ),
    encodeSection(
      'system',
      {
        status: 'measured',
        content: {
          os: { value: { id: 'debian', versionId: '12' } },
          kernel: { release: missing, machine: missing, build: missing },
        },
      },
      hash,
    ),
  ]
  const digest = bytes(label, 32)
  for (const section of [list, system]) await store.sections.save('Acme', section.digest, section.bytes)
  await store.postures.save(
    'Acme',
    digest,
    new Map([
      ['packages', list.digest],
      ['system', system.digest],
    ]),
  )
  return digest
}

describeStore('advisories', (createStore) => {
  const clock = () => NOW
  const feedOf = (...documents: object[]) => ({
    feed: 'debian',
    authority: 'distribution' as const,
    batches: [{ records: documents.flatMap((each) => parseAdvisories(each)) }],
  })
  const openOf = async (store: Store, digest: Uint8Array): Promise<readonly string[]> => {
    const id = await store.exposures.inventoryOfPosture('Acme', digest)
    const found = await store.exposures.of(id ?? 0)
    return found.map(({ package: name, advisory, status }) => `${name} ${advisory} ${status}`)
  }

  it('exposure follows what devices report and what advisories say, whichever comes first', async () => {
    const store = createStore()
    const digest = await report(store, 'one', [
      { name: 'libssl3', version: '3.0.1-1', source: 'openssl' },
      { name: 'zlib1g', version: '1.2-1', source: 'zlib' },
    ])
    expect(await computeExposures(store)).toBe(true)
    expect(await openOf(store, digest)).toEqual([])
    await importFeed(store, feedOf(osv('DSA-1', 'openssl', '3.0.1-2'), osv('DSA-2', 'curl', '9')), clock)
    expect(await computeExposures(store)).toBe(true)
    expect(await openOf(store, digest)).toEqual(['libssl3 DSA-1 affected'])
    expect(await computeExposures(store)).toBe(false)
    const later = await report(store, 'two', [{ name: 'zlib1g', version: '1.2-1', source: 'zlib' }])
    await addAdvisories(store, 'own', 'own', parseAdvisories(osv('ACME-1', 'zlib', '1.2-2')), NOW)
    await computeExposures(store)
    expect(await openOf(store, digest)).toEqual(['libssl3 DSA-1 affected', 'zlib1g ACME-1 affected'])
    expect(await openOf(store, later)).toEqual(['zlib1g ACME-1 affected'])
    expect((await store.exposures.openOf([1, 2])).get('ACME-1')?.size).toBe(2)
  })

  it('an advisory that is corrected or withdrawn is so for every device', async () => {
    const store = createStore()
    const digest = await report(store, 'one', [{ name: 'zlib', version: '1.2-1' }])
    await importFeed(store, feedOf(osv('DSA-1', 'zlib', '2'), osv('DSA-2', 'zlib', '3')), clock)
    await computeExposures(store)
    expect(await openOf(store, digest)).toHaveLength(2)
    const corrected = feedOf(
      osv('DSA-1', 'zlib', '1.2-1'),
      osv('DSA-2', 'zlib', '3', { withdrawn: '2026-02-01T00:00:00Z' }),
    )
    await importFeed(store, corrected, clock)
    await computeExposures(store)
    expect(await openOf(store, digest)).toEqual([])
    const [withdrawn] = await store.advisories.byId('DSA-2')
    expect(withdrawn).toMatchObject({ feed: 'debian', withdrawn: Date.UTC(2026, 1, 1), knownAt: NOW })
    // Said of another package than before: of the first one nothing is left.
    await addAdvisories(store, 'own', 'own', parseAdvisories(osv('ACME-1', 'zlib', '9')), NOW)
    await computeExposures(store)
    expect(await openOf(store, digest)).toEqual(['zlib ACME-1 affected'])
    await addAdvisories(store, 'own', 'own', parseAdvisories(osv('ACME-1', 'curl', '9')), NOW)
    await computeExposures(store)
    expect(await openOf(store, digest)).toEqual([])
  })

  it('a feed that has lost half of what it had is refused, and what was there stays', async () => {
    const store = createStore()
    await importFeed(store, feedOf(...[1, 2, 3, 4].map((n) => osv(`DSA-${n}`, 'zlib', `${n}`))), clock)
    const half = feedOf(osv('DSA-1', 'zlib', '1'), osv('DSA-2', 'zlib', '2'))
    await expect(importFeed(store, half, clock)).rejects.toMatchObject({ code: 'advisory.feed-shrunk' })
    expect(await store.advisorySets.feed('debian')).toMatchObject({ advisories: 4 })
    expect((await store.advisories.list({ limit: 9 })).items.map(({ id }) => id)).toEqual([
      'DSA-1',
      'DSA-2',
      'DSA-3',
      'DSA-4',
    ])
    expect(await importFeed(store, { ...half, mayShrink: true }, clock)).toEqual({ advisories: 2, before: 4 })
    // Both sets that count no more are removed, some rows at a time.
    const stale = await store.advisorySets.staleSets(NOW + 1)
    expect(stale).toHaveLength(2)
    for (const set of stale) while (!(await store.advisorySets.removeSome(set, 1))) continue
    expect(await store.advisorySets.staleSets(NOW + 1)).toEqual([])
    expect((await store.advisories.list({ limit: 9 })).items).toHaveLength(2)
  })

  it('a feed that fails in the middle changes nothing', async () => {
    const store = createStore()
    await importFeed(store, feedOf(osv('DSA-1', 'zlib', '1')), clock)
    const batches = (function* () {
      yield { records: parseAdvisories(osv('DSA-2', 'zlib', '2')) }
      throw new Error('cut off')
    })()
    await expect(importFeed(store, { ...feedOf(), batches }, clock)).rejects.toThrow('cut off')
    expect((await store.advisories.list({ limit: 9 })).items.map(({ id }) => id)).toEqual(['DSA-1'])
  })

  it('what is known of vulnerabilities comes from several feeds, of each the newest', async () => {
    const store = createStore()
    const facts = (feed: string, list: object[]) => ({
      feed,
      authority: 'other' as const,
      batches: [{ facts: list as { cve: string }[] }],
    })
    await importFeed(store, facts('kev', [{ cve: 'CVE-2026-1000', addedAt: 5, dueAt: null }]), clock)
    await importFeed(store, facts('epss', [{ cve: 'CVE-2026-1000', probability: 1, percentile: 2 }]), clock)
    await importFeed(store, facts('epss', [{ cve: 'CVE-2026-1000', probability: 3, percentile: 4 }]), clock)
    expect([...(await store.advisories.facts(['CVE-2026-1000', 'CVE-2026-1001'])).values()]).toEqual([
      { cve: 'CVE-2026-1000', addedAt: 5, dueAt: null, probability: 3, percentile: 4 },
    ])
  })

  it('advisories are found by their name, another name, and by the package', async () => {
    const store = createStore()
    await importFeed(
      store,
      feedOf(osv('DSA-1', 'zlib', '1', { aliases: ['CVE-2026-1000'] }), osv('DSA-2', 'curl', '1')),
      clock,
    )
    for (const about of ['DSA-1', 'CVE-2026-1000', 'zlib']) {
      expect((await store.advisories.list({ limit: 9 }, { about })).items.map(({ id }) => id)).toEqual(['DSA-1'])
    }
    expect((await store.advisories.list({ limit: 1 })).nextCursor).toBe('DSA-1')
    expect(await store.advisories.statementsOf('DSA-1')).toMatchObject([{ feed: 'debian', cves: ['CVE-2026-1000'] }])
  })
})
