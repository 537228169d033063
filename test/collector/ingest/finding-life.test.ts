import { expect, it } from 'vitest'
import { defaultHysteresis, isMeasured } from '../../../shared/codes/finding-hysteresis.ts'
import { findings, type FindingCode } from '../../../shared/codes/findings.ts'
import { KEPT_TRANSITIONS } from '../../../collector/store/finding-transitions.ts'
import { describeStore } from '../store/support.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { GOOD_READINGS, socketsWith, type SoftwareDevice } from '../../support/software-device.ts'

const DRIFT = { ...GOOD_READINGS, sockets: socketsWith(22, 4444) }
/** Without the listener that was approved. */
const CLOSED = { ...GOOD_READINGS, sockets: socketsWith() }
const SEVERAL = 1000

describeStore('a finding', (createStore) => {
  const keys = useCollectorKeys()

  async function approved() {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    await collector.approved(device)
    return { collector, device }
  }

  async function reports(collector: IngestingCollector, device: SoftwareDevice, ...all: (typeof GOOD_READINGS)[]) {
    for (const readings of all) {
      device.readings = readings
      await collector.epoch(device)
      await collector.report(device)
      await collector.content(device)
    }
  }

  const listed = async ({ store }: IngestingCollector) =>
    (await store.findings.list({ limit: 100 })).items.map(({ finding }) => finding)

  const steps = async ({ store }: IngestingCollector, id: string) =>
    (await store.findingTransitions.list(id, { limit: 300 })).items.map(({ state, cause }) => `${state} ${cause}`)

  it('that comes again is the same one, opened again, with each step', async () => {
    const { collector, device } = await approved()
    for (let time = 0; time < 3; time++) await reports(collector, device, DRIFT, GOOD_READINGS)
    await reports(collector, device, DRIFT)
    const [finding, ...others] = await listed(collector)
    expect(others).toEqual([])
    expect(finding).toMatchObject({ code: 'sockets.listener-added', state: 'open', openings: 4 })
    expect(finding?.openedAt).toBe(collector.now)
    expect(finding?.firstOpenedAt).toBeLessThan(collector.now)
    const again = ['open evidence', 'resolved evidence']
    expect((await steps(collector, finding?.id ?? '')).reverse()).toEqual([...again, ...again, ...again, again[0]])
    const told = (await collector.store.notifications.undispatched(100)).map(({ text }) => text)
    expect(told.filter((text) => text.startsWith('again: '))).toHaveLength(3)
  })

  it('keeps the newest steps only, and counts all', async () => {
    const { collector, device } = await approved()
    await reports(collector, device, DRIFT)
    const [finding] = await listed(collector)
    if (finding === undefined) throw new Error('no finding')
    const step = {
      state: 'open',
      cause: 'evidence',
      actor: null,
      before: null,
      after: null,
      evidenceHash: null,
    } as const
    for (let at = 0; at < KEPT_TRANSITIONS + 5; at++) {
      await collector.store.findingTransitions.appendAgain(finding.id, { ...step, at })
    }
    const page = await collector.store.findingTransitions.list(finding.id, { limit: 500 })
    expect(page.items).toHaveLength(KEPT_TRANSITIONS)
    expect(page.items[0]?.at).toBe(KEPT_TRANSITIONS + 4)
  })

  it('of a person who approved says so, and opens again afterwards', async () => {
    const { collector, device } = await approved()
    await reports(collector, device, DRIFT)
    await collector.approve(device)
    await reports(collector, device, GOOD_READINGS, GOOD_READINGS)
    await collector.approve(device)
    await reports(collector, device, DRIFT)
    const findingsNow = await listed(collector)
    const added = findingsNow.find(({ code }) => code === 'sockets.listener-added')
    expect(added).toMatchObject({ state: 'open', openings: 2 })
    expect(await steps(collector, added?.id ?? '')).toEqual(['open evidence', 'resolved approval', 'open evidence'])
  })

  it('of something measured opens with the second of three, and says nothing before', async () => {
    const { collector, device } = await approved()
    await reports(collector, device, CLOSED)
    expect(await listed(collector)).toMatchObject([
      { code: 'sockets.listener-removed', state: 'suspected', openings: 0 },
    ])
    expect(await collector.store.findings.unresolvedCounts([1])).toEqual(new Map())
    expect((await collector.store.summary()).unresolvedFindings).toBe(0)
    expect(await collector.state(device)).toMatchObject({ verdict: 'warning' })
    const opened = async () =>
      (await collector.store.notifications.undispatched(100)).filter(({ kind }) => kind === 'finding.opened')
    expect(await opened()).toEqual([])
    await reports(collector, device, GOOD_READINGS, CLOSED)
    const [finding] = await listed(collector)
    expect(finding).toMatchObject({ state: 'open', openings: 1 })
    expect(await steps(collector, finding?.id ?? '')).toEqual(['open evidence'])
    expect(await opened()).toHaveLength(1)
  })

  it('that was only suspected leaves nothing behind', async () => {
    const { collector, device } = await approved()
    await reports(collector, device, CLOSED, GOOD_READINGS, GOOD_READINGS)
    expect(await listed(collector)).toMatchObject([{ state: 'suspected' }])
    await reports(collector, device, GOOD_READINGS)
    expect(await listed(collector)).toEqual([])
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming' })
  })

  it('of something measured stays for twice the time, and flapping makes no second one', async () => {
    const { collector, device } = await approved()
    const five = Array.from({ length: 5 }, () => GOOD_READINGS)
    await reports(collector, device, CLOSED, CLOSED, ...five, CLOSED, ...five)
    expect(await listed(collector)).toMatchObject([{ state: 'open', openings: 1 }])
    await reports(collector, device, GOOD_READINGS)
    const [finding] = await listed(collector)
    expect(finding).toMatchObject({ state: 'resolved', openings: 1 })
    expect(await steps(collector, finding?.id ?? '')).toEqual(['resolved evidence', 'open evidence'])
    // And the device is one of those that tell nothing new again.
    expect(await collector.store.steady.load([device.ueid])).toHaveProperty('size', 1)
  })

  it('does not wait less for a burst of reports', async () => {
    const { collector, device } = await approved()
    device.readings = CLOSED
    await collector.epoch(device)
    for (let report = 0; report < 5; report++) {
      collector.now += SEVERAL
      await collector.report(device)
      await collector.content(device)
    }
    expect(await listed(collector)).toMatchObject([{ state: 'suspected' }])
  })

  it('waits as its product says, and has the severity that its product gives it', async () => {
    const { collector, device } = await approved()
    const { productId, now, store } = collector
    const by = { productId, setBy: 'api_x', setAt: now }
    await store.findingPolicies.save({
      ...by,
      code: 'sockets.listener-removed',
      severity: 'critical',
      hysteresis: { count: 1, of: 1 },
    })
    await store.findingPolicies.save({ ...by, code: 'sockets.listener-added', severity: 'low', hysteresis: null })
    await reports(collector, device, { ...GOOD_READINGS, sockets: socketsWith(4444) })
    const found = (await listed(collector)).map(({ code, state, severity }) => `${code} ${state} ${severity}`)
    expect(found.sort()).toEqual(['sockets.listener-added open low', 'sockets.listener-removed open critical'])
    const told = await store.notifications.undispatched(100)
    const severities = told.filter(({ kind }) => kind === 'finding.opened').map(({ severity }) => severity)
    expect(severities.sort()).toEqual(['critical', 'low'])
    await store.findingPolicies.save({ ...by, code: 'sockets.listener-added', severity: null, hysteresis: null })
    expect((await listed(collector)).find(({ code }) => code === 'sockets.listener-added')?.severity).toBe(
      findings['sockets.listener-added'].severity,
    )
  })

  it('of integrity never waits', () => {
    const codes = Object.keys(findings) as FindingCode[]
    for (const code of codes.filter((each) => findings[each].axis === 'integrity')) {
      expect(isMeasured(code)).toBe(false)
      expect(defaultHysteresis(code)).toBe(null)
    }
  })
})
