import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Outbox } from '../../../agent/outbox/outbox.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { BLOCK, openOutbox, session } from './support.ts'

const scratch = useScratchDirectories('outbox')
const message = (number: number, size = 100): Uint8Array => new Uint8Array(size).fill(number)
const filesIn = (directory: string): string[] => readdirSync(join(directory, 'outbox')).sort()
const sequences = (outbox: Outbox): number[] => outbox.entries.map(({ sequence }) => sequence)

async function filled(directory: string, count: number) {
  const opened = await openOutbox(directory)
  for (let sequence = 0; sequence < count; sequence++) {
    await opened.outbox.put(message(sequence), { session: session(1), sequence, createdAt: 0 })
  }
  return opened
}

describe('a report', () => {
  test('is on disk when it was put, and the same after a restart', async () => {
    const directory = scratch()
    const { outbox } = await openOutbox(directory)
    const entry = await outbox.put(message(7), { session: session(1), sequence: 3, createdAt: 12 })
    expect(entry).toMatchObject({ sequence: 3, createdAt: 12, size: 100 })
    expect(toHex(entry.hash)).toBe(toHex(sha256(message(7))))
    const reopened = (await openOutbox(directory)).outbox
    expect(reopened.entries).toEqual(outbox.entries)
    expect(await reopened.read(reopened.entries[0] ?? entry)).toEqual(message(7))
  })

  test('leaves with the receipt that covers it, and only then', async () => {
    const { outbox } = await filled(scratch(), 6)
    expect(await outbox.receipted([{ session: session(2), contiguousTo: 99, extra: [] }])).toBe(0)
    expect(await outbox.receipted([{ session: session(1), contiguousTo: -1, extra: [4] }])).toBe(1)
    expect(await outbox.receipted([{ session: session(1), contiguousTo: 1, extra: [4, 5] }])).toBe(3)
    expect(sequences(outbox)).toEqual([2, 3])
    expect([outbox.droppedCount, outbox.refusedCount]).toEqual([0, 0])
  })

  test('that is refused leaves and is counted, also over a restart', async () => {
    const directory = scratch()
    const { outbox } = await filled(directory, 3)
    expect(await outbox.refused([sha256(message(1)), sha256(message(99))])).toBe(1)
    expect(sequences(outbox)).toEqual([0, 2])
    const reopened = (await openOutbox(directory)).outbox
    expect([sequences(reopened), reopened.refusedCount]).toEqual([[0, 2], 1])
  })
})

describe('when there is no room', () => {
  test('the oldest go and are counted, also over a restart', async () => {
    const directory = scratch()
    const { outbox } = await filled(directory, 11)
    expect([sequences(outbox), outbox.droppedCount]).toEqual([[3, 4, 5, 6, 7, 8, 9, 10], 3])
    expect(outbox.bytes).toBe(8 * BLOCK)
    expect((await openOutbox(directory)).outbox.droppedCount).toBe(3)
  })

  test('because something else takes it, the oldest go', async () => {
    const directory = scratch()
    await filled(directory, 8)
    const { outbox } = await openOutbox(directory, { reserved: () => 3 * BLOCK })
    expect([sequences(outbox), outbox.droppedCount]).toEqual([[3, 4, 5, 6, 7], 3])
  })

  test('what a crash brings back after it was counted is not counted again', async () => {
    const directory = scratch()
    await filled(directory, 8)
    const [oldest = ''] = filesIn(directory)
    const path = join(directory, 'outbox', oldest)
    const content = readFileSync(path)
    const { outbox } = await openOutbox(directory, { maxBytes: 7 * BLOCK })
    expect(outbox.droppedCount).toBe(1)
    writeFileSync(path, content, { mode: 0o600 })
    const reopened = (await openOutbox(directory)).outbox
    expect([sequences(reopened), reopened.droppedCount]).toEqual([[1, 2, 3, 4, 5, 6, 7], 1])
    expect(filesIn(directory)).not.toContain(oldest)
  })

  test('what is too old goes, and what was made by a clock ahead of ours stays', async () => {
    const directory = scratch()
    const { outbox } = await openOutbox(directory)
    for (const [sequence, createdAt] of [100, 200, 9000].entries()) {
      await outbox.put(message(sequence), { session: session(1), sequence, createdAt })
    }
    const later = (await openOutbox(directory, { now: () => 1150 })).outbox
    expect([sequences(later), later.droppedCount]).toEqual([[1, 2], 1])
  })
})

