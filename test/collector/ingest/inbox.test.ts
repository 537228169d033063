import { describe, expect, it } from 'vitest'
import { Inbox } from '../../../collector/ingest/inbox.ts'

const message = (index: number) => ({ topic: `t/${index}`, bytes: new Uint8Array(0), receivedAt: index })
const settled = async (promise: Promise<unknown>): Promise<'settled' | 'waiting'> => {
  const soon = new Promise<'waiting'>((resolve) => setImmediate(() => resolve('waiting')))
  return Promise.race([promise.then(() => 'settled' as const), soon])
}

describe('the queue before the database', () => {
  it('gives what was put, in order, in bounded batches', async () => {
    const inbox = new Inbox(10)
    for (let index = 0; index < 5; index++) await inbox.put(message(index))
    expect((await inbox.take(3)).map(({ receivedAt }) => receivedAt)).toEqual([0, 1, 2])
    expect((await inbox.take(3)).map(({ receivedAt }) => receivedAt)).toEqual([3, 4])
    expect(inbox.takeNow(3)).toEqual([])
  })

  it('holds the broker back while it is full, and loses and reorders nothing', async () => {
    const inbox = new Inbox(2)
    const puts = Array.from({ length: 7 }, (_, index) => inbox.put(message(index)))
    expect(await settled(Promise.all(puts))).toBe('waiting')
    expect(inbox.size).toBe(2)
    const taken: number[] = []
    while (taken.length < 7) {
      taken.push(...(await inbox.take(1)).map(({ receivedAt }) => receivedAt))
      expect(inbox.size).toBeLessThanOrEqual(2)
    }
    expect(taken).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(await settled(Promise.all(puts))).toBe('settled')
  })

  it('waits for a message while it is empty', async () => {
    const inbox = new Inbox(2)
    const batch = inbox.take(5)
    expect(await settled(batch)).toBe('waiting')
    await inbox.put(message(1))
    expect(await batch).toHaveLength(1)
  })

  it('gives the rest after it was closed, and takes nothing more', async () => {
    const inbox = new Inbox(1)
    await inbox.put(message(0))
    const waiting = inbox.put(message(1))
    inbox.close()
    await expect(waiting).rejects.toThrow()
    await expect(inbox.put(message(2))).rejects.toThrow()
    expect(await inbox.take(5)).toHaveLength(1)
    expect(await inbox.take(5)).toEqual([])
  })

  it('lets go of who waits for a message when it is closed', async () => {
    const inbox = new Inbox(1)
    const batch = inbox.take(5)
    inbox.close()
    expect(await batch).toEqual([])
  })
})
