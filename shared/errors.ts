import { errors, type ErrorCode } from './codes/errors.ts'
import { outcomes, type OutcomeCode } from './codes/outcomes.ts'

/**
 * The device's message is at fault. It ends the appraisal of that message with a recorded outcome and is never
 * retried: the same bytes would end the same way.
 */
export class OutcomeError extends Error {
  readonly code: OutcomeCode

  constructor(code: OutcomeCode, detail?: string) {
    super(detail === undefined ? outcomes[code].title : `${outcomes[code].title}: ${detail}`)
    this.name = 'OutcomeError'
    this.code = code
  }

  get remedy(): string {
    return outcomes[this.code].remedy
  }
}

/** The operator, an API client or this software is at fault. Says nothing about any device. */
export class KeepsealError extends Error {
  readonly code: ErrorCode
  /** What the message says beside the title of the code. */
  readonly detail: string | undefined
  readonly remedy: string

  constructor(code: ErrorCode, detail?: string, options?: { cause?: unknown; remedy?: string }) {
    super(
      detail === undefined ? errors[code].title : `${errors[code].title}: ${detail}`,
      options?.cause === undefined ? undefined : { cause: options.cause },
    )
    this.name = 'KeepsealError'
    this.code = code
    this.detail = detail
    this.remedy = options?.remedy ?? errors[code].remedy
  }
}

/** Runs `action`; an OutcomeError is its result, anything else a fault of this software. */
export function outcomeOf<T>(action: () => T): T | OutcomeError {
  try {
    return action()
  } catch (error) {
    if (error instanceof OutcomeError) return error
    throw error
  }
}
