import { KeepsealError } from '../errors.ts'
import { didYouMean, nearest } from '../text/suggest.ts'
import type { Command } from './command.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { fail } from './fail.ts'
import { commandHelp, overview } from './help.ts'
import { createOutput } from './output.ts'
import { parseCommandLine, type ParseArguments } from './parse.ts'
import type { Terminal } from './terminal.ts'

/** A program is its name and its table of commands. */
export interface Program {
  readonly name: string
  /** What it does, in one line. */
  readonly summary: string
  readonly version: string
  readonly commands: readonly Command[]
}

/**
 * Runs the command that `argv` (without interpreter and script) names, and answers with the exit code. Never throws:
 * whatever a command throws is told on the terminal together with what to do next.
 */
export async function runProgram(
  program: Program,
  argv: readonly string[],
  terminal: Terminal,
  parseArguments: ParseArguments,
): Promise<ExitCode> {
  const words = beforeTerminator(argv)
  const json = words.includes('--json')
  try {
    return await dispatch(program, argv, terminal, parseArguments, json)
  } catch (error) {
    return fail(terminal, error, json)
  }
}

/** What follows `--` is never an option. */
function beforeTerminator(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--')
  return end < 0 ? argv : argv.slice(0, end)
}

function asksForHelp(args: readonly string[]): boolean {
  return beforeTerminator(args).some((word) => word === '--help' || word === '-h')
}

async function dispatch(
  program: Program,
  argv: readonly string[],
  terminal: Terminal,
  parseArguments: ParseArguments,
  json: boolean,
): Promise<ExitCode> {
  const first = argv[0]
  if (first === undefined) {
    terminal.error(overview(program))
    return exitCodes.usage
  }
  if (first === '--version' || first === 'version') return showVersion(program, terminal, json)
  const wantsHelp = first === 'help' || asksForHelp(argv)
  const path = first === 'help' ? argv.slice(1) : argv
  const found = findCommand(program, path)
  if (found !== undefined) {
    if (wantsHelp) {
      terminal.write(commandHelp(program, found.command))
      return exitCodes.good
    }
    const parsed = parseCommandLine(program.name, found.command, found.args, parseArguments)
    return found.command.execute(parsed, createOutput(terminal, json))
  }
  return withoutCommand(program, path, wantsHelp, terminal)
}

function showVersion(program: Program, terminal: Terminal, json: boolean): ExitCode {
  const { name, version } = program
  createOutput(terminal, json).present({ name, version }, () => `${name} ${version}`)
  return exitCodes.good
}

interface FoundCommand {
  readonly command: Command
  /** What follows its name. */
  readonly args: readonly string[]
}

/** The command with the longest name that the words begin with. */
function findCommand(program: Program, words: readonly string[]): FoundCommand | undefined {
  let best: FoundCommand | undefined
  let bestLength = 0
  for (const command of program.commands) {
    const name = command.name.split(' ')
    if (name.length <= bestLength || name.some((word, index) => word !== words[index])) continue
    best = { command, args: words.slice(name.length) }
    bestLength = name.length
  }
  return best
}

/** Help of the program or of a group of commands, or the nearest command to one that does not exist. */
function withoutCommand(program: Program, words: readonly string[], wantsHelp: boolean, terminal: Terminal): ExitCode {
  const firstOption = words.findIndex((word) => word.startsWith('-'))
  const names = firstOption < 0 ? words : words.slice(0, firstOption)
  const [group, verb] = names
  const refuse = (message: string, help: string): KeepsealError =>
    new KeepsealError('usage.invalid', message, { remedy: help })

  if (group === undefined) {
    if (!wantsHelp) throw refuse(`${words[0] ?? ''} must follow a command`, `${program.name} --help`)
    terminal.write(overview(program))
    return exitCodes.good
  }
  const members = program.commands.filter(({ name }) => name.startsWith(`${group} `))
  if (members.length > 0 && verb === undefined) {
    const text = overview(program, members, group)
    if (wantsHelp) terminal.write(text)
    else terminal.error(text)
    return wantsHelp ? exitCodes.good : exitCodes.usage
  }
  const wanted = members.length > 0 ? `${group} ${verb ?? ''}` : group
  throw refuse(
    `there is no command "${wanted}"${didYouMean(suggestCommand(program, names, members))}`,
    members.length > 0 ? `${program.name} ${group} --help` : `${program.name} --help`,
  )
}

function suggestCommand(program: Program, words: readonly string[], members: readonly Command[]): string | undefined {
  const known = members.length > 0 ? members : program.commands
  const names = known.map(({ name }) => name)
  const both = nearest(words.slice(0, 2).join(' '), names)
  const groups = new Set(names.map((name) => name.split(' ')[0] ?? name))
  return both ?? (members.length > 0 ? undefined : nearest(words[0] ?? '', groups))
}
