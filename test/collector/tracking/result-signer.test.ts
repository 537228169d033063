import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { expect, test } from 'vitest'
import type { Transition } from '../../../collector/model/transition.ts'
import type { Store } from '../../../collector/store/index.ts'
import { revokeDevice } from '../../../collector/tracking/approval.ts'
import { defaultLivenessPolicy as policy } from '../../../collector/tracking/liveness.ts'
import { ResultSigner, type ResultSignerOptions } from '../../../collector/tracking/result-signer.ts'
import { keysAfter } from '../../../shared/evidence/key-history.ts'
import { collectorKeyOf } from '../../../collector/trust/succession.ts'
import { explainResult } from '../../../shared/inspect/result.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { SILENT } from '../../support/test-collector.ts'
import { NOW, storedDevice } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const NEVER = { evidence: 0, history: 0, refusals: 0, findings: 0, pcrValues: 0 }

describeStore('results that are signed when a device changes', (createStore) => {
  const keys = useCollectorKeys()

  /** A signer as one process has it: another one knows nothing of what it did but what is stored. */
  const signing = (store: Store, now: () => number, over: Partial<ResultSignerOptions> = {}) =>
    new ResultSigner({
      store,
      decisions: new DecisionBook(store),
      signer: keys().signer,
      version: '1',
      livenessTime: () => ({ policy, now: now(), downtime: [] }),
      logger: SILENT,
      isLeader: () => Promise.resolve(true),
      tell: () => Promise.resolve(),
      ...over,
    })

  const became = (deviceId: number, to: string, at: number): Transition => ({
    deviceId,
    at,
    axis: 'verdict',
    from: null,
    to,
    cause: null,
  })

  async function office() {
    const store = createStore()
    const clock = { now: NOW }
    const device = await storedDevice(store)
    const change = (to: string) => store.transitions.append([became(device.id, to, clock.now)])
    const look = (over: Partial<ResultSignerOptions> = {}) => signing(store, () => clock.now, over).look()
    const signed = async (limit = 200) => (await store.signedResults.list(device.id, { limit })).items
    return { store, clock, device, change, look, signed }
  }

  test('say what the device became, and are signed by the collector', async () => {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    await collector.approved(device)
    await collector.epoch(device)
    await collector.report(device)
    const { store } = collector
    expect(await signing(store, () => collector.now).look()).toBe(1)
    await revokeDevice(store, { ueid: device.ueid, actor: 'api_x', now: collector.now })
    expect(await signing(store, () => collector.now).look()).toBe(1)
    const { items } = await store.signedResults.list((await collector.row(device)).id, { limit: 9 })
    expect(items.map(({ axis, to }) => `${axis} ${to}`)).toEqual(['enrolment revoked', expect.any(String)])
    const { publicKey, signer } = keys()
    const key = keysAfter(publicKey.x, [], collectorKeyOf)
    const statuses = items.map(({ cwt }) => {
      const report = explainResult(cwt, key, Math.floor(collector.now / 1000))
      expect(report).toMatchObject({ signature: 'valid', expired: false, problems: [] })
      expect(report.lines).toContainEqual(expect.objectContaining({ path: 'device', value: device.ueid }))
      return report.lines.find(({ path }) => path === 'gateway.status')?.value
    })
    expect(statuses[1]).toBe('affirming')
    expect(statuses[0]).not.toBe('affirming')
    for (const { keyId } of items) expect(keyId).toEqual(signer.keyId)
  })

  test('are signed once for each change, and never without one, however long nothing changes', async () => {
    const { clock, change, look, signed } = await office()
    expect(await look()).toBe(0)
    for (const to of ['affirming', 'warning', 'affirming', 'warning']) {
      await change(to)
      expect(await look()).toBe(1)
      expect(await look()).toBe(0)
      clock.now += 1_000
    }
    expect((await signed()).map(({ to }) => to)).toEqual(['warning', 'affirming', 'warning', 'affirming'])
    for (let hours = 0; hours < 5; hours++) {
      clock.now += HOUR_MS
      expect(await look()).toBe(0)
    }
    expect(await signed()).toHaveLength(4)
  })

  test('are about the last of several changes that lie before one look', async () => {
    const { device, change, look, signed, store } = await office()
    await change('affirming')
    await change('contraindicated')
    expect(await look()).toBe(1)
    const [newest] = (await store.transitions.list(device.id, { limit: 1 })).items
    expect(await signed()).toEqual([expect.objectContaining({ to: newest?.to ?? expect.fail(), issuedAt: NOW })])
  })

  test('are signed by one of several that look at once, and by nobody who does not lead', async () => {
    const { change, look, signed } = await office()
    await change('affirming')
    expect(await look({ isLeader: () => Promise.resolve(false) })).toBe(0)
    expect(await signed()).toEqual([])
    const counts = await Promise.all([look(), look(), look()])
    expect(counts.toSorted()).toEqual([0, 0, 1])
    expect(await signed()).toHaveLength(1)
  })

  test('are signed about all that changed by a leader after one that stopped in between', async () => {
    const { store, clock } = await office()
    const devices = []
    for (let each = 0; each < 45; each++) devices.push(await storedDevice(store, `unit ${each}`))
    await store.transitions.append(devices.map(({ id }) => became(id, 'affirming', NOW)))
    let asked = 0
    // The third time it is asked it has lost the lead: one batch is done.
    expect(await signing(store, () => clock.now, { isLeader: () => Promise.resolve(++asked < 3) }).look()).toBe(20)
    expect(await signing(store, () => clock.now).look()).toBe(25)
    for (const { id } of devices) expect((await store.signedResults.list(id, { limit: 9 })).items).toHaveLength(1)
  })

  test('are signed about a change that comes to light after later ones, as one of a slow transaction does', async () => {
    const { store, clock, look } = await office()
    const [slow, quick] = [await storedDevice(store, 'slow'), await storedDevice(store, 'quick')]
    await store.transitions.append([became(slow.id, 'affirming', NOW), became(quick.id, 'affirming', NOW)])
    // As somebody sees it before the first has committed.
    const own = store.signedResults
    const changed = async (after: number, limit: number) =>
      (await own.changed(after, limit)).filter(({ deviceId }) => deviceId !== slow.id)
    expect(await look({ store: { ...store, signedResults: { ...own, changed } } })).toBe(1)
    clock.now += 60_000
    expect(await look()).toBe(1)
    expect((await own.list(slow.id, { limit: 9 })).items).toHaveLength(1)
  })

  test('about one device that cannot be signed hold up no other one, and are tried again', async () => {
    const { store, clock, device, change, look, signed } = await office()
    const other = await storedDevice(store, 'other')
    await change('affirming')
    await store.transitions.append([became(other.id, 'affirming', NOW)])
    const broken: Store = {
      ...store,
      transactionOf: (ueids, action) =>
        ueids.includes(device.ueid) ? Promise.reject(new Error('broken')) : store.transactionOf(ueids, action),
    }
    const failed: unknown[] = []
    const logger = { info: () => undefined, error: (about: object) => failed.push(about) }
    clock.now += HOUR_MS
    expect(await look({ store: broken, logger: logger as never })).toBe(1)
    expect(failed).toEqual([expect.objectContaining({ ueid: device.ueid })])
    expect(await look()).toBe(1)
    expect(await signed()).toHaveLength(1)
  })

  test('are kept as the newest 100 of a device, and listed in pages', async () => {
    const { store, device, change, look, signed } = await office()
    for (let each = 0; each < 103; each++) {
      await change(`change ${each}`)
      await look()
    }
    const all = await signed()
    expect(all).toHaveLength(100)
    expect([all[0]?.to, all.at(-1)?.to]).toEqual(['change 102', 'change 3'])
    const first = await store.signedResults.list(device.id, { limit: 60 })
    const second = await store.signedResults.list(device.id, { limit: 60, cursor: first.nextCursor })
    expect([...first.items, ...second.items]).toEqual(all)
    expect(second.nextCursor).toBeNull()
  })

  test('are seen by whoever is bound to the vendor of the device, and by nobody who is bound to another', async () => {
    const { store, device, change, look } = await office()
    await change('affirming')
    await look()
    const seen = async (vendor: string) =>
      (await store.within({ vendor, products: null }).signedResults.list(device.id, { limit: 9 })).items.length
    expect([await seen(device.vendor), await seen('Rival')]).toEqual([1, 0])
  })

  test('are removed with the history, and not signed again then', async () => {
    const { store, clock, change, look, signed } = await office()
    await change('affirming')
    await look()
    clock.now += 400 * DAY_MS
    // What is not settled yet stays: it would be signed once more.
    expect(Object.fromEntries(await store.sweep({ ...NEVER, history: clock.now }, 9))).toMatchObject({
      signed_results: 0,
    })
    await look()
    expect(Object.fromEntries(await store.sweep({ ...NEVER, history: clock.now }, 9))).toMatchObject({
      signed_results: 1,
    })
    expect(await look()).toBe(0)
    expect(await signed()).toEqual([])
  })
})
