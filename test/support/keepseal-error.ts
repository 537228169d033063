import { KeepsealError } from '../../shared/errors.ts'

/** Waits for `promise` to be refused, and returns what with. Fails when it is not, or with anything else. */
export async function refusalOf(promise: Promise<unknown>): Promise<KeepsealError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof KeepsealError) return error
    throw error
  }
  throw new Error('was not refused')
}

/** Code of the error that `action` throws. */
export function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof KeepsealError) return error.code
    throw error
  }
  throw new Error('was not refused')
}
