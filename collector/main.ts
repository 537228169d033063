#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { runProgram } from '../shared/cli/program.ts'
import { processTerminal } from '../shared/cli/terminal.ts'
import { server } from './cli/server/program.ts'

process.exitCode = await runProgram(server, process.argv.slice(2), processTerminal(process), parseArgs)