describe('damage', () => {
  test('a torn temporary file is removed and costs nothing', async () => {
    const directory = scratch()
    await filled(directory, 2)
    const [name = ''] = filesIn(directory)
    writeFileSync(join(directory, 'outbox', name.replace(/^0*0/, '999') + '.new'), 'torn')
    const { outbox } = await openOutbox(directory)
    expect([sequences(outbox), outbox.droppedCount]).toEqual([[0, 1], 0])
    expect(filesIn(directory)).toHaveLength(2)
  })

  test.each([
    ['truncated', (path: string) => writeFileSync(path, 'short')],
    ['empty', (path: string) => writeFileSync(path, '')],
  ])('an entry that is %s is counted and does not block the others', async (_, damage) => {
    const directory = scratch()
    await filled(directory, 3)
    damage(join(directory, 'outbox', filesIn(directory)[1] ?? ''))
    const { outbox } = await openOutbox(directory)
    expect([sequences(outbox), outbox.droppedCount]).toEqual([[0, 2], 1])
    expect((await openOutbox(directory)).outbox.droppedCount).toBe(1)
  })

  test('an entry in which a bit flipped, or that is gone, is noticed when it is read', async () => {
    const directory = scratch()
    const { outbox } = await filled(directory, 3)
    const [first, second, third] = outbox.entries
    const [flipped = '', gone = ''] = filesIn(directory)
    writeFileSync(join(directory, 'outbox', flipped), message(99))
    rmSync(join(directory, 'outbox', gone))
    if (first === undefined || second === undefined || third === undefined) throw new Error('no entries')
    expect(await outbox.read(first)).toBeUndefined()
    expect(await outbox.read(second)).toBeUndefined()
    expect(await outbox.read(third)).toEqual(message(2))
    expect([sequences(outbox), outbox.droppedCount]).toEqual([[2], 2])
    expect(await outbox.read(first)).toBeUndefined()
    expect(outbox.droppedCount).toBe(2)
  })

  test('a name that is none of ours is left alone, one that looks like it is removed and counted', async () => {
    const directory = scratch()
    await filled(directory, 1)
    writeFileSync(join(directory, 'outbox', 'README'), '')
    writeFileSync(join(directory, 'outbox', 'garbage.evidence'), '')
    const { outbox } = await openOutbox(directory)
    expect([sequences(outbox), outbox.droppedCount]).toEqual([[0], 1])
    expect(filesIn(directory)).toContain('README')
    expect(filesIn(directory)).not.toContain('garbage.evidence')
  })

  test('of the counters is told, and no report is lost by it', async () => {
    const directory = scratch()
    await filled(directory, 9)
    writeFileSync(join(directory, 'outbox', 'counters.json'), '{}')
    const { outbox, problems } = await openOutbox(directory)
    expect([sequences(outbox).length, outbox.droppedCount, problems]).toEqual([8, 0, ['state.unreadable']])
  })
})

test('a report that is put after everything was receipted and a restart is not taken for one that was dropped', async () => {
  const directory = scratch()
  const { outbox } = await filled(directory, 12)
  expect(outbox.droppedCount).toBe(4)
  await outbox.receipted([{ session: session(1), contiguousTo: 11, extra: [] }])
  const restarted = (await openOutbox(directory)).outbox
  await restarted.put(message(50), { session: session(2), sequence: 0, createdAt: 0 })
  const again = (await openOutbox(directory)).outbox
  expect([again.entries.length, again.droppedCount]).toEqual([1, 4])
})
