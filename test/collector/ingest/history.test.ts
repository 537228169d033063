import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { decodeEvidence } from '../../../shared/evidence/evidence.ts'
import type { Store } from '../../../collector/store/index.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import type { SoftwareDevice } from '../../support/software-device.ts'
import { describeStore } from '../store/support.ts'

const PAGE = { limit: 500 }

describeStore('history', (createStore) => {
  const keys = useCollectorKeys()

  /** A device in its usual state: approved, and nothing new to tell. */
  async function steady(keepOneIn = 4) {
    const store = createStore()
    const collector = new IngestingCollector(store, keys(), { history: { keepOneIn } })
    await collector.product()
    await collector.epoch()
    const device = await collector.device()
    await collector.approved(device)
    device.acknowledged = {
      postureDigest: device.posture.postureDigest,
      pcrDigest: (await collector.state(device)).pcrDigest,
    }
    device.restart()
    return { store, collector, device, row: await collector.row(device) }
  }

  const runs = async (store: Store, deviceId: number, device: SoftwareDevice) =>
    (await store.evidenceRuns.list(deviceId, PAGE)).items
      .filter(({ session }) => toHex(session) === toHex(device.session))
      .map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])
  const kept = async (store: Store, deviceId: number, device: SoftwareDevice) =>
    (await store.evidence.list(deviceId, PAGE)).items
      .filter(({ session }) => toHex(session) === toHex(device.session))
      .map(({ seq }) => seq)
      .sort((a, b) => a - b)

  it('of reports that tell the same is one run, with one message in so many and the newest one', async () => {
    const { store, collector, device, row } = await steady(4)
    let newest = await device.report()
    for (let seq = 0; seq < 11; seq++) {
      expect(await collector.evidence(device, newest.bytes)).toMatchObject({ result: 'accepted', sequence: seq })
      await collector.epoch(device)
      newest = await device.report()
    }
    expect(await runs(store, row.id, device)).toEqual([[0, 10]])
    expect(await kept(store, row.id, device)).toEqual([0, 4, 8])
    const found = await store.evidence.latestFresh(row.id)
    expect(found?.seq).toBe(10)
    expect(await store.evidence.find(row.id, device.session, 10)).toEqual(found)
    expect(await store.evidence.find(row.id, device.session, 9)).toBeUndefined()
    expect((await store.sessions.find(row.id, device.session))?.contiguousTo).toBe(10)
  })

  it('begins another run with each change, whose first message is kept', async () => {
    const { store, collector, device, row } = await steady(100)
    for (const change of [0, 1, 0, 0, 1, 0]) {
      if (change === 1) device.tpm?.extend(4, `change ${change}`)
      await collector.report(device, {})
      if (change === 1)
        device.acknowledged = { ...device.acknowledged, pcrDigest: (await collector.state(device)).pcrDigest }
      await collector.epoch(device)
    }
    expect(await runs(store, row.id, device)).toEqual([
      [4, 5],
      [1, 3],
      [0, 0],
    ])
    expect(await kept(store, row.id, device)).toEqual([0, 1, 4])
  })

  it('knows a message that was not kept when it comes again, and another one in its place', async () => {
    const { collector, device } = await steady(100)
    const sent: Uint8Array[] = []
    for (let seq = 0; seq < 12; seq++) {
      const { bytes } = await device.report()
      sent.push(bytes)
      await collector.evidence(device, bytes)
    }
    for (const bytes of sent) expect(await collector.evidence(device, bytes)).toMatchObject({ result: 'duplicate' })
    expect(await collector.findings(device)).toEqual([])
    const forged = await device.resign(sent[6] ?? expect.fail(), { claims: { uptime: 1 } })
    expect(await collector.evidence(device, forged)).toMatchObject({ result: 'refused', code: 'link.fork' })
    expect((await collector.state(device)).latch).toBe('failed')
  })

  it('tells a forgotten message by its epoch from one that somebody else has made since', async () => {
    const { collector, device } = await steady(1_000)
    const sent: Uint8Array[] = []
    for (let seq = 0; seq < 70; seq++) {
      const { bytes } = await device.report()
      sent.push(bytes)
      await collector.evidence(device, bytes)
    }
    const [, forgotten = expect.fail()] = sent
    expect(await collector.evidence(device, forgotten)).toMatchObject({ result: 'duplicate' })
    // What was made in the same epoch cannot be told apart, and changes nothing.
    const same = await device.resign(forgotten, { claims: { uptime: 1 } })
    expect(await collector.evidence(device, same)).toMatchObject({ result: 'duplicate' })
    const { nonce } = await collector.epoch()
    const later = await device.resign(forgotten, { claims: { nonce } })
    expect(await collector.evidence(device, later)).toMatchObject({ result: 'refused', code: 'link.fork' })
    expect((await collector.findings(device)).some((finding) => finding.startsWith('identity.clone'))).toBe(true)
  })

  it('says duplicate of what was counted so long ago that its run is gone', async () => {
    const { store, collector, device } = await steady(1_000)
    const sent: Uint8Array[] = []
    for (let seq = 0; seq < 3; seq++) sent.push((await device.report()).bytes)
    for (const bytes of sent) await collector.evidence(device, bytes)
    const all = Number.MAX_SAFE_INTEGER
    await store.sweep({ evidence: all, history: all, refusals: 0, findings: 0, pcrValues: 0 }, 100)
    for (const bytes of sent) expect(await collector.evidence(device, bytes)).toMatchObject({ result: 'duplicate' })
    expect(await collector.report(device)).toMatchObject({ result: 'accepted', sequence: 3 })
  })

  it('counts and links each message once, in any order, any repetition and however little is kept', async () => {
    const { store, collector, device: first, row } = await steady()
    const history = fc.record({
      arrivals: fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 30 }),
      keepOneIn: fc.integer({ min: 1, max: 5 }),
    })
    await fc.assert(
      fc.asyncProperty(history, async ({ arrivals, keepOneIn }) => {
        first.restart()
        const thin = new IngestingCollector(store, keys(), { history: { keepOneIn } })
        thin.now = collector.now
        const messages = []
        for (let seq = 0; seq < 10; seq++) messages.push(await first.report())
        const counted = new Set<number>()
        for (const index of arrivals) {
          const { bytes } = messages[index] ?? expect.fail()
          const { result } = await thin.evidence(first, bytes)
          expect(result).toBe(counted.has(index) ? 'duplicate' : 'accepted')
          counted.add(index)
        }
        const places = (await runs(store, row.id, first)).flatMap(([from = 0, to = 0]) =>
          Array.from({ length: to - from + 1 }, (_, index) => from + index),
        )
        expect(places.sort((a, b) => a - b)).toEqual([...counted].sort((a, b) => a - b))
        expect((await collector.findings(first)).filter((finding) => finding.includes('clone'))).toEqual([])
      }),
      { numRuns: 25 },
    )
  })

  it('has what an approval needs, although the newest message told nothing new', async () => {
    const { store, collector, device } = await steady(100)
    device.tpm?.extend(4, 'another kernel')
    await collector.report(device)
    device.acknowledged = { ...device.acknowledged, pcrDigest: (await collector.state(device)).pcrDigest }
    for (let index = 0; index < 3; index++) await collector.report(device)
    expect(await collector.state(device)).toMatchObject({ verdict: 'contraindicated', freshSequence: 3 })
    // Of two approvals in one millisecond none is the newer one.
    await collector.epoch(device)
    await collector.approve(device)
    expect(await collector.report(device)).toMatchObject({ result: 'accepted', code: null })
    const row = await collector.row(device)
    const newest = await store.evidence.latestFresh(row.id)
    expect(decodeEvidence(newest?.bytes ?? expect.fail()).claims.sequence).toBe(4)
  })
})
