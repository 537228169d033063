import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { diskCost, entryOf } from '../../../agent/outbox/entry.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { BLOCK, openOutbox, session, type OpenedOutbox } from './support.ts'

/** What an outbox is, in a few lines: a list in memory, and two numbers. */
interface Model {
  entries: { session: number; sequence: number; createdAt: number; hash: string; cost: number }[]
  dropped: number
  refused: number
}

type Step =
  | { readonly do: 'put'; readonly session: number; readonly size: number }
  | { readonly do: 'receipt'; readonly session: number; readonly contiguousTo: number; readonly extra: number[] }
  | { readonly do: 'refuse'; readonly at: number }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'crash'; readonly torn: boolean; readonly removalsLost: boolean }
  | { readonly do: 'damage'; readonly at: number; readonly how: 'truncate' | 'flip' }

const small = fc.nat({ max: 2 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('put' as const), session: small, size: fc.integer({ min: 1, max: 9000 }) }),
  },
  fc.record({
    do: fc.constant('receipt' as const),
    session: small,
    contiguousTo: fc.integer({ min: -1, max: 20 }),
    extra: fc.array(fc.nat({ max: 20 }), { maxLength: 3 }),
  }),
  fc.record({ do: fc.constant('refuse' as const), at: fc.nat({ max: 9 }) }),
  fc.record({ do: fc.constant('wait' as const), seconds: fc.nat({ max: 600 }) }),
  fc.record({ do: fc.constant('crash' as const), torn: fc.boolean(), removalsLost: fc.boolean() }),
  fc.record({
    do: fc.constant('damage' as const),
    at: fc.nat({ max: 9 }),
    how: fc.constantFrom('truncate' as const, 'flip' as const),
  }),
)

const MAX_BYTES = 8 * BLOCK
const MAX_AGE = 1000
const scratch = useScratchDirectories('outbox-property')

class Run {
  readonly directory = scratch()
  readonly model: Model = { entries: [], dropped: 0, refused: 0 }
  readonly nextSequence = [0, 0, 0]
  now = 5000
  puts = 0
  opened: OpenedOutbox
  /** Files that the last steps removed for good reason, by name: a power cut may bring them back. */
  removed = new Map<string, Buffer>()

  constructor(opened: OpenedOutbox) {
    this.opened = opened
  }

  get place(): string {
    return join(this.directory, 'outbox')
  }

  async reopen(): Promise<void> {
    this.opened = await openOutbox(this.directory, { maxBytes: MAX_BYTES, maxAgeSeconds: MAX_AGE, now: () => this.now })
  }

  files(): Map<string, Buffer> {
    const names = readdirSync(this.place).filter((name) => name.endsWith('.evidence'))
    return new Map(names.sort().map((name) => [name, readFileSync(join(this.place, name))]))
  }

  trimModel(): void {
    const total = (): number => this.model.entries.reduce((sum, { cost }) => sum + cost, 0)
    for (;;) {
      const [oldest] = this.model.entries
      if (oldest === undefined || (total() <= MAX_BYTES && oldest.createdAt >= this.now - MAX_AGE)) return
      this.model.entries.shift()
      this.model.dropped++
    }
  }

  async apply(step: Step): Promise<void> {
    const { outbox } = this.opened
    const { model } = this
    const before = this.files()
    switch (step.do) {
      case 'put': {
        const sequence = this.nextSequence[step.session] ?? 0
        this.nextSequence[step.session] = sequence + 1
        const bytes = new Uint8Array(step.size).fill(this.puts)
        bytes[0] = this.puts++ >> 8
        await outbox.put(bytes, { session: session(step.session), sequence, createdAt: this.now })
        const hash = toHex(sha256(bytes))
        model.entries.push({ session: step.session, sequence, createdAt: this.now, hash, cost: diskCost(step.size) })
        this.trimModel()
        // A put makes durable what was removed before it.
        this.removed.clear()
        return
      }
      case 'receipt': {
        const held = ({ session, sequence }: Model['entries'][number]): boolean =>
          session === step.session && (sequence <= step.contiguousTo || step.extra.includes(sequence))
        await outbox.receipted([{ ...step, session: session(step.session) }])
        model.entries = model.entries.filter((entry) => !held(entry))
        break
      }
      case 'refuse': {
        const hash = model.entries[step.at]?.hash ?? '00'.repeat(32)
        await outbox.refused([Buffer.from(hash, 'hex')])
        const left = model.entries.filter((entry) => entry.hash !== hash)
        model.refused += model.entries.length - left.length
        model.entries = left
        // Counting it made durable what was removed before it, but not its own removal.
        if (model.refused > 0) this.removed.clear()
        break
      }
      case 'wait':
        this.now += step.seconds
        await outbox.trim()
        this.trimModel()
        return
      case 'crash': {
        if (step.torn) writeFileSync(join(this.place, '000000000999-torn.evidence.new'), 'torn', { mode: 0o600 })
        if (step.removalsLost) this.bringBack()
        this.removed.clear()
        await this.reopen()
        this.trimModel()
        return
      }
      case 'damage': {
        const name = [...before.keys()][step.at]
        const entry = this.opened.outbox.entries[step.at]
        const content = name === undefined ? undefined : before.get(name)
        if (name === undefined || entry === undefined || content === undefined) return
        if (step.how === 'truncate') {
          writeFileSync(join(this.place, name), content.subarray(1))
          await this.reopen()
        } else {
          content[content.length - 1] = (content[content.length - 1] as number) ^ 1
          writeFileSync(join(this.place, name), content)
          expect(await outbox.read(entry)).toBeUndefined()
        }
        model.entries.splice(step.at, 1)
        model.dropped++
        this.removed.clear()
        this.trimModel()
        return
      }
      default:
        step satisfies never
    }
    const after = this.files()
    for (const [name, content] of before) if (!after.has(name)) this.removed.set(name, content)
  }

  bringBack(): void {
    for (const [name, content] of this.removed) {
      writeFileSync(join(this.place, name), content, { mode: 0o600 })
      const entry = entryOf(name)
      if (entry === undefined) throw new Error(name)
      const { sequence, createdAt, size, hash } = entry
      this.model.entries.push({
        session: entry.session[0] ?? 0,
        sequence,
        createdAt,
        hash: toHex(hash),
        cost: diskCost(size),
      })
    }
    const places = new Map([...this.files().keys()].map((name, place) => [name.slice(-73, -9), place]))
    this.model.entries.sort((a, b) => (places.get(a.hash) ?? 0) - (places.get(b.hash) ?? 0))
  }

  check(): void {
    const { outbox } = this.opened
    expect({
      entries: outbox.entries.map(({ hash }) => toHex(hash)),
      onDisk: [...this.files().values()].map((content) => toHex(sha256(content))),
      dropped: outbox.droppedCount,
      refused: outbox.refusedCount,
      bytes: outbox.bytes,
    }).toEqual({
      entries: this.model.entries.map(({ hash }) => hash),
      onDisk: this.model.entries.map(({ hash }) => hash),
      dropped: this.model.dropped,
      refused: this.model.refused,
      bytes: this.model.entries.reduce((sum, { cost }) => sum + cost, 0),
    })
    expect(outbox.bytes).toBeLessThanOrEqual(MAX_BYTES)
  }
}

test('an outbox is its model, through receipts, refusals, crashes and damage', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const run = new Run(await openOutbox(scratch()))
      await run.reopen()
      for (const each of steps) {
        await run.apply(each)
        run.check()
      }
    }),
    { numRuns: 60 },
  )
}, 30_000)
