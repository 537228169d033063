import { expect, it } from 'vitest'
import { computeExposures } from '../../../../collector/advisories/compute.ts'
import { addAdvisories, importFeed } from '../../../../collector/advisories/import.ts'
import { trackAdvisories } from '../../../../collector/advisories/track.ts'
import { parseAdvisories } from '../../../../shared/advisories/format.ts'
import { goodPosture } from '../../../support/postures.ts'
import { DAY, PracticeFleet } from '../../../support/practice-fleet.ts'
import { productStatement } from '../../../support/product-statement.ts'
import { NOW } from '../../store/samples.ts'
import { describeStore } from '../../store/support.ts'

const PATCH = 'patch-management'

const advisory = (id: string, at: number, more: object = {}) =>
  parseAdvisories({
    id,
    published: new Date(at).toISOString(),
    modified: new Date(at).toISOString(),
    database_specific: { severity: 'critical' },
    affected: [
      {
        package: { ecosystem: 'Debian:12', name: 'openssl' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.17-1' }] }],
      },
    ],
    ...more,
  })

const { packages, system } = goodPosture()
const onDebian = { ...system, os: { value: { id: 'debian', versionId: '12' } } }
const withOpenssl = (version: string) => ({
  system: onDebian,
  packages: { ...packages, packages: [{ name: 'openssl', version }], total: 1 },
})

describeStore('advisories of a fleet', (createStore) => {
  it('time to patch is from the publication to the day on which each device was first seen with the fix', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const { store } = fleet
    const old = await fleet.posture(withOpenssl('3.0.16-1'))
    const fixed = await fleet.posture(withOpenssl('3.0.17-1'))
    const units = await fleet.add(10, { postureDigest: old })
    await addAdvisories(store, 'own', 'own', advisory('DSA-1', NOW), NOW)
    // Fixed long ago, everywhere: nobody took any time for it here.
    const past = advisory('DSA-0', NOW - 900 * DAY, { affected: [] })
    await addAdvisories(store, 'own', 'own', past, NOW)
    await computeExposures(store)
    await fleet.days(2, PATCH)
    for (const unit of units.slice(0, 8)) await fleet.set(unit, { postureDigest: fixed })
    await fleet.days(3, PATCH)
    const samples = await store.practices.samples(fleet.product.id, 0, 'patch.critical-time')
    expect(samples.get('patch.critical-time')?.at(-1)).toMatchObject({
      known: 10,
      percentiles: { p50: 4 * DAY, p90: 5 * DAY, open: 2 },
    })
    const [tracked, ...others] = await store.trackedAdvisories.ofProduct(fleet.product.id)
    expect(others).toEqual([])
    expect(tracked).toMatchObject({ advisory: 'DSA-1', severity: 'critical', publishedAt: NOW, patchedAt: null })
    for (const unit of units) await fleet.set(unit, { postureDigest: fixed })
    await fleet.days(1, PATCH)
    const [after] = await store.trackedAdvisories.ofProduct(fleet.product.id)
    expect(after?.patchedAt).toBe(fleet.now)
  })

  it('a fleet that patches late is in drift, and comes back', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const release = await fleet.release('1.0', 1)
    const old = await fleet.posture(withOpenssl('3.0.16-1'))
    const fixed = await fleet.posture(withOpenssl('3.0.17-1'))
    const units = await fleet.add(10, { postureDigest: old, ...fleet.runs(release) })
    await computeExposures(fleet.store)
    expect((await fleet.days(2, PATCH)).at(-1)).toBe('conforming')
    await addAdvisories(fleet.store, 'own', 'own', advisory('DSA-1', fleet.now), fleet.now)
    await computeExposures(fleet.store)
    expect((await fleet.days(36, PATCH)).at(-1)).toBe('drift')
    for (const unit of units) await fleet.set(unit, { postureDigest: fixed, ...fleet.runs(release) })
    expect((await fleet.days(66, PATCH)).at(-1)).toBe('conforming')
  }, 120_000)

  it('what is used in attacks is critical, and what was excluded counts again when that is over', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const { store, product } = fleet
    const groups = [{ vendor: product.vendor, postureDigest: await fleet.posture(withOpenssl('3.0.16-1')) }]
    const mild = advisory('DSA-1', NOW, { aliases: ['CVE-2026-1000'], database_specific: { severity: 'low' } })
    await addAdvisories(store, 'own', 'own', mild, NOW)
    await computeExposures(store)
    const seen = async (now: number) =>
      (await trackAdvisories(store, product.id, groups, now)).map(
        ({ severity, exploited, stateOf }) => `${severity} ${exploited} ${groups.map(stateOf).join()}`,
      )
    expect(await seen(NOW)).toEqual(['low false open'])
    const batches = [{ facts: [{ cve: 'CVE-2026-1000', addedAt: NOW, dueAt: null }] }]
    await importFeed(store, { feed: 'kev', authority: 'other', batches }, () => NOW)
    expect(await seen(NOW)).toEqual(['critical true open'])
    await store.productStatements.add(productStatement(product.id, 'DSA-1', { expiresAt: NOW + 5 }))
    expect(await seen(NOW)).toEqual([])
    expect(await seen(NOW + 5)).toEqual(['critical true open'])
  })

  it('a posture without packages may have anything', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const { store, product } = fleet
    const groups = [
      { vendor: product.vendor, postureDigest: await fleet.posture(withOpenssl('3.0.16-1')) },
      { vendor: product.vendor, postureDigest: null },
    ]
    await addAdvisories(store, 'own', 'own', advisory('DSA-1', NOW), NOW)
    await computeExposures(store)
    const [one] = await trackAdvisories(store, product.id, groups, NOW)
    expect(groups.map((group) => one?.stateOf(group))).toEqual(['open', 'open'])
  })

  it('what is said of a package settles nothing for a posture without packages', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const { store, product } = fleet
    const { vendor } = product
    const silent = { vendor, postureDigest: null }
    const groups = [{ vendor, postureDigest: await fleet.posture(withOpenssl('3.0.16-1')) }, silent]
    await addAdvisories(store, 'own', 'own', advisory('DSA-1', NOW), NOW)
    await computeExposures(store)
    const said = { package: 'openssl', expiresAt: NOW + 5 }
    await store.productStatements.add(productStatement(product.id, 'DSA-1', said))
    const states = async (now: number) => {
      const [one] = await trackAdvisories(store, product.id, groups, now)
      return [one?.isSettled, ...groups.map((group) => one?.stateOf(group))]
    }
    // Also before it was ever tracked.
    expect(await states(NOW)).toEqual([false, 'unaffected', 'open'])
    expect((await store.trackedAdvisories.ofProduct(product.id)).map(({ isSettled }) => isSettled)).toEqual([false])
    expect(await states(NOW + 5)).toEqual([false, 'open', 'open'])
    await store.productStatements.add(productStatement(product.id, 'DSA-1'))
    expect(await states(NOW)).toEqual([undefined, undefined, undefined])
    expect((await store.trackedAdvisories.ofProduct(product.id)).map(({ isSettled }) => isSettled)).toEqual([true])
  })

  it('the age of what is known is that of the feed that was looked at longest ago', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const { store, product } = fleet
    const at = (time: number) => () => time
    await importFeed(store, { feed: 'a', authority: 'distribution', batches: [{ records: [] }] }, at(NOW - 3 * DAY))
    await importFeed(store, { feed: 'b', authority: 'other', batches: [{ records: [] }] }, at(NOW))
    await fleet.days(1, PATCH)
    const samples = await store.practices.samples(product.id, 0)
    expect(samples.get('awareness.feed-age')?.at(-1)?.value).toBeGreaterThanOrEqual(3 * DAY)
    expect(samples.get('vulnerability.matching-age')?.at(-1)?.value).toBeGreaterThanOrEqual(3 * DAY)
  })
})
