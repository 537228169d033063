import { exitCodes, type ExitCode } from '../../../../shared/cli/exit-codes.ts'
import type { Output } from '../../../../shared/cli/output.ts'
import { OutcomeError } from '../../../../shared/errors.ts'
import { printable } from '../../../../shared/text/printable.ts'

/**
 * Runs `explain`. Of a file that cannot be read one line says where and why: the remedies of outcomes are for devices
 * that send such a thing, and there is no next command for a file. As JSON it is told like every error.
 */
export function orUnreadable({ terminal, json }: Pick<Output, 'terminal' | 'json'>, explain: () => void): ExitCode {
  try {
    explain()
    return exitCodes.good
  } catch (error) {
    if (json || !(error instanceof OutcomeError)) throw error
    terminal.error(`error: ${printable(error.message)} (${error.code})\n`)
    return exitCodes.finding
  }
}
