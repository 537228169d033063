import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Courier } from '../../../agent/attest/courier.ts'
import { ContentStore } from '../../../agent/outbox/contents.ts'
import { random } from '../../../shared/crypto/node.ts'
import { makeUeid } from '../../../shared/evidence/identifiers.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { openOutbox, session } from '../outbox/support.ts'

const scratch = useScratchDirectories('courier')
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

it('goes on after a report that the broker did not take, although the connection holds', async () => {
  const directory = scratch()
  const { outbox } = await openOutbox(directory)
  for (const sequence of [0, 1]) {
    await outbox.put(Uint8Array.of(sequence), { session: session(1), sequence, createdAt: 0 })
  }
  const report = (): void => undefined
  const log = { debug: report, info: report, warn: report, error: report }
  const courier = new Courier({
    ueid: makeUeid(random(16)),
    signer: ed25519Signer(random(32)).signer,
    outbox,
    contents: await ContentStore.open({ directory: join(directory, 'contents'), maxBytes: 1e6, report }),
    rules: { resendSeconds: 1000, backlogPerSecond: 2 },
    log,
    monotonic: () => 0,
    contentsOf: () => [],
  })
  const tried: number[] = []
  courier.connected({
    publish: async (_, [sequence = -1]) => {
      tried.push(sequence)
      if (sequence === 1) throw new Error('the broker has not answered')
    },
  })
  await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1), { timeout: 20_000 })
  expect(tried).toEqual([1])
  vi.advanceTimersByTime(5_000)
  await vi.waitFor(() => expect(tried).toEqual([1, 0]), { timeout: 20_000 })
  courier.disconnected()
})
