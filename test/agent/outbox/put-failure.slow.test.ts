import { expect, test, vi } from 'vitest'
import type * as files from '../../../agent/state/files.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { openOutbox, session } from './support.ts'

const disk = vi.hoisted(() => ({ failing: false }))

/** A disk that takes a file and then cannot make its directory durable: no portable way brings a real one to that. */
vi.mock('../../../agent/state/files.ts', async (original) => {
  const actual = await original<typeof files>()
  return {
    ...actual,
    writeDurably: async (path: string, content: Uint8Array): Promise<void> => {
      await actual.writeDurably(path, content)
      if (disk.failing) throw new KeepsealError('state.disk-full', path)
    },
  }
})

const scratch = useScratchDirectories('outbox')

test('a report that could not be put leaves no second content for its place behind', async () => {
  const directory = scratch()
  const { outbox } = await openOutbox(directory)
  const place = { session: session(1), sequence: 0, createdAt: 0 }
  disk.failing = true
  await expect(outbox.put(Uint8Array.of(1), place)).rejects.toMatchObject({ code: 'state.disk-full' })
  disk.failing = false
  const entry = await outbox.put(Uint8Array.of(2), place)
  expect((await openOutbox(directory)).outbox.entries).toEqual([entry])
})
