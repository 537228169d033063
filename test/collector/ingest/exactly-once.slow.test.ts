import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { failingStore } from '../../support/failing-store.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { SoftwareDevice } from '../../support/software-device.ts'
import { describeStore } from '../store/support.ts'
import { processBatch } from '../../../collector/ingest/process-batch.ts'
import type { Store } from '../../../collector/store/index.ts'

const PAGE = { limit: 200 }

/** Everything about a device that a batch can change. */
async function everything(store: Store, device: SoftwareDevice) {
  const row = await store.devices.byUeid(device.ueid)
  if (row === undefined) throw new Error('not enrolled')
  return {
    state: await store.devices.stateOf(row.id),
    evidence: (await store.evidence.list(row.id, PAGE)).items,
    session: await store.sessions.find(row.id, device.session),
    findings: (await store.findings.list(PAGE)).items,
    cases: (await store.cases.list(PAGE)).items,
    refusals: (await store.refusals.list(PAGE)).items,
    refusalCounts: await store.refusals.countsByCode(),
    receipt: await store.receipts.latest(row.id),
    posture: await store.postures.find('Acme', device.posture.postureDigest),
    pending: await store.sections.bytesHeldBy(row.id),
  }
}

describeStore('evidence', (createStore) => {
  const keys = useCollectorKeys()

  it('is counted and linked exactly once, in any order, any repetition and any batches', async () => {
    const store = createStore()
    const collector = new IngestingCollector(store, keys())
    await collector.product()
    await collector.epoch()
    const history = fc.record({
      arrivals: fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 24 }),
      batch: fc.integer({ min: 1, max: 6 }),
    })
    await fc.assert(
      fc.asyncProperty(history, async ({ arrivals, batch }) => {
        const device = await collector.device()
        const row = await collector.row(device)
        const messages: { bytes: Uint8Array; session: string; sequence: number }[] = []
        for (let index = 0; index < 10; index++) {
          if (index === 6) device.restart()
          const { bytes, sequence } = await device.report()
          messages.push({ bytes, session: toHex(device.session), sequence })
        }
        const counted = new Set<number>()
        for (let start = 0; start < arrivals.length; start += batch) {
          const chosen = arrivals.slice(start, start + batch)
          const { handled } = await collector.receive(
            ...chosen.map((index) => collector.message(device, messages[index]?.bytes ?? new Uint8Array(0))),
          )
          const expected = chosen.map((index) => {
            const result = counted.has(index) ? 'duplicate' : 'accepted'
            counted.add(index)
            return result
          })
          expect(handled.map(({ result }) => result)).toEqual(expected)
        }
        const { items } = await store.evidence.list(row.id, PAGE)
        const places = items.map(({ session, seq }) => `${toHex(session)} ${seq}`).sort()
        const model = [...counted].map((index) => `${messages[index]?.session} ${messages[index]?.sequence}`).sort()
        expect(places).toEqual(model)
        for (const session of new Set(items.map((item) => item.session))) {
          const held = await store.sessions.find(row.id, session)
          const numbers = items.filter((item) => toHex(item.session) === toHex(session)).map(({ seq }) => seq)
          const missing = Array.from({ length: 11 }, (_, number) => number).find((number) => !numbers.includes(number))
          expect(held?.contiguousTo).toBe((missing ?? 0) - 1)
        }
        expect((await collector.findings(device)).filter((finding) => finding.includes('clone'))).toEqual([])
      }),
      { numRuns: 25 },
    )
  })

  it('is stored whole or not at all, whichever operation of the database fails, and decided on the next try', async () => {
    const store = createStore()
    const { collector, device } = await IngestingCollector.withDevice(store, keys())
    await collector.certificate()
    await collector.approved(device)
    const { device: other } = { device: await collector.device() }
    await collector.epoch(device, other)
    device.tpm?.extend(4, 'another kernel')
    const drifted = await device.report()
    const batch = [
      collector.message(device, drifted.bytes),
      collector.message(device, await device.resign(drifted.bytes, { claims: { uptime: 1 } })),
      collector.message(device, Uint8Array.of(0xff)),
      collector.message(other, (await other.report()).bytes),
      collector.message(other, (await other.parts('packages', { partBytes: 20 }))[0] ?? new Uint8Array(0), 'section'),
    ]
    const before = [await everything(store, device), await everything(store, other)]
    let failures = 0
    for (;;) {
      let left = failures + 1
      const failing = failingStore(store, () => {
        if (--left === 0) throw new Error('disk I/O error')
      })
      const done = await processBatch(failing, batch, collector.deps, collector.now).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ message: 'disk I/O error' })
          return false
        },
      )
      if (done) break
      failures++
      expect([await everything(store, device), await everything(store, other)]).toEqual(before)
    }
    expect(failures).toBeGreaterThan(40)
    const [after] = [await everything(store, device)]
    expect(after?.refusalCounts).toEqual(
      new Map([
        ['link.fork', 1],
        ['cbor.indefinite-length', 1],
      ]),
    )
    expect((await collector.state(device)).verdict).toBe('contraindicated')
    expect((await store.cases.list(PAGE)).items.map(({ cause }) => cause).sort()).toEqual([
      'boot.pcr-changed',
      'identity.clone',
    ])
  })
})
