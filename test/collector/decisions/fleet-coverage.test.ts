import { expect, test } from 'vitest'
import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { countCovered, FleetCoverage, sumOfCounts } from '../../../collector/decisions/fleet-coverage.ts'
import { coverageByProduct } from '../../../collector/decisions/certified-coverage.ts'
import { CoverageReader } from '../../../collector/decisions/coverage.ts'
import type { Store } from '../../../collector/store/index.ts'
import { approveProfile, certified, DecidingPeople, issueCertificate } from '../../support/decision-log.ts'
import { DAY, PracticeFleet } from '../../support/practice-fleet.ts'
import { NOW, storedProduct } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'

const person = { tokenId: 'api_c', name: 'Ada' }

async function certifiedFleet(store: Store) {
  const people = await DecidingPeople.begin(NOW / 1000)
  await approveProfile(people, 1, 3)
  const listed = certified('Acme/Gate 7', true, { hardwareRevisions: ['B'], firmwareLines: ['1.*'] })
  await issueCertificate(people, 'crt_1', { products: [listed], line: null })
  for (const [index, entry] of people.entries.entries()) await store.decisions.append(index, entry, NOW)
  const fleet = PracticeFleet.of(store, await storedProduct(store, { vendor: 'Acme', model: 'Gate 7' }))
  const assessed = { activatedAt: NOW - DAY, countersigned: { by: person, at: NOW } }
  const good = await fleet.release('1.0', 1, assessed)
  const later = await fleet.release('1.1', 2, { ...assessed, activatedAt: NOW + DAY })
  const fork = await fleet.release('2.0', 3, assessed)
  await fleet.add(5, fleet.runs(good))
  await fleet.add(2, { ...fleet.runs(good), latch: 'failed' })
  await fleet.add(1, { ...fleet.runs(good), verdict: 'contraindicated' })
  await fleet.add(3, fleet.runs(later))
  await fleet.add(1, fleet.runs(fork))
  await fleet.add(4, {})
  await fleet.add(2, fleet.runs(good), { hardwareRevision: 'Z' })
  await fleet.add(1, fleet.runs(good), { enrolment: 'pending' })
  await fleet.add(1, fleet.runs(good), { enrolment: 'revoked' })
  return { fleet, people, register: () => new DecisionBook(store).register() }
}

describeStore('the coverage of a fleet', (store) => {
  test('counts the active units that are covered, and the others by their reason, as each of them is shown', async () => {
    const { fleet, register } = await certifiedFleet(store())
    const groups = await new FleetCoverage().of(store(), await register(), fleet.product, NOW)
    const counted = countCovered(groups)
    expect(counted).toEqual({
      covered: 5,
      notCovered: 13,
      reasons: {
        'unit-failing': 3,
        'release-pending': 3,
        'release-not-listed': 1,
        'release-unknown': 4,
        'hardware-not-listed': 2,
      },
    })
    // The same answer as for each device alone.
    const reader = new CoverageReader(store(), new DecisionBook(store()))
    const alone = { covered: 0, notCovered: 0 }
    for (const { device, state } of (await store().devices.list({ limit: 100 }, { enrolment: 'active' })).items) {
      const { coverage } = await reader.of(device, state, NOW)
      alone[coverage === 'covered' ? 'covered' : 'notCovered'] += 1
    }
    expect(alone).toEqual({ covered: 5, notCovered: 13 })
  })

  test('counts units of a product that no certificate lists as not covered', async () => {
    const { fleet, register } = await certifiedFleet(store())
    const other = await storedProduct(store(), { vendor: 'Acme', model: 'Gate 9' })
    const stranger = await storedProduct(store(), { vendor: 'Nobody', model: 'X' })
    const coverage = new FleetCoverage()
    const counts = []
    for (const product of [fleet.product, other, stranger]) {
      if (product !== fleet.product) {
        const unlisted = PracticeFleet.of(store(), product)
        unlisted.devices.push(...fleet.devices)
        await unlisted.add(product === other ? 2 : 3, {}, { vendor: product.vendor, model: product.model })
        fleet.devices.push(...unlisted.devices.slice(fleet.devices.length))
      }
      counts.push(countCovered(await coverage.of(store(), await register(), product, NOW)))
    }
    expect(counts.map(({ reasons }) => reasons).slice(1)).toEqual([
      { 'product-not-listed': 2 },
      { 'no-certificate': 3 },
    ])
    expect(sumOfCounts(counts)).toMatchObject({ covered: 5, notCovered: 18 })
  })

  test('follows a decision at once, and a certificate has its own products alone', async () => {
    const { people, register, fleet } = await certifiedFleet(store())
    const coverage = new FleetCoverage()
    const found = async () => {
      const known = await register()
      const certificate = known.certificates.get('crt_1')
      if (certificate === undefined) throw new Error('no certificate')
      return coverageByProduct(store(), coverage, known, certificate, NOW)
    }
    expect(await found()).toMatchObject([{ product: 'Acme/Gate 7', productId: fleet.product.id, covered: 5 }])
    await people.decide(people.certifier, 'certificate.withdraw', 'crt_1', { reason: 'a hole' })
    await store().decisions.append(people.entries.length - 1, people.entries.at(-1) as Uint8Array, NOW)
    expect(await found()).toMatchObject([{ covered: 0, notCovered: 18, reasons: { 'no-certificate': 18 } }])
  })

  test('finds devices that are alike in what says whether they are covered', async () => {
    const { fleet } = await certifiedFleet(store())
    const release = (await store().releases.ofProduct(fleet.product.id)).find(({ name }) => name === '1.0')
    const alike = { productId: fleet.product.id, hardwareRevision: 'B', releaseId: release?.id ?? '' }
    const count = async (...groups: Parameters<Store['devices']['list']>[1][]) => {
      const [filter] = groups
      return (await store().devices.list({ limit: 100 }, filter)).items.length
    }
    expect(await count({ alike: [{ ...alike, isFailing: false }] })).toBe(5)
    expect(await count({ alike: [{ ...alike, isFailing: true }] })).toBe(3)
    expect(await count({ alike: [{ ...alike, releaseId: null, isFailing: false }] })).toBe(4)
    expect(await count({ alike: [] })).toBe(0)
  })
})
