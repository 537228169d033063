import { errors } from '../codes/errors.ts'
import { ConfigurationError } from '../config/problems.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'
import { printable, printableJson } from '../text/printable.ts'
import { exitCodeOfError, type ExitCode } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

export interface ErrorReport {
  readonly code: string
  readonly message: string
  readonly remedy: string
  /** One line for each part of an error that has several. */
  readonly details: readonly string[]
}

/** What people and scripts are told of anything that was thrown. */
export function reportOf(error: unknown): ErrorReport {
  if (error instanceof KeepsealError || error instanceof OutcomeError) {
    const details = error instanceof ConfigurationError ? error.details : []
    return { code: error.code, message: error.message, remedy: error.remedy, details }
  }
  const { title, remedy } = errors['internal.failure']
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return { code: 'internal.failure', message: `${title}: ${message}`, remedy, details: [] }
}

/**
 * Tells of an error on standard error, last what to do next, and answers with the exit code to leave with.
 * As JSON it is `{"error": {code, message, remedy}}`, with `details` where there are several things to tell.
 */
export function fail(terminal: Terminal, error: unknown, json: boolean): ExitCode {
  const { details, ...report } = reportOf(error)
  if (json) {
    const content = details.length === 0 ? report : { ...report, details }
    terminal.error(`${printableJson({ error: content })}\n`)
  } else {
    const lines = [`error: ${printable(report.message)}`, ...details.map((detail) => `  ${printable(detail)}`)]
    terminal.error(`${lines.join('\n')}\n  next: ${printable(report.remedy)}\n`)
  }
  return exitCodeOfError(error)
}
