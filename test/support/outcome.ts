import { expect } from 'vitest'
import type { OutcomeCode } from '../../shared/codes/outcomes.ts'
import { OutcomeError } from '../../shared/errors.ts'

/** Runs `body` and returns the outcome code that it ended with, or `undefined` if it succeeded. */
export function outcomeOf(body: () => unknown): OutcomeCode | undefined {
  try {
    body()
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(OutcomeError)
    return (error as OutcomeError).code
  }
}
