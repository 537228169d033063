#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { runProgram } from '../shared/cli/program.ts'
import { processTerminal } from '../shared/cli/terminal.ts'
import { agent } from './cli/program.ts'

process.exitCode = await runProgram(agent, process.argv.slice(2), processTerminal(process), parseArgs)
