import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { describeStore } from './support.ts'
import { bytes, evidence, everyPage, NOW, storedDevice } from './samples.ts'

describeStore('evidence', (createStore) => {
  it('counts once for its place, whichever of many contents comes first', async () => {
    const store = createStore()
    const device = await storedDevice(store)
    const copies = Array.from({ length: 20 }, (_, index) =>
      evidence(device.id, 0, { hash: bytes(`copy ${index % 3}`) }),
    )
    const answers = await Promise.all(copies.map((copy) => store.evidence.insert(copy)))
    expect(answers.filter(Boolean)).toHaveLength(1)
    const held = copies[answers.indexOf(true)]
    expect(await store.evidence.find(device.id, bytes('session', 16), 0)).toEqual(held)
    expect((await store.evidence.list(device.id, { limit: 5 })).items).toEqual([held])
  })

  it('is kept once each in any order of arrival, with any repetition', async () => {
    const store = createStore()
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 7 }), { maxLength: 30 }), async (arrivals) => {
        const device = await storedDevice(store, `run ${run++}`)
        let accepted = 0
        for (const seq of arrivals) if (await store.evidence.insert(evidence(device.id, seq))) accepted++
        const distinct = new Set(arrivals)
        expect(accepted).toBe(distinct.size)
        const { items } = await store.evidence.list(device.id, { limit: 100 })
        expect(new Set(items.map((each) => each.seq))).toEqual(distinct)
        expect(items).toHaveLength(distinct.size)
      }),
      { numRuns: 25 },
    )
  })

  it('of one place in another session or of another device is another', async () => {
    const store = createStore()
    const [one, two] = [await storedDevice(store, 'one'), await storedDevice(store, 'two')]
    const records = [
      evidence(one.id, 0),
      evidence(one.id, 0, { session: bytes('second', 16), hash: bytes('second') }),
      evidence(two.id, 0),
    ]
    for (const record of records) expect(await store.evidence.insert(record)).toBe(true)
    for (const record of records) expect(await store.evidence.byHash(record.deviceId, record.hash)).toEqual(record)
    expect(await store.evidence.byHash(two.id, bytes('second'))).toBeUndefined()
  })

  it('of the newest epoch is the latest, whatever arrived after it late', async () => {
    const store = createStore()
    const device = await storedDevice(store)
    expect(await store.evidence.latestFresh(device.id)).toBeUndefined()
    await store.evidence.insert(evidence(device.id, 0, { epoch: 5 }))
    await store.evidence.insert(evidence(device.id, 2, { epoch: 6 }))
    await store.evidence.insert(evidence(device.id, 1, { epoch: 5 }))
    await store.evidence.insert(evidence(device.id, 3, { epoch: 9, fresh: false, outcome: 'freshness.late' }))
    expect((await store.evidence.latestFresh(device.id))?.seq).toBe(2)
  })

  it('keeps null where nothing was known', async () => {
    const store = createStore()
    const device = await storedDevice(store)
    const bare = evidence(device.id, 0, { epoch: null, fresh: false, outcome: 'quote.missing', pcrDigest: null })
    await store.evidence.insert(bare)
    expect(await store.evidence.find(device.id, bare.session, 0)).toEqual(bare)
  })

  it('is listed last arrived first, over pages', async () => {
    const store = createStore()
    const device = await storedDevice(store)
    for (let seq = 0; seq < 5; seq++) await store.evidence.insert(evidence(device.id, seq))
    const pages = await everyPage((cursor) => store.evidence.list(device.id, { limit: 2, cursor }))
    expect(pages.map((page) => page.map((each) => each.seq))).toEqual([[4, 3], [2, 1], [0]])
  })
})

describeStore('sessions', (createStore) => {
  it('are replaced as a whole, but for the time of their beginning', async () => {
    const store = createStore()
    const device = await storedDevice(store)
    const session = bytes('session', 16)
    expect(await store.sessions.find(device.id, session)).toBeUndefined()
    const first = {
      deviceId: device.id,
      session,
      contiguousTo: -1,
      extra: [
        [2, 2],
        [5, 7],
      ] as const,
      firstSeenAt: NOW,
      firstEpoch: null,
      lastEpoch: null,
    }
    await store.sessions.save(first)
    expect(await store.sessions.find(device.id, session)).toEqual(first)
    const later = { ...first, contiguousTo: 5, extra: [], firstEpoch: 7, lastEpoch: 9 }
    await store.sessions.save({ ...later, firstSeenAt: NOW + 1 })
    expect(await store.sessions.find(device.id, session)).toEqual(later)
  })

  it('that were fresh are given newest first, without those that never were', async () => {
    const store = createStore()
    const [one, two] = [await storedDevice(store, 'one'), await storedDevice(store, 'two')]
    const make = (deviceId: number, lastEpoch: number | null) => ({
      deviceId,
      session: bytes(`session ${lastEpoch}`, 16),
      contiguousTo: 0,
      extra: [],
      firstSeenAt: NOW,
      firstEpoch: lastEpoch,
      lastEpoch,
    })
    for (const epoch of [3, null, 9, 5]) await store.sessions.save(make(one.id, epoch))
    await store.sessions.save(make(two.id, 20))
    expect(await store.sessions.recentlyFresh(one.id, 2)).toEqual([make(one.id, 9), make(one.id, 5)])
    expect(await store.sessions.recentlyFresh(one.id, 9)).toHaveLength(3)
  })
})

