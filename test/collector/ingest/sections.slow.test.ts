import * as fc from 'fast-check'
import { deflateRawSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { inflate } from '../../../collector/ingest/inflate.ts'
import { random, sha256 } from '../../../shared/crypto/node.ts'
import type { SectionPart } from '../../../shared/evidence/section-part.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { packagesWith, type SoftwareDevice } from '../../support/software-device.ts'
import { describeStore } from '../store/support.ts'

const versions = Array.from({ length: 40 }, (_, index) => `1.${index}`)

describeStore('section content', (createStore) => {
  const keys = useCollectorKeys()
  const begin = () => IngestingCollector.withDevice(createStore(), keys())

  async function send(collector: IngestingCollector, device: SoftwareDevice, ...parts: SectionPart[]) {
    const messages = await Promise.all(parts.map((part) => device.signPart(part)))
    const batch = await collector.receive(...messages.map((bytes) => collector.message(device, bytes, 'section')))
    return batch.handled.map(({ code }) => code)
  }

  const digestOf = (device: SoftwareDevice) => device.sections.get('packages')?.digest ?? new Uint8Array(0)

  it.each([true, false])(
    'is put together from its parts in any order and repetition (deflated: %s)',
    async (deflate) => {
      const { collector, device } = await begin()
      let run = 0
      const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 0, 1, 2, 3, 4], { minLength: 10 })
      await fc.assert(
        fc.asyncProperty(order, async (arrivals) => {
          device.readings = { packages: packagesWith(...versions, `run ${run++}`) }
          const size = device.sectionParts('packages', { deflate }).reduce((sum, { part }) => sum + part.length, 0)
          const parts = device.sectionParts('packages', { deflate, partBytes: Math.ceil(size / 5) })
          expect(parts).toHaveLength(5)
          const seen = new Set<number>()
          for (const index of arrivals) {
            const part = parts[index]
            if (part === undefined) continue
            expect(await send(collector, device, part)).toEqual([])
            seen.add(index)
            expect(await collector.store.sections.has('Acme', digestOf(device))).toBe(seen.size === 5)
          }
          expect(await collector.store.sections.find('Acme', digestOf(device))).toEqual(
            device.sections.get('packages')?.bytes,
          )
          expect(await collector.store.sections.bytesHeldBy((await collector.row(device)).id)).toBe(0)
        }),
        { numRuns: 15 },
      )
    },
  )

  it("is not spoilt by another device's false parts, before, between or after the true ones", async () => {
    const { collector, device } = await begin()
    const hostile = await collector.device()
    let run = 0
    const step = fc.record({ index: fc.nat({ max: 2 }), isFalse: fc.boolean(), count: fc.integer({ min: 3, max: 5 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        device.readings = { packages: packagesWith(...versions, `run ${run++}`) }
        const { length } = device.sections.get('packages')?.bytes ?? []
        const parts = device.sectionParts('packages', { partBytes: Math.ceil((length ?? 0) / 3) })
        for (const { index, isFalse, count } of [
          ...steps,
          ...[0, 1, 2].map((index) => ({ index, isFalse: false, count: 3 })),
        ]) {
          const part = parts[index]
          if (part === undefined) continue
          const forged = { ...part, count, part: random(part.part.length) }
          const codes = await (isFalse ? send(collector, hostile, forged) : send(collector, device, part))
          expect(codes.every((code) => isFalse && code === 'section.digest-mismatch')).toBe(true)
        }
        expect(await collector.store.sections.find('Acme', digestOf(device))).toEqual(
          device.sections.get('packages')?.bytes,
        )
      }),
      { numRuns: 20 },
    )
  })

  it('that does not have its digest is refused whole, and can be sent again', async () => {
    const { collector, device } = await begin()
    const parts = device.sectionParts('packages', { partBytes: 60 })
    const [first, ...others] = parts
    if (first === undefined || others.length === 0) throw new Error('too few parts')
    const codes = await send(collector, device, { ...first, part: random(60) }, ...others)
    expect(codes).toEqual(['section.digest-mismatch'])
    expect(await collector.store.sections.has('Acme', digestOf(device))).toBe(false)
    expect(await send(collector, device, ...parts)).toEqual([])
    expect(await collector.store.sections.has('Acme', digestOf(device))).toBe(true)
  })

  it('in parts of different makings is refused', async () => {
    const { collector, device } = await begin()
    const parts = device.sectionParts('packages', { partBytes: 60 })
    const [first, second, ...others] = parts
    if (first === undefined || second === undefined) throw new Error('too few parts')
    const altered = [
      { ...second, size: second.size + 1 },
      { ...second, encoding: 1 as const },
      { ...second, count: second.count + 1 },
    ]
    for (const other of altered) {
      const codes = await send(collector, device, first, other, ...others)
      expect(codes.at(-1)).toBe('section.digest-mismatch')
      expect(await collector.store.sections.bytesHeldBy((await collector.row(device)).id)).toBeLessThan(300)
      await collector.store.sections.deleteChunks('Acme', digestOf(device))
    }
  })

  it('that inflates beyond what it announces is refused before it takes any room', async () => {
    const { collector, device } = await begin()
    const bomb = deflateRawSync(new Uint8Array(50 * 1024 * 1024))
    expect(bomb.length).toBeLessThan(60_000)
    const part = { digest: sha256(bomb), encoding: 1 as const, index: 0, count: 1, part: bomb }
    expect(inflate(bomb, 1024 * 1024)).toBeUndefined()
    expect(inflate(bomb, 0)).toBeUndefined()
    expect(inflate(bomb, 50 * 1024 * 1024)).toHaveLength(50 * 1024 * 1024)
    for (const size of [0, 1, 1000, 1024 * 1024]) {
      expect(await send(collector, device, { ...part, size })).toEqual(['section.digest-mismatch'])
    }
    expect(await send(collector, device, { ...part, size: 1024 * 1024 + 1 })).toEqual(['section.too-large'])
    expect(await send(collector, device, { ...part, size: 8 * 1024 * 1024 + 1 })).toEqual(['section.malformed'])
  })

  it('that is damaged deflate is refused', async () => {
    const { collector, device } = await begin()
    const [part] = device.sectionParts('packages', { deflate: true })
    if (part === undefined) throw new Error('no part')
    expect(await send(collector, device, { ...part, part: Uint8Array.of(0xff, 0xff) })).toEqual([
      'section.digest-mismatch',
    ])
  })

  it('under way is bounded for each device, and what was left unfinished gives way', async () => {
    const { collector, device } = await begin()
    const other = await collector.device()
    const unfinished = () => ({
      digest: random(32),
      size: 500_000,
      encoding: 0 as const,
      index: 0,
      count: 9,
      part: random(60_000),
    })
    for (let each = 0; each < 4; each++) expect(await send(collector, device, unfinished())).toEqual([])
    const heldBy = async (owner: SoftwareDevice) =>
      collector.store.sections.bytesHeldBy((await collector.row(owner)).id)
    expect(await heldBy(device)).toBe(240_000)
    expect(await send(collector, other, unfinished())).toEqual([])
    const last = unfinished()
    expect(await send(collector, device, last)).toEqual([])
    expect(await heldBy(device)).toBe(60_000)
    expect(await heldBy(other)).toBe(60_000)
    const more = [1, 2, 3, 4].map((index) => ({ ...last, index }))
    expect(await send(collector, device, ...more)).toEqual(['section.too-large'])
  })

  it('that is known already is taken without a word', async () => {
    const { collector, device } = await begin()
    await collector.content(device)
    const other = await collector.device()
    other.readings = device.readings
    expect(await send(collector, other, ...other.sectionParts('packages', { partBytes: 60 }))).toEqual([])
    expect(await collector.store.sections.bytesHeldBy((await collector.row(other)).id)).toBe(0)
  })
})

