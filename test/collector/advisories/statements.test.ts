import { expect, it } from 'vitest'
import { computeExposures } from '../../../collector/advisories/compute.ts'
import { effectsOf } from '../../../collector/advisories/effects.ts'
import { advisoryFigures } from '../../../collector/advisories/figures.ts'
import { addAdvisories } from '../../../collector/advisories/import.ts'
import { endStatement } from '../../../collector/advisories/state.ts'
import { trackAdvisories } from '../../../collector/advisories/track.ts'
import { openVexOf } from '../../../collector/advisories/vex-document.ts'
import { exposuresOf, vulnerabilitiesOf } from '../../../collector/advisories/view.ts'
import type { Labels } from '../../../collector/model/labels.ts'
import type { ProductStatement } from '../../../collector/model/product-statement.ts'
import type { Store } from '../../../collector/store/index.ts'
import { readFleet } from '../../../collector/tracking/practices/fleet-signals.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { conditionFrom } from '../../../shared/advisories/posture-condition.ts'
import { goodPosture } from '../../support/postures.ts'
import { PracticeFleet } from '../../support/practice-fleet.ts'
import { productStatement } from '../../support/product-statement.ts'
import { bytes, id, NOW } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'

const ADVISORY = 'DSA-1'
const record = parseAdvisories({
  id: ADVISORY,
  published: new Date(NOW).toISOString(),
  modified: new Date(NOW).toISOString(),
  database_specific: { severity: 'critical' },
  affected: [{ package: { ecosystem: 'Debian:12', name: 'openssl' }, versions: ['3.0.16-1'] }],
})

const { packages, system } = goodPosture()
const onDebian = { ...system, os: { value: { id: 'debian', versionId: '12' } } }
const withPackages = (...names: readonly string[]) => ({
  system: onDebian,
  packages: {
    ...packages,
    packages: ['openssl', ...names].map((name) => ({ name, version: name === 'openssl' ? '3.0.16-1' : '1' })),
    total: names.length + 1,
  },
})

/** Three devices without telnetd, two with it; all have an openssl that DSA-1 is about. */
async function affectedFleet(store: Store) {
  const fleet = await PracticeFleet.certified(store)
  const { product } = fleet
  const without = await fleet.posture(withPackages())
  const withIt = await fleet.posture(withPackages('telnetd'))
  const release = await fleet.release('1.0', 1)
  const units = await fleet.add(3, { postureDigest: without, ...fleet.runs(release) })
  const others = await fleet.add(2, { postureDigest: withIt })
  await addAdvisories(store, 'own', 'own', record, NOW)
  const configuration = {
    id: id('cfg'),
    productId: product.id,
    name: 'no-telnet',
    conditions: ['package-absent:telnetd', 'port-closed:tcp/23'].flatMap((line) => conditionFrom(line) ?? []),
    createdAt: NOW,
    createdBy: 'api_x',
    createdByName: 'Ada',
  }
  await store.productConfigurations.add(configuration)
  await computeExposures(store)
  const say = async (over: Partial<ProductStatement>) => {
    const said = productStatement(product.id, ADVISORY, over)
    await store.productStatements.add(said)
    return said
  }
  const label = (unit: { readonly id: number }, labels: Labels) => store.deviceLabels.set(unit.id, labels)
  const openNow = async (now = NOW) => {
    const { items } = await vulnerabilitiesOf(store, product.id, now)
    const text = items.map(
      ({ status, excludedUntil, devices }) => `${devices} ${excludedUntil === null ? status : 'excluded'}`,
    )
    // All that count see the same.
    const { critical } = (await advisoryFigures(store, now)).exposed
    const effects = await effectsOf(store, ADVISORY, now)
    const sum = (of: typeof effects) => of.reduce((all, { devices }) => all + devices, 0)
    const open = effects.filter((one) => one.status === 'affected' && one.excludedUntil === null)
    expect([sum(open), sum(effects)]).toEqual([critical, 5])
    const deadlines = { stale: 0, staleAt: [], silent: 0 }
    const { groups } = await readFleet(store, fleet.postures, product.id, deadlines, now)
    const [tracked] = await trackAdvisories(store, product.id, groups, now)
    const counted = groups.filter((group) => tracked?.stateOf(group) === 'open')
    expect(counted.reduce((all, { count }) => all + count, 0)).toBe(critical)
    return text.sort()
  }
  const vex = async (now = NOW) => {
    const document = await openVexOf(store, product, { now, publicUrl: 'https://k.example' })
    return document.statements.map(({ products: [of], status }) => `${of?.['@id'].split('/').at(-1)} ${status}`).sort()
  }
  return { fleet, store, product, configuration, release, units, others, without, withIt, say, label, openNow, vex }
}

