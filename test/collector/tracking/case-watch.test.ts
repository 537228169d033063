import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { pino } from 'pino'
import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { initialDeviceState } from '../../../collector/model/device.ts'
import type { Store } from '../../../collector/store/index.ts'
import { openCase, openCases } from '../../../collector/tracking/cases/open.ts'
import { CaseWatch } from '../../../collector/tracking/cases/watch.ts'
import { defaultCatalogue } from '../../../shared/maturity/catalogue/catalogue.ts'
import { certify, DAY } from '../../support/decision-log.ts'
import { finding, storedDevice, storedProduct } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'

const HOUR = 3_600_000

async function watched(store: Store) {
  const product = await storedProduct(store, { vendor: 'Acme', model: 'Gate 7' })
  const people = await certify(store, 'Acme/Gate 7')
  const book = new DecisionBook(store)
  const leading = { is: true }
  const watch = new CaseWatch({
    store,
    decisions: book,
    clock: () => people.now * 1000,
    random: randomBytes,
    logger: pino({ level: 'silent' }),
    isLeader: async () => leading.is,
    silentAfterMs: 24 * HOUR,
    catalogue: defaultCatalogue,
  })
  const cases = async () => (await store.cases.list({ limit: 50 })).items
  const told = async () => {
    const events = await store.notifications.undispatched(100)
    return events.map(({ kind, text }) => `${kind} ${text}`)
  }
  return { product, people, book, watch, cases, told, leading }
}

describeStore('the watch over cases', (store) => {
  test('opens what the calendar calls for once, also when the case is over and the watch is another', async () => {
    const { people, watch, cases, book } = await watched(store())
    await watch.look()
    expect(await cases()).toEqual([])
    people.days(340)
    await watch.look()
    await watch.look()
    const [review] = await cases()
    expect(await cases()).toMatchObject([{ cause: 'certificate.anniversary', subject: 'year 1', trigger: 'T16' }])
    await store().cases.setState(review?.id ?? '', 'closed')
    await watch.look()
    expect(await cases()).toHaveLength(1)
    expect((await book.register()).cases.size).toBe(0)
  })

  test('opens nothing while another collector leads, and nothing for a product without a certificate', async () => {
    const { people, watch, cases, leading } = await watched(store())
    await storedProduct(store(), { vendor: 'Acme', model: 'Gate 8' })
    people.days(340)
    leading.is = false
    await watch.look()
    expect(await cases()).toEqual([])
    leading.is = true
    await watch.look()
    expect(await cases()).toHaveLength(1)
  })

  test('says that support has ended also after the certificate has expired by it', async () => {
    const { people, watch, cases } = await watched(store())
    people.days(2001)
    await watch.look()
    expect((await cases()).map(({ cause }) => cause)).toContain('support.ended')
  })

  test('opens one case for each critical vulnerability that devices have, and none for what they are rid of', async () => {
    const { product, people, watch, cases } = await watched(store())
    const now = people.now * 1000
    const tracked = {
      exploited: false,
      publishedAt: now,
      knownAt: now,
      exposedAt: now,
      fixKnownAt: null,
      patchedAt: null,
      isSettled: false,
    }
    for (const one of [
      { ...tracked, advisory: 'DSA-1', severity: 'critical' as const, exploited: true },
      { ...tracked, advisory: 'DSA-2', severity: 'high' as const },
      { ...tracked, advisory: 'DSA-3', severity: 'critical' as const, patchedAt: now },
      // Said not to affect any device: it calls for nothing.
      { ...tracked, advisory: 'DSA-4', severity: 'critical' as const, isSettled: true },
    ]) {
      await store().trackedAdvisories.save(product.id, one)
    }
    await watch.look()
    await watch.look()
    expect(await cases()).toMatchObject([{ trigger: 'T4', cause: 'vulnerability.critical', subject: 'DSA-1' }])
    // The same one, open for long without an update, tells that support has stopped.
    people.days(91)
    await watch.look()
    expect((await cases()).map(({ cause }) => cause)).toContain('support.stopped')
  })

  test('sees that too few units report, and hardware that the certificate does not list', async () => {
    const { product, people, watch, cases } = await watched(store())
    for (let index = 0; index < 10; index++) {
      const device = await storedDevice(store(), `unit ${index}`, product.id)
      if (index > 0)
        await store().devices.saveState(device.id, { ...initialDeviceState, lastFreshAt: people.now * 1000 })
    }
    await watch.look()
    expect(await cases()).toMatchObject([{ cause: 'coverage.low', facts: { details: { declared: 10, reporting: 9 } } }])
  })

  test('makes a boot failure critical when the agreed share of units shows it, and a single unit never', async () => {
    const { product, people, watch, cases, book, told } = await watched(store())
    const now = people.now * 1000
    const devices = [await storedDevice(store(), 'one', product.id), await storedDevice(store(), 'two', product.id)]
    for (const { id } of devices) await store().devices.saveState(id, { ...initialDeviceState, lastFreshAt: now })
    for (const [index, device] of devices.entries()) {
      const found = finding(device.id, { code: 'boot.pcr-changed' })
      await store().findings.insert(found)
      await openCases(store(), device, found, now, { decisions: book, random: randomBytes })
      await watch.look()
      const [record] = await cases()
      expect(record?.severity).toBe(index === 0 ? 'high' : 'critical')
      // What was decided about is what was recorded when it was opened.
      expect(record?.facts['severity']).toBe('high')
    }
    await watch.look()
    expect((await told()).filter((text) => text.startsWith('case.critical'))).toHaveLength(1)
  })

  test('tells once of a deadline that has passed, and calls a long one what the vendor has not done', async () => {
    const { product, people, watch, cases, told } = await watched(store())
    const opening = {
      productId: product.id,
      certificateId: 'crt_1',
      releaseId: null,
      cause: 'incident.reported',
      subject: 'x',
      isOnce: true,
      severity: 'critical',
      detectedAt: people.now * 1000,
      origin: 'software',
      summary: 's',
      details: {},
    } as const
    await openCase(store(), opening, people.now * 1000, randomBytes)
    people.now += DAY + 1
    await watch.look()
    await watch.look()
    const overdue = (await told()).filter((text) => text.startsWith('case.overdue'))
    expect(overdue).toEqual([expect.stringContaining('somebody says whether it is one')])
    people.days(14)
    await watch.look()
    await watch.look()
    const found = await cases()
    expect(found.map(({ cause }) => cause).sort()).toEqual(['incident.reported', 'obligation.missed'])
    people.days(30)
    await watch.look()
    // A complaint about the vendor is not followed by one about the complaint.
    expect((await cases()).filter(({ cause }) => cause === 'obligation.missed')).toHaveLength(1)
  })
})