describeStore('refusals', (createStore) => {
  const refusal = (
    ueid: Awaited<ReturnType<typeof storedDevice>>['ueid'] | null,
    index: number,
    code = 'quote.magic',
  ) => ({
    ueid,
    topic: 'keepseal/v1/x/evidence',
    code,
    hash: bytes(`refused ${index}`),
    receivedAt: NOW + index,
    bytes: bytes(`message ${index}`),
  })

  it('are kept within a bound for each device, and counted without one', async () => {
    const store = createStore()
    const [one, two] = [await storedDevice(store, 'one'), await storedDevice(store, 'two')]
    await store.refusals.insert(refusal(two.ueid, 0, 'cbor.truncated'))
    await store.refusals.insert(refusal(null, 0, 'cbor.truncated'))
    for (let i = 0; i < 103; i++) await store.refusals.insert(refusal(one.ueid, i))
    const kept = (await everyPage((cursor) => store.refusals.list({ limit: 40, cursor }, { ueid: one.ueid }))).flat()
    expect(kept).toHaveLength(100)
    expect(kept[0]).toEqual(refusal(one.ueid, 102))
    expect(kept.at(-1)?.receivedAt).toBe(NOW + 3)
    expect((await store.refusals.list({ limit: 5 }, { ueid: two.ueid })).items).toHaveLength(1)
    const counts = await store.refusals.countsByCode()
    expect(Object.fromEntries(counts)).toEqual({ 'quote.magic': 103, 'cbor.truncated': 2 })
    expect(Object.fromEntries(await store.refusals.countsByCode({ ueid: two.ueid }))).toEqual({ 'cbor.truncated': 1 })
  })

  it('without a readable device share one bound', async () => {
    const store = createStore()
    for (let i = 0; i < 102; i++) await store.refusals.insert(refusal(null, i))
    expect((await store.refusals.list({ limit: 500 })).items).toHaveLength(100)
  })
})

describeStore('epochs', (createStore) => {
  it('get consecutive numbers, also when made at the same moment', async () => {
    const { epochs } = createStore()
    expect(await epochs.current()).toBeUndefined()
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, index) => epochs.insert({ nonce: bytes(`n${index}`), issuedAt: NOW + index })),
    )
    expect(made.map((epoch) => epoch.number).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect((await epochs.current())?.number).toBe(10)
    expect(await epochs.byNonce(bytes('n3'))).toEqual(made[3])
    expect(await epochs.byNonce(bytes('unknown'))).toBeUndefined()
    expect((await epochs.since(NOW + 8)).map((epoch) => epoch.issuedAt)).toEqual([NOW + 8, NOW + 9])
  })

  it('never share a nonce', async () => {
    const { epochs } = createStore()
    await epochs.insert({ nonce: bytes('same'), issuedAt: NOW })
    await expect(epochs.insert({ nonce: bytes('same'), issuedAt: NOW })).rejects.toMatchObject({
      code: 'request.conflict',
    })
  })
})

describeStore('receipts', (createStore) => {
  it('are remembered for the newest 64 of a device', async () => {
    const store = createStore()
    const [one, two] = [await storedDevice(store, 'one'), await storedDevice(store, 'two')]
    await store.receipts.insert([{ deviceId: two.id, number: 1, hash: bytes('r1'), issuedAt: NOW }])
    for (let number = 1; number <= 66; number++) {
      await store.receipts.insert([{ deviceId: one.id, number, hash: bytes(`r${number}`), issuedAt: NOW }])
    }
    expect(await store.receipts.numberOf(one.id, bytes('r2'))).toBeUndefined()
    expect(await store.receipts.numberOf(one.id, bytes('r3'))).toBe(3)
    expect(await store.receipts.numberOf(one.id, bytes('r66'))).toBe(66)
    expect(await store.receipts.numberOf(two.id, bytes('r1'))).toBe(1)
  })
})
