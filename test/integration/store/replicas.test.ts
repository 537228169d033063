import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { openStore, type OpenStore } from '../../../collector/store/index.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { usePostgres } from '../../support/postgres-backend.ts'
import { postgresName, postgresPrograms } from '../../support/postgres.ts'

describe.skipIf(postgresPrograms === undefined)(`several collectors on one database (${postgresName})`, () => {
  const server = usePostgres()
  const keys = useCollectorKeys()

  async function replicas(count: number) {
    const postgres = await server().createDatabase()
    const opened: OpenStore[] = []
    for (let index = 0; index < count; index++) opened.push(await openStore({ postgres }))
    const [first, ...others] = opened.map(({ store }) => new IngestingCollector(store, keys()))
    if (first === undefined) throw new Error('none')
    await first.product()
    await first.certificate()
    await first.epoch()
    for (const other of others) other.productId = first.productId
    return { first, all: [first, ...others], close: () => Promise.all(opened.map(({ close }) => close())) }
  }

  it("that get a device's messages in any order, and twice, count each once and lose none", async () => {
    const { first, all, close } = await replicas(2)
    const deliveries = fc.array(
      fc.record({
        replica: fc.nat({ max: 1 }),
        messages: fc.array(fc.nat({ max: 15 }), { minLength: 1, maxLength: 8 }),
      }),
      { minLength: 2, maxLength: 8 },
    )
    await fc.assert(
      fc.asyncProperty(deliveries, async (batches) => {
        const devices = [await first.device(), await first.device()]
        const messages: { bytes: Uint8Array; device: (typeof devices)[number]; sequence: number }[] = []
        for (const device of devices) {
          for (let index = 0; index < 8; index++) messages.push({ device, ...(await device.report()) })
        }
        const sent = new Set<number>()
        // All at the same moment: batches of one replica follow each other, those of two meet.
        const receive = async (replica: number): Promise<string[]> => {
          const results: string[] = []
          for (const batch of batches.filter((each) => each.replica === replica)) {
            const chosen = batch.messages.map((index) => messages[index] ?? expect.fail())
            for (const index of batch.messages) sent.add(index)
            const collector = all[replica] ?? first
            const { handled } = await collector.receive(
              ...chosen.map(({ device, bytes }) => collector.message(device, bytes)),
            )
            results.push(...handled.map(({ result }) => result))
          }
          return results
        }
        const results = (await Promise.all([receive(0), receive(1)])).flat()
        expect(results.filter((result) => result === 'accepted')).toHaveLength(sent.size)
        expect(results.filter((result) => result === 'refused')).toEqual([])
        for (const [position, device] of devices.entries()) {
          const row = await first.row(device)
          const expected = [...sent].filter((index) => Math.floor(index / 8) === position).map((index) => index % 8)
          const session = await first.store.sessions.find(row.id, device.session)
          const held = [
            ...Array.from({ length: (session?.contiguousTo ?? -1) + 1 }, (_, number) => number),
            ...(session?.extra ?? []).flatMap(([low, high]) =>
              Array.from({ length: high - low + 1 }, (_, index) => low + index),
            ),
          ]
          expect(held).toEqual(expected.sort((a, b) => a - b))
          expect((await first.findings(device)).filter((finding) => finding.includes('clone'))).toEqual([])
          expect((await first.state(device)).freshSequence).toBe(expected.length === 0 ? null : Math.max(...expected))
        }
      }),
      { numRuns: 30 },
    )
    await close()
  })

  it('that learn of one cause on many devices at once open one case, with all of them in it', async () => {
    const { first, all, close } = await replicas(2)
    const devices = []
    for (let index = 0; index < 6; index++) {
      const device = await first.device()
      await first.approved(device)
      devices.push(device)
    }
    await first.epoch(...devices)
    for (const other of all) other.now = first.now
    const messages = []
    for (const device of devices) {
      device.tpm?.extend(4, 'another kernel')
      messages.push({ device, ...(await device.report()) })
    }
    const halves = [messages.slice(0, 3), messages.slice(3).toReversed()]
    await Promise.all(
      halves.map((half, index) => {
        const collector = all[index] ?? first
        return collector.receive(...half.map(({ device, bytes }) => collector.message(device, bytes)))
      }),
    )
    const { items: cases } = await first.store.cases.list({ limit: 9 })
    expect(cases.map(({ cause }) => cause)).toEqual(['boot.pcr-changed'])
    expect((await first.store.cases.byId(cases[0]?.id ?? ''))?.findingIds).toHaveLength(devices.length)
    await close()
  })

  it('never take back what a person has approved meanwhile', async () => {
    const { first, all, close } = await replicas(2)
    const device = await first.device()
    await first.report(device)
    await first.content(device)
    for (let round = 0; round < 10; round++) {
      const { bytes } = await device.report()
      const other = all[1] ?? first
      await Promise.all([other.receive(other.message(device, bytes)), first.approve(device).catch(() => undefined)])
      // Whichever came first, what the report concluded from is what held when it was stored.
      expect([toHex(device.session), (await first.state(device)).verdict]).toEqual([toHex(device.session), 'affirming'])
    }
    await close()
  })
})
