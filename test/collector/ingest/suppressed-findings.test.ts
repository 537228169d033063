import { expect, it } from 'vitest'
import { random } from '../../../shared/crypto/node.ts'
import { endException, lapseExceptions, makeException } from '../../../collector/tracking/exceptions.ts'
import { acknowledgeFinding, setFindingPolicy } from '../../../collector/tracking/finding-decisions.ts'
import { describeStore } from '../store/support.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { GOOD_READINGS, socketsWith, type SoftwareDevice } from '../../support/software-device.ts'

const DRIFT = { ...GOOD_READINGS, sockets: socketsWith(22, 4444) }
const DAY_MS = 86_400_000
const CODE = 'sockets.listener-added'

describeStore('a finding that people put aside', (createStore) => {
  const keys = useCollectorKeys()

  async function approved() {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    await collector.certificate()
    await collector.approved(device)
    return { collector, device }
  }

  const except = ({ store, productId, now }: IngestingCollector, over = {}) =>
    makeException(
      store,
      {
        productId,
        deviceUeid: null,
        groupId: null,
        code: CODE,
        subject: 'tcp/*:4444',
        reason: 'a diagnosis',
        expiresAt: now + DAY_MS,
        createdBy: 'api_x',
        ...over,
      },
      now,
      random,
    )

  async function report(collector: IngestingCollector, device: SoftwareDevice, readings: typeof GOOD_READINGS) {
    device.readings = readings
    await collector.epoch(device)
    await collector.report(device)
    await collector.content(device)
  }

  const kinds = async ({ store }: IngestingCollector) =>
    (await store.notifications.undispatched(100)).map(({ kind }) => kind).filter((kind) => kind !== 'verdict.changed')
  const cases = async ({ store }: IngestingCollector) => (await store.cases.list({ limit: 10 })).items.length

  it('by an exception is there and counted, and acts by time alone when that is over', async () => {
    const { collector, device } = await approved()
    const { id } = await except(collector)
    await report(collector, device, DRIFT)
    expect(await collector.findings(device)).toEqual(['sockets.listener-added tcp/0.0.0.0:4444 open'])
    expect(await collector.state(device)).toMatchObject({ verdict: 'warning' })
    const { store, deps } = collector
    expect(await store.findingExceptions.suppressedNow(collector.now)).toEqual({ findings: 1, exceptions: 1 })
    expect(await kinds(collector)).toEqual([])
    expect(await cases(collector)).toBe(0)
    expect(await lapseExceptions(store, collector.now, deps)).toBe(0)

    collector.now += DAY_MS
    expect(await store.findingExceptions.suppressedNow(collector.now)).toEqual({ findings: 0, exceptions: 0 })
    expect(await lapseExceptions(store, collector.now, deps)).toBe(1)
    expect(await cases(collector)).toBe(1)
    expect(await kinds(collector)).toEqual(['case.opened', 'exception.over'])
    // It is over once.
    expect(await lapseExceptions(store, collector.now, deps)).toBe(0)
    expect((await store.findingExceptions.byId(id))?.endedAt).toBe(null)
  })

  it('by two exceptions acts when the second is over', async () => {
    const { collector, device } = await approved()
    const { store, deps } = collector
    const first = await except(collector)
    const second = await except(collector, { subject: '*' })
    await report(collector, device, DRIFT)
    await endException(store, first.id, 'api_y', collector.now)
    expect(await lapseExceptions(store, collector.now, deps)).toBe(1)
    expect(await cases(collector)).toBe(0)
    await endException(store, second.id, 'api_y', collector.now)
    await lapseExceptions(store, collector.now, deps)
    expect(await cases(collector)).toBe(1)
    await expect(endException(store, second.id, 'api_y', collector.now)).rejects.toMatchObject({
      code: 'request.conflict',
    })
  })

  it('is never one of integrity, and never for longer than 180 days', async () => {
    const { collector } = await approved()
    const refused = (over: object) =>
      expect(async () => except(collector, over)).rejects.toMatchObject({ code: 'request.invalid' })
    await refused({ code: 'boot.pcr-changed' })
    await refused({ expiresAt: collector.now + 181 * DAY_MS })
    await refused({ expiresAt: collector.now })
    await refused({ subject: '*a*' })
    expect((await collector.store.findingExceptions.list({ limit: 5 })).items).toEqual([])
  })

  it('by an acknowledgement is known of, until something else is found there or it is gone', async () => {
    const { collector, device } = await approved()
    const { store } = collector
    await report(collector, device, DRIFT)
    const [open] = await store.findings.openOf((await collector.row(device)).id)
    const id = open?.id ?? ''
    const acknowledge = () =>
      acknowledgeFinding(store, id, { by: 'api_x', at: collector.now, until: collector.now + DAY_MS, reason: 'known' })
    const known = async () => (await store.findings.byId(id))?.finding.acknowledgement
    await acknowledge()
    await report(collector, device, DRIFT)
    expect(await known()).toMatchObject({ reason: 'known' })
    const steps = (await store.findingTransitions.list(id, { limit: 5 })).items
    expect(steps[0]).toMatchObject({ cause: 'acknowledgement', actor: 'api_x', state: 'open' })
    // Of another program in the same place nobody knew.
    const finding = (await store.findings.byId(id))?.finding
    if (finding === undefined) throw new Error('no finding')
    await store.findings.touch(finding, { at: collector.now, after: 'another program', hysteresis: null })
    expect(await known()).toBe(null)
    await acknowledge()
    await report(collector, device, GOOD_READINGS)
    expect(await store.findings.byId(id)).toMatchObject({ finding: { state: 'resolved', acknowledgement: null } })
    await expect(acknowledge()).rejects.toMatchObject({ code: 'request.conflict' })
    await report(collector, device, DRIFT)
    expect(await store.findings.byId(id)).toMatchObject({ finding: { state: 'open', acknowledgement: null } })
  })

  it('is made less of by a product only where that is possible, and of a certified one by its certifier', async () => {
    const { collector } = await approved()
    const { store, productId: product, now } = collector
    const set = async (wanted: object, isCertified = false, role: 'vendor' | 'certifier' = 'vendor') =>
      setFindingPolicy(
        store,
        { id: product, isCertified },
        { code: CODE, severity: null, hysteresis: null, ...wanted },
        { id: 'api_x', role },
        now,
      )
    const refuses = (code: string, ...given: Parameters<typeof set>) =>
      expect(async () => set(...given)).rejects.toMatchObject({ code })
    await refuses('request.invalid', { code: 'boot.pcr-changed', severity: 'low' })
    await refuses('request.invalid', { hysteresis: { count: 1, of: 2 } })
    await refuses('request.invalid', { code: 'reporting.loss', hysteresis: { count: 3, of: 2 } })
    await refuses('request.invalid', {
      code: 'reporting.loss',
      hysteresis: { count: 8, of: 8, spacingMs: DAY_MS },
    })
    await refuses('auth.forbidden', { severity: 'low' }, true)
    await refuses('auth.forbidden', { code: 'reporting.loss', hysteresis: { count: 1, of: 2 } }, true)
    expect((await store.findingPolicies.ofProduct(product)).size).toBe(0)
    await set({ severity: 'critical' }, true)
    await set({ code: 'reporting.loss', severity: 'low', hysteresis: { count: 2, of: 3 } }, true, 'certifier')
    expect((await store.findingPolicies.ofProduct(product)).size).toBe(2)
    const audited = (await store.auditLog.list({ limit: 5 }, { subject: product })).items
    expect(audited.filter(({ action }) => action === 'finding-policy.set')).toHaveLength(2)
  })
})
