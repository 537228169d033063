import { expect, it } from 'vitest'
import { PRACTICE_IDS } from '../../../../shared/maturity/practices.ts'
import { SIGNAL_IDS } from '../../../../shared/maturity/signals.ts'
import { DAY, PracticeFleet } from '../../../support/practice-fleet.ts'
import { goodPosture } from '../../../support/postures.ts'
import { finding, NOW } from '../../store/samples.ts'
import { describeStore } from '../../store/support.ts'

const PATCH = 'patch-management'

/** `conforming x3, at-risk x2` */
function runs(statuses: readonly string[]): string[] {
  const all: [string, number][] = []
  for (const status of statuses) {
    const last = all.at(-1)
    if (last?.[0] === status) last[1]++
    else all.push([status, 1])
  }
  return all.map(([status, count]) => `${status} ${count}`)
}

describeStore('practices of a fleet', (createStore) => {
  it('that patches late move from conforming to at risk, to drift and back, each after its wait', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const old = await fleet.release('1.0', 1, { state: 'superseded', acceptedUntil: NOW + 400 * DAY })
    const posture = await fleet.posture()
    await fleet.add(10, { postureDigest: posture, ...fleet.runs(old) })
    expect(runs(await fleet.days(2, PATCH))).toEqual(['conforming 2'])

    await fleet.record('advisory-published', { advisory: 'CVE-2026-1', severity: 'critical' })
    const fixed = await fleet.release('1.1', 2)
    await fleet.record('fix-released', { advisory: 'CVE-2026-1', fixedIn: { release: '1.1' } })
    // At risk from three quarters of 30 days on, late after 30: each counts with the third evaluation.
    const late = await fleet.days(36, PATCH)
    expect(runs(late)).toEqual(['conforming 24', 'at-risk 8', 'drift 4'])
    const { explanation, since } = await fleet.state(PATCH)
    expect(explanation).toMatchObject({ target: 3, supported: 2, coverage: { known: 10, denominator: 10 } })
    expect(explanation.reasons[0]).toMatchObject({ code: 'signal-broken', signal: 'patch.critical-time', level: 3 })
    expect(since).toBe(NOW + (2 + 33) * DAY)

    for (const device of fleet.devices) await fleet.set(device, { postureDigest: posture, ...fleet.runs(fixed) })
    // What was late counts for the window of 90 days, to day 91; the eighth good evaluation is that of day 99.
    const after = await fleet.days(65, PATCH)
    expect(runs(after)).toEqual(['drift 60', 'conforming 5'])
    const { items } = await fleet.store.practices.transitions(fleet.product.id, { limit: 10 }, PATCH)
    expect(items.map(({ from, to }) => `${from} ${to}`)).toEqual([
      'drift conforming',
      'at-risk drift',
      'conforming at-risk',
      'null conforming',
    ])
    const told = (await fleet.store.notifications.undispatched(10)).filter(({ subject }) => subject === PATCH)
    expect(told.map(({ severity }) => severity)).toEqual(['medium', 'high', 'low'])
  }, 120_000)

  it('count units without the fix with the time that has passed, and keep when the others got it', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const old = await fleet.release('1.0', 1)
    const posture = await fleet.posture()
    const units = await fleet.add(10, { postureDigest: posture, ...fleet.runs(old) })
    await fleet.record('advisory-published', { advisory: 'CVE-2026-1', severity: 'high', fixedIn: { release: '1.1' } })
    const fixed = await fleet.release('1.1', 2)
    fleet.now += 2 * DAY
    for (const unit of units.slice(0, 8)) await fleet.set(unit, { postureDigest: posture, ...fleet.runs(fixed) })
    await fleet.days(1, PATCH)
    fleet.now += 20 * DAY
    const later = await fleet.release('1.2', 3)
    for (const unit of units.slice(0, 8)) await fleet.set(unit, { postureDigest: posture, ...fleet.runs(later) })
    await fleet.days(1, PATCH)
    const samples = await fleet.store.practices.samples(fleet.product.id, 0, 'patch.high-time')
    // The eight got it after two days, to the end of which it is counted, whatever they run now; two wait since 24.
    expect(samples.get('patch.high-time')?.at(-1)).toMatchObject({
      value: 24 * DAY,
      percentiles: { p50: 3 * DAY, p90: 24 * DAY, open: 2 },
    })
  })

  it('find a fix in the packages of each posture', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const { packages } = goodPosture()
    const patched = await fleet.posture({
      packages: { ...packages, packages: [{ name: 'openssl', version: '3.0.17-1' }] },
    })
    const without = await fleet.posture({ packages: { ...packages, packages: [{ name: 'mbedtls', version: '1' }] } })
    await fleet.add(3, { postureDigest: await fleet.posture() })
    await fleet.add(6, { postureDigest: patched })
    await fleet.add(5, { postureDigest: without })
    const fixedIn = { package: 'openssl', version: '3.0.17-1' }
    await fleet.record('advisory-published', { advisory: 'CVE-2026-1', severity: 'critical', fixedIn })
    // Since when a package is there is not told: by the end of the day on which it was first seen.
    await fleet.days(5, PATCH)
    const samples = await fleet.store.practices.samples(fleet.product.id, 0, 'patch.critical-time')
    expect(samples.get('patch.critical-time')?.at(-1)).toMatchObject({
      known: 9,
      percentiles: { p50: 2 * DAY, p90: 5 * DAY, open: 3 },
    })
  })

  it('are 18 with a reason each, and unknown where nothing reports', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    await fleet.evaluate()
    const states = await fleet.store.practices.states(fleet.product.id)
    expect([...states.keys()].sort()).toEqual([...PRACTICE_IDS].sort())
    for (const [practice, { status, explanation }] of states) {
      expect(status, practice).toBe('unknown')
      expect(explanation.reasons.length, practice).toBeGreaterThan(0)
      expect(explanation.supported, practice).toBe(0)
    }
  })

  it('become unknown when a fleet falls silent, and a drift is not cleared by that', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const release = await fleet.release('1.0', 1)
    const open = await fleet.posture({
      access: {
        ...goodPosture().access,
        accounts: { value: { list: [opened], more: 0, malformed: 0, shadow: 'read' } },
      },
    })
    await fleet.add(10, { postureDigest: open, ...fleet.runs(release) })
    expect(runs(await fleet.days(2, 'access-control'))).toEqual(['drift 2'])
    fleet.silentAfterMs = DAY / 2
    await fleet.days(20, PATCH)
    expect((await fleet.state(PATCH)).status).toBe('unknown')
    expect((await fleet.state('access-control')).status).toBe('drift')
  })

  it('of devices of software alone support level 1', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const release = await fleet.release('1.0', 1)
    const state = { postureDigest: await fleet.posture(), ...fleet.runs(release), ima: null }
    await fleet.add(10, { ...state, bootCoverage: 'none' }, { identity: 'software' })
    await fleet.evaluate()
    for (const practice of [PATCH, 'access-control', 'asset-change-and-configuration-management'] as const) {
      const { status, explanation } = await fleet.state(practice)
      expect(explanation.supported, practice).toBe(1)
      expect(status).toBe('unknown')
    }
    expect((await fleet.state(PATCH)).explanation.reasons[0]).toMatchObject({ code: 'level-capped' })
  })

  it('are evaluated once in a slot, and not again by a clock that was set back', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    await fleet.add(3, { postureDigest: await fleet.posture() })
    await fleet.days(3, PATCH)
    const kept = async () =>
      JSON.stringify([
        [...(await fleet.store.practices.states(fleet.product.id))],
        [...(await fleet.store.practices.samples(fleet.product.id, 0))],
        await fleet.store.practices.evaluation(fleet.product.id),
      ])
    const before = await kept()
    expect(await fleet.evaluate()).toBe(false)
    for (const now of [fleet.now - 1, fleet.now - 2 * DAY, 0]) expect(await fleet.evaluate(now)).toBe(false)
    expect(await kept()).toBe(before)
    expect(await fleet.evaluate(fleet.now + DAY)).toBe(true)
  })

  it('are of the units that are declared, of which those that never reported are not known', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const { store, product } = fleet
    const posture = await fleet.posture()
    await fleet.add(8, { postureDigest: posture })
    await fleet.add(1, { lastFreshAt: null, verdict: 'not-appraised' })
    const units = { retireAfterDays: 365, setAt: NOW, setBy: 'api_x' }
    const fresh = async () => {
      await fleet.days(1, PATCH)
      return (await store.practices.samples(product.id, 0, 'monitoring.fresh-reports'))
        .get('monitoring.fresh-reports')
        ?.at(-1)
    }
    expect(await fresh()).toMatchObject({ good: 8, known: 8, denominator: 9 })
    await store.practices.setUnits(product.id, { ...units, declared: 100 })
    expect(await fresh()).toMatchObject({ good: 8, known: 8, denominator: 100 })
    await store.practices.setUnits(product.id, { ...units, declared: 2 })
    expect(await fresh()).toMatchObject({ denominator: 9 })
    await store.practices.setUnits(product.id, { ...units, declared: null, retireAfterDays: 1 })
    expect(await fresh()).toMatchObject({ good: 0, known: 0, denominator: 0 })
    const { fleet: summary } = (await store.practices.evaluation(product.id)) ?? { fleet: '{}' }
    expect(JSON.parse(summary)).toMatchObject({ retired: 9, enrolled: 0, basis: 'enrolled' })
  })

  it('name the first units that fail, and how many there are', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const open = await fleet.posture({
      access: {
        ...goodPosture().access,
        accounts: { value: { list: [opened], more: 0, malformed: 0, shadow: 'read' } },
      },
    })
    await fleet.add(20, { postureDigest: await fleet.posture() })
    const bad = await fleet.add(7, { postureDigest: open })
    const [first] = fleet.devices
    if (first === undefined) throw new Error('no device')
    await fleet.store.findings.insert(finding(first.id))
    await fleet.evaluate()
    const { reasons } = (await fleet.state('access-control')).explanation
    expect(reasons.find(({ signal }) => signal === 'access.no-empty-password')?.units).toEqual({
      count: 7,
      first: bad.slice(0, 5).map(({ ueid }) => ueid),
    })
    const samples = await fleet.store.practices.samples(fleet.product.id, 0)
    expect(samples.get('access.expected-listeners')?.at(-1)).toMatchObject({ good: 26, known: 27 })
    expect([...samples.keys()].sort()).toEqual([...SIGNAL_IDS].sort())
  })
})

const opened = {
  name: 'guest',
  superuser: false,
  shell: '/bin/sh',
  password: { value: 'empty' },
  keys: { missing: 'absent' },
} as const
