import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { PeriodicWork } from '../../collector/periodic-work.ts'

class Counting extends PeriodicWork {
  looks = 0
  readonly logged: unknown[]
  readonly #action: (look: number) => Promise<void>

  constructor(everyMs: number, action: (look: number) => Promise<void>, firstMs = 0) {
    const logged: unknown[] = []
    super({ everyMs, firstMs, logger: { error: (entry: unknown) => logged.push(entry) }, failure: 'it failed' })
    this.logged = logged
    this.#action = action
  }

  async look(): Promise<void> {
    await this.#action(++this.looks)
  }

  soon(): void {
    this.hurry()
  }

  get isOver(): boolean {
    return this.isStopped
  }
}

it('goes on after what failed, and says so', async () => {
  const work = new Counting(1, async (look) => {
    if (look === 1) throw new Error('away')
  })
  work.start()
  await vi.waitFor(() => expect(work.looks).toBeGreaterThan(2))
  await work.stop()
  expect(work.logged).toHaveLength(1)
})

it('ends when the work under way has ended, and knows meanwhile that it shall', async () => {
  let hasEnded = false
  const work: Counting = new Counting(1, async () => {
    while (!work.isOver) await sleep(1)
    hasEnded = true
  })
  work.start()
  await vi.waitFor(() => expect(work.looks).toBe(1))
  await work.stop()
  expect([hasEnded, work.looks]).toEqual([true, 1])
})

it('waits neither for its next time nor for its first to end', async () => {
  const later = new Counting(3_600_000, async () => undefined)
  later.start()
  await vi.waitFor(() => expect(later.looks).toBe(1))
  await later.stop()
  const never = new Counting(1, async () => undefined, 3_600_000)
  never.start()
  await never.stop()
  expect([later.looks, never.looks]).toEqual([1, 0])
})

it('does in a hurry what came while it waited, and what came while it worked', async () => {
  const work: Counting = new Counting(3_600_000, async (look) => {
    if (look === 2) work.soon()
  })
  work.start()
  await vi.waitFor(() => expect(work.looks).toBe(1))
  work.soon()
  work.soon()
  await vi.waitFor(() => expect(work.looks).toBe(3))
  await sleep(300)
  expect(work.looks).toBe(3)
  work.soon()
  await work.stop()
  expect(work.looks).toBe(3)
})