describeStore('content that arrives after the evidence', (createStore) => {
  const keys = useCollectorKeys()
  const begin = () => IngestingCollector.withDevice(createStore(), keys())

  it('is asked for with each evidence until it is here, and then the evidence is concluded', async () => {
    const { collector, device } = await begin()
    await collector.approved(device)
    await collector.epoch(device)
    device.readings = { ...device.readings, packages: packagesWith('1.0', '2.1') }
    const wanted = digestOf(device)
    for (let each = 0; each < 2; each++) {
      const batch = await collector.receive(collector.message(device, (await device.report()).bytes))
      expect(batch.handled[0]).toMatchObject({ code: 'content.missing' })
      expect(collector.answers(device, batch).requests).toEqual([
        { posture: false, pcrs: false, contents: [wanted], ima: null },
      ])
    }
    expect(await collector.findings(device)).toEqual([])
    expect((await collector.content(device)).map(({ result, code }) => [result, code])).toEqual([
      ['reconsidered', 'packages.changed'],
    ])
    expect(await collector.state(device)).toMatchObject({ verdict: 'warning', verdictCode: 'packages.changed' })
    expect(await collector.findings(device)).toEqual(['packages.changed package-1 open'])
  })

  it('concludes the newest evidence, not the one that arrived last', async () => {
    const { collector, device } = await begin()
    await collector.approved(device)
    await collector.epoch(device)
    const older = await device.report()
    device.readings = { ...device.readings, packages: packagesWith('1.0', '2.1') }
    const newest = await device.report()
    await collector.evidence(device, newest.bytes)
    await collector.evidence(device, older.bytes)
    expect((await collector.content(device)).map(({ code }) => code)).toEqual(['packages.changed'])
    expect(await collector.state(device)).toMatchObject({ freshSequence: newest.sequence, verdict: 'warning' })
  })

  it('of a device that waits for a person changes nothing by itself', async () => {
    const { collector, device } = await begin()
    await collector.report(device)
    const handled = await collector.content(device)
    expect(handled.at(-1)).toMatchObject({ result: 'reconsidered', code: 'reference-values.missing' })
    expect(await collector.state(device)).toMatchObject({ verdict: 'not-appraised' })
    await collector.approve(device)
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming' })
  })

  it('does not touch a verdict that was reached on other grounds', async () => {
    const { collector, device } = await begin()
    await collector.approved(device)
    await collector.epoch(device)
    device.quoting = false
    device.readings = { ...device.readings, packages: packagesWith('1.0', '2.1') }
    await collector.report(device)
    expect(await collector.content(device)).toEqual([])
    expect(await collector.state(device)).toMatchObject({ verdict: 'contraindicated', verdictCode: 'quote.missing' })
  })

  const digestOf = (device: SoftwareDevice) => new Uint8Array(device.sections.get('packages')?.digest ?? [])
})