const named = ({ id: of, name }: { readonly id: string; readonly name: string }) => ({ id: of, name })
const NOT_AFFECTED = { verdict: 'not-affected', justification: 'vulnerable_code_not_present' } as const

describeStore('what is said of an advisory for some devices', (createStore) => {
  it('counts for those whose posture meets the configuration, and comes back when it does not', async () => {
    const { fleet, store, configuration, units, others, withIt, without, say, openNow, vex } =
      await affectedFleet(createStore())
    await say({ ...NOT_AFFECTED, configuration: named(configuration) })
    expect(await openNow()).toEqual(['2 affected', '3 not-affected'])
    const [first] = units
    if (first === undefined) throw new Error('no unit')
    expect(await exposuresOf(store, first, NOW)).toMatchObject({
      items: [{ status: 'not-affected', reason: 'own-statement', unruled: 'affected' }],
    })
    // Whoever is not in it is told nothing good, and neither is whoever asks of the product as such.
    expect(await vex()).toEqual(['Gate%207 affected', 'Gate%207?configuration=no-telnet not_affected'])
    await fleet.set(first, { postureDigest: withIt })
    expect(await openNow()).toEqual(['2 not-affected', '3 affected'])
    expect(await exposuresOf(store, first, NOW)).toMatchObject({ items: [{ status: 'affected', ruling: null }] })
    await fleet.set(first, { postureDigest: without })
    expect(await openNow()).toEqual(['2 affected', '3 not-affected'])
    // All that report are in it: of the product as such nothing more is known by that.
    for (const unit of others) await fleet.set(unit, { postureDigest: without })
    expect(await openNow()).toEqual(['5 not-affected'])
    expect(await vex()).toEqual(['Gate%207 affected', 'Gate%207?configuration=no-telnet not_affected'])
  })

  it('is not met by a posture that nobody has looked at, or that does not tell', async () => {
    const { fleet, store, configuration, others, say, openNow } = await affectedFleet(createStore())
    await say({ ...NOT_AFFECTED, configuration: named(configuration) })
    const sockets = { ...goodPosture().sockets, truncated: true, total: 1 }
    const silent = await fleet.posture({ ...withPackages(), sockets })
    for (const unit of others) await fleet.set(unit, { postureDigest: silent })
    const met = () => store.productConfigurations.metByPosture(silent)
    expect(await met()).toEqual({ met: new Set(), notMet: new Set() })
    await computeExposures(store)
    expect(await met()).toEqual({ met: new Set(), notMet: new Set() })
    expect(await openNow()).toEqual(['2 affected', '3 not-affected'])
    expect(await computeExposures(store)).toBe(false)
  })

  it('an exclusion for an environment is for the devices that have the labels now, until it is over', async () => {
    const { units, others, say, label, openNow, vex } = await affectedFleet(createStore())
    const labels = { site: 'lab', line: '2' }
    await say({ environment: { groupId: null, name: 'lab', labels }, expiresAt: NOW + 10 })
    expect(await openNow()).toEqual(['5 affected'])
    const [first, second] = units
    const [other] = others
    if (first === undefined || second === undefined || other === undefined) throw new Error('no unit')
    await label(first, labels)
    await label(other, { ...labels, more: 'x' })
    // One of the labels is not enough.
    await label(second, { site: 'lab', line: '3' })
    expect(await openNow()).toEqual(['2 excluded', '3 affected'])
    expect(await vex()).toEqual(['Gate%207 affected', 'Gate%207?environment=lab affected'])
    await label(second, { line: '2' })
    expect(await openNow()).toEqual(['2 affected', '3 excluded'])
    await label(first, { site: 'plant-7' })
    expect(await openNow()).toEqual(['2 excluded', '3 affected'])
    expect(await openNow(NOW + 10)).toEqual(['5 affected'])
    expect(await vex(NOW + 10)).toEqual(['Gate%207 affected'])
  })

  it('two environments that overlap count each device once', async () => {
    const { units, say, label, openNow } = await affectedFleet(createStore())
    for (const [index, unit] of units.entries())
      await label(unit, { a: index < 2 ? '1' : '0', b: index > 0 ? '1' : '0' })
    await say({ environment: { groupId: null, name: 'a', labels: { a: '1' } } })
    await say({ environment: { groupId: null, name: 'b', labels: { b: '1' } }, expiresAt: NOW + 5 })
    expect(await openNow()).toEqual(['1 excluded', '2 affected', '2 excluded'])
    expect(await openNow(NOW + 5)).toEqual(['2 excluded', '3 affected'])
  })

  it('of two that contradict each other the one that devices are affected counts, and the other is shown', async () => {
    const { store, product, configuration, units, say, openNow } = await affectedFleet(createStore())
    await say({ ...NOT_AFFECTED })
    expect(await openNow()).toEqual(['5 not-affected'])
    const veto = await say({ verdict: 'affected', configuration: named(configuration) })
    expect(await openNow()).toEqual(['2 not-affected', '3 affected'])
    const [first] = units
    if (first === undefined) throw new Error('no unit')
    const { items } = await exposuresOf(store, first, NOW)
    expect(items).toMatchObject([{ status: 'affected', disputedBy: ['own: not-affected'] }])
    const { items: all } = await vulnerabilitiesOf(store, product.id, NOW)
    expect(all.find(({ status }) => status === 'affected')?.disputedBy).toEqual(['own: not-affected'])
    // Neither is an exclusion of the whole product believed there.
    await say({})
    expect(await openNow()).toEqual(['2 not-affected', '3 affected'])
    await endStatement(store, veto.id, { id: 'api_x', name: 'Ada' }, NOW)
    expect(await openNow()).toEqual(['5 not-affected'])
    await expect(endStatement(store, veto.id, { id: 'api_x', name: 'Ada' }, NOW)).rejects.toMatchObject({
      code: 'request.conflict',
    })
  })

  it('that they are affected counts also where nobody knows whether it is about a device', async () => {
    const { fleet, store, configuration, others, release, say, openNow } = await affectedFleet(createStore())
    await say({ ...NOT_AFFECTED })
    const veto = await say({ verdict: 'affected', configuration: named(configuration) })
    const sockets = { ...goodPosture().sockets, truncated: true, total: 1 }
    const silent = await fleet.posture({ ...withPackages(), sockets })
    for (const unit of others) await fleet.set(unit, { postureDigest: silent })
    // Nobody has looked at it; then somebody has, and it does not tell.
    const [other] = others
    if (other === undefined) throw new Error('no unit')
    const { inventory } = (await store.exposedDevices.groups()).find(({ inventory: one }) => one !== null) ?? {}
    await store.exposures.setPosture(fleet.product.vendor, silent, inventory ?? null, null)
    expect(await openNow()).toEqual(['5 affected'])
    await computeExposures(store)
    expect(await openNow()).toEqual(['5 affected'])
    expect(await exposuresOf(store, other, NOW)).toMatchObject({ items: [{ status: 'affected' }] })
    await endStatement(store, veto.id, { id: 'api_x', name: 'Ada' }, NOW)
    // Of the others nobody knows which release they run.
    await say({ verdict: 'affected', release: named(release) })
    expect(await openNow()).toEqual(['5 affected'])
    const next = await fleet.release('1.1', 2)
    for (const unit of others) await fleet.set(unit, { postureDigest: silent, ...fleet.runs(next) })
    expect(await openNow()).toEqual(['2 not-affected', '3 affected'])
  })

  it('that a package is affected counts for whoever does not tell its packages', async () => {
    const { fleet, store, product, say } = await affectedFleet(createStore())
    const states = async () => {
      const { vendor } = product
      const silent = { vendor, postureDigest: null }
      const [one] = await trackAdvisories(store, product.id, [silent, { vendor, postureDigest: told }], NOW)
      return one === undefined ? 'nothing' : one.stateOf(silent)
    }
    const told = await fleet.posture(withPackages())
    await say({ ...NOT_AFFECTED })
    expect(await states()).toBe('nothing')
    await say({ verdict: 'affected', package: 'openssl' })
    expect(await states()).toBe('open')
  })

  it('a section of a newer schema decides nothing, and is looked at again', async () => {
    const { fleet, store, product, configuration, say, openNow, others } = await affectedFleet(createStore())
    const { vendor } = product
    const known = await store.postures.find(vendor, await fleet.posture(withPackages()))
    const newer = bytes('of a newer schema')
    await store.sections.save(vendor, newer, new Uint8Array([0xa0]))
    const digest = bytes('its posture')
    await store.postures.save(vendor, digest, new Map([...(known ?? []), ['sockets', newer]]))
    for (const unit of others) await fleet.set(unit, { postureDigest: digest })
    await say({ ...NOT_AFFECTED })
    await say({ verdict: 'affected', configuration: named(configuration) })
    await computeExposures(store)
    expect(await openNow()).toEqual(['5 affected'])
    const waiting = await store.productConfigurations.toLookAt(10)
    expect(waiting.map((one) => toHex(one.digest))).toEqual([toHex(digest)])
    // Another section decides: the package is there.
    const present = await store.postures.find(vendor, await fleet.posture(withPackages('telnetd')))
    const decided = bytes('its other posture')
    await store.postures.save(vendor, decided, new Map([...(present ?? []), ['sockets', newer]]))
    await computeExposures(store)
    expect(await store.productConfigurations.metByPosture(decided)).toMatchObject({
      notMet: new Set([configuration.id]),
    })
  })

  it('tells apart what would be affected without it from what nobody knows', async () => {
    const { fleet, store, product, configuration, others, say, vex } = await affectedFleet(createStore())
    await say({ ...NOT_AFFECTED, configuration: named(configuration) })
    const incomparable = {
      ...withPackages(),
      packages: { ...packages, packages: [{ name: 'openssl', version: 'x_1' }] },
    }
    const unknown = await fleet.posture(incomparable)
    for (const unit of others) await fleet.set(unit, { postureDigest: unknown })
    await computeExposures(store)
    const { items } = await vulnerabilitiesOf(store, product.id, NOW)
    expect(items.map(({ status, unruled, devices }) => [status, unruled, devices]).sort()).toEqual([
      ['not-affected', 'affected', 3],
      ['not-affected', 'unknown', 2],
    ])
    expect(await vex()).toEqual(['Gate%207 affected', 'Gate%207?configuration=no-telnet not_affected'])
  })

  it('is published also where no device is that it is about, and for all that it may be about', async () => {
    const { fleet, store, product, configuration, release, say, vex } = await affectedFleet(createStore())
    await say({ ...NOT_AFFECTED })
    expect(await vex()).toEqual(['Gate%207 not_affected'])
    const plant = { groupId: null, name: 'plant', labels: { site: 'plant' } }
    const veto = await say({ verdict: 'affected', environment: plant })
    expect(await vex()).toEqual(['Gate%207 affected', 'Gate%207?environment=plant affected'])
    await endStatement(store, veto.id, { id: 'api_x', name: 'Ada' }, NOW)
    // Of no device in both, and of a release of which nobody has one.
    await say({ ...NOT_AFFECTED, configuration: named(configuration), expiresAt: NOW + 2 * 86_400_000 })
    await say({ ...NOT_AFFECTED, release: named(release), expiresAt: NOW + 3 * 86_400_000 })
    const next = await fleet.release('1.1', 2)
    await say({ verdict: 'affected', release: named(next), package: 'openssl' })
    expect(await vex()).toEqual(['Gate%207 affected', 'Gate%207@1.0 not_affected', 'Gate%207@1.1 affected'])
    const document = await openVexOf(store, product, { now: NOW, publicUrl: 'https://k.example' })
    expect(() => parseAdvisories(document)).not.toThrow()
    for (const { status, ...statement } of document.statements) {
      if (status === 'affected') expect(statement).toHaveProperty('action_statement')
    }
  })

  it('is for a release, or for a package, alone', async () => {
    const { release, say, openNow } = await affectedFleet(createStore())
    await say({ package: 'curl' })
    expect(await openNow()).toEqual(['5 affected'])
    await say({ ...NOT_AFFECTED, release: named(release), package: 'openssl' })
    expect(await openNow()).toEqual(['2 affected', '3 not-affected'])
  })

  it('calls for nothing where it settles all that are affected, and does again when it is over', async () => {
    const { fleet, store, product, say } = await affectedFleet(createStore())
    const tracked = async (now: number) => {
      const { groups } = await readFleet(store, fleet.postures, product.id, { stale: 0, staleAt: [], silent: 0 }, now)
      await trackAdvisories(store, product.id, groups, now)
      return (await store.trackedAdvisories.ofProduct(product.id)).map(({ isSettled }) => isSettled)
    }
    expect(await tracked(NOW)).toEqual([false])
    await say({ expiresAt: NOW + 10 })
    expect(await tracked(NOW)).toEqual([true])
    expect(await tracked(NOW + 10)).toEqual([false])
  })
})
