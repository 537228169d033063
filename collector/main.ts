#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { runProgram } from '../shared/cli/program.ts'
import { processTerminal } from '../shared/cli/terminal.ts'
import { version } from '../shared/version.ts'
import { accountCommands } from './cli/server/account.ts'
import { apiTokenCreateCommand } from './cli/server/api-token.ts'
import { brokerCertificateCommand } from './cli/server/broker-certificate.ts'
import { checkConfigCommand } from './cli/server/check-config.ts'
import { backupCommand, migrateCommand, restoreCommand } from './cli/server/database.ts'
import { serveCommand } from './cli/server/serve.ts'

const program = {
  name: 'keepseal-collector',
  summary: 'Verifies what gateways attest, and keeps watch over what was certified',
  version,
  commands: [
    serveCommand,
    checkConfigCommand,
    migrateCommand,
    backupCommand,
    restoreCommand,
    apiTokenCreateCommand,
    ...accountCommands,
    brokerCertificateCommand,
  ],
}

process.exitCode = await runProgram(program, process.argv.slice(2), processTerminal(process), parseArgs)
