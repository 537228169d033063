import { expect } from 'vitest'
import type { ErrorCode } from '../../shared/codes/errors.ts'
import { KeepsealError } from '../../shared/errors.ts'

/** Runs `body` and returns the KeepsealError that it ended with, or undefined if it succeeded. */
export async function failureOf(body: () => unknown): Promise<KeepsealError | undefined> {
  try {
    await body()
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(KeepsealError)
    return error as KeepsealError
  }
}

export async function errorCodeOf(body: () => unknown): Promise<ErrorCode | undefined> {
  return (await failureOf(body))?.code
}
