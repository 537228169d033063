import { parseArgs } from 'node:util'
import { runProgram } from '../../shared/cli/program.ts'
import { processTerminal } from '../../shared/cli/terminal.ts'
import { version } from '../../shared/version.ts'
import { runCommand, scenariosCommand } from './commands.ts'

const program = {
  name: 'simulate',
  summary: 'Simulates a fleet of gateways for a collector',
  version,
  commands: [runCommand, scenariosCommand],
}

/** The program, with the words that follow `npm run simulate --`. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await runProgram(program, argv, processTerminal(process), parseArgs)
}
