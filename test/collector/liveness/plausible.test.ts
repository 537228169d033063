import { expect, test } from 'vitest'
import { EARLIEST_MS, untilPlausible, type PlausibilityOptions } from '../../../collector/liveness/plausible.ts'

const NOW = Date.UTC(2026, 10, 1)

function waiting(wall: () => number, over: Partial<PlausibilityOptions> = {}) {
  const errors: unknown[] = []
  const seen: boolean[] = []
  const logger = { error: (about: object) => errors.push(about), warn: () => undefined }
  const done = untilPlausible(
    {
      wall,
      newest: () => Promise.resolve(NOW),
      isRight: false,
      logger: logger as never,
      lookMs: 1,
      ...over,
    },
    (found) => seen.push(found !== undefined),
  )
  return { done, errors, seen }
}

test.each([
  ['1970', 0],
  ['before this program', EARLIEST_MS - 1],
  ['before the newest row of the database', NOW - 61_000],
])('a clock of %s is waited for, with one error that says what to do', async (_title, time) => {
  let looks = 0
  const { done, errors, seen } = waiting(() => (++looks > 20 ? NOW : time))
  await done
  expect(errors).toEqual([expect.objectContaining({ remedy: expect.stringContaining('--clock-is-right') })])
  expect([seen[0], seen.at(-1)]).toEqual([true, false])
})

test.each([
  ['the newest row', NOW],
  ['less than a minute before it, as after a correction', NOW - 59_000],
  ['years later, as after a long time off', NOW + 1e11],
])('a clock of %s is taken at once', async (_title, time) => {
  const { done, errors } = waiting(() => time)
  await done
  expect(errors).toEqual([])
})

test('whoever says that the clock is right starts before the newest row, and never before this program', async () => {
  await waiting(() => NOW - 1e9, { isRight: true }).done
  const abort = new AbortController()
  const { done } = waiting(() => 0, { isRight: true, signal: abort.signal })
  setTimeout(() => abort.abort(), 20)
  await expect(done).rejects.toThrow('abort')
})
