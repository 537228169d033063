#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { runProgram } from '../shared/cli/program.ts'
import { processTerminal } from '../shared/cli/terminal.ts'
import { version } from '../shared/version.ts'
import { bugreportCommand } from './cli/bugreport-command.ts'
import { configCheckCommand, configShowCommand } from './cli/config-command.ts'
import { doctorCommand } from './cli/doctor-command.ts'
import { enrollCommand } from './cli/enroll-command.ts'
import { onceCommand } from './cli/once-command.ts'
import { runCommand } from './cli/run-command.ts'
import { statusCommand } from './cli/status-command.ts'

const program = {
  name: 'keepseal-agent',
  summary: 'Measures this gateway and attests it to a Keepseal collector',
  version,
  commands: [
    runCommand,
    onceCommand,
    enrollCommand,
    statusCommand,
    doctorCommand,
    bugreportCommand,
    configShowCommand,
    configCheckCommand,
  ],
}

process.exitCode = await runProgram(program, process.argv.slice(2), processTerminal(process), parseArgs)
