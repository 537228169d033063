import { expect, it } from 'vitest'
import { computeExposures } from '../../../collector/advisories/compute.ts'
import { advisoryFigures, keptFor } from '../../../collector/advisories/figures.ts'
import { addAdvisories, importFeed } from '../../../collector/advisories/import.ts'
import { createMetrics } from '../../../collector/metrics.ts'
import { initialDeviceState } from '../../../collector/model/device.ts'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { saveDebianPosture } from '../../support/debian-posture.ts'
import { NOW, storedDevice, storedProduct } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'

const DAY = 86_400_000
const osv = (id: string, name: string, severity: string) =>
  parseAdvisories({
    id,
    published: new Date(NOW - 3 * DAY).toISOString(),
    modified: new Date(NOW).toISOString(),
    aliases: [`CVE-2026-${id.slice(-4)}`],
    database_specific: { severity },
    affected: [{ package: { ecosystem: 'Debian:12', name }, versions: ['1'] }],
  })

describeStore('figures of advisories', (createStore) => {
  it('count each device by the worst that it is affected by, and what is used in attacks as critical', async () => {
    const store = createStore()
    const product = await storedProduct(store, { vendor: 'Acme', model: 'Gate 7' })
    const reports = async (label: string, names: readonly string[]) => {
      const digest = await saveDebianPosture(
        store,
        'Acme',
        label,
        names.map((name) => ({ name, version: '1' })),
      )
      const device = await storedDevice(store, label, product.id)
      await store.devices.saveState(device.id, { ...initialDeviceState, postureDigest: digest, lastFreshAt: NOW })
    }
    await reports('a', ['zlib', 'curl'])
    await reports('b', ['curl'])
    await reports('c', ['bash'])
    await computeExposures(store)
    expect(await advisoryFigures(store, NOW)).toEqual({
      exposed: { critical: 0, high: 0, medium: 0, low: 0 },
      unknown: 0,
      oldestExploitedMs: 0,
      feedAgeMs: null,
    })
    await addAdvisories(store, 'own', 'own', [...osv('A-1000', 'zlib', 'high'), ...osv('A-1001', 'curl', 'low')], NOW)
    await computeExposures(store)
    expect((await advisoryFigures(store, NOW)).exposed).toEqual({ critical: 0, high: 1, medium: 0, low: 1 })
    const batches = [{ facts: [{ cve: 'CVE-2026-1001', addedAt: NOW, dueAt: null }] }]
    await importFeed(store, { feed: 'kev', authority: 'other', batches }, () => NOW - DAY)
    expect(await advisoryFigures(store, NOW)).toMatchObject({
      exposed: { critical: 2, high: 0 },
      oldestExploitedMs: 3 * DAY,
      feedAgeMs: DAY,
    })
    const metrics = createMetrics()
    metrics.watchAdvisories(() => advisoryFigures(store, NOW))
    const text = await metrics.registry.metrics()
    expect(text).toContain('keepseal_exposed_devices{severity="critical"} 2')
    expect(text).toContain(`keepseal_exploited_advisory_age_seconds ${(3 * DAY) / 1000}`)
    expect(text).toContain(`keepseal_advisory_feed_age_seconds ${DAY / 1000}`)
  })

  it('are no figures where the database does not answer, and are read once in a while', async () => {
    const metrics = createMetrics()
    metrics.watchAdvisories(() => Promise.reject(new Error('gone')))
    const text = await metrics.registry.metrics()
    expect(text).not.toContain('keepseal_exposed_devices{')
    expect(text).toContain('keepseal_advisory_feed_age_seconds Nan')
    let [reads, now] = [0, 0]
    const kept = keptFor(
      async () => {
        reads += 1
        if (reads === 1) throw new Error('not yet')
        return reads
      },
      () => now,
      1000,
    )
    await expect(kept()).rejects.toThrow('not yet')
    expect([await kept(), await kept()]).toEqual([2, 2])
    now = 1000
    expect(await kept()).toBe(3)
  })
})
