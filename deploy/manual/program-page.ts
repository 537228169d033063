import type { Command } from '../../shared/cli/command.ts'
import { exitCodeMeanings } from '../../shared/cli/exit-codes.ts'
import { optionExplanation, optionTerm, usageOf } from '../../shared/cli/help.ts'
import { allOptions } from '../../shared/cli/parse.ts'
import type { Program } from '../../shared/cli/program.ts'
import { bold, entry, example, literal, page, paragraphs, prose, section, subsection, type Page } from './roff.ts'

export interface PageContext {
  readonly date: string
  /** Pages to look at as well: `keepseal-agent.toml(5)`. */
  readonly also: readonly string[]
  readonly files?: readonly (readonly [path: string, meaning: string])[]
  readonly environment?: readonly (readonly [name: string, meaning: string])[]
}

const exitStatus = (): string[] =>
  section(
    'EXIT STATUS',
    exitCodeMeanings.flatMap(([code, meaning]) => entry(bold(String(code)), [meaning])),
  )

const seeAlso = (pages: readonly string[]): string[] =>
  section('SEE ALSO', pages.length === 0 ? [] : [pages.map((each) => bold(each)).join(', ')])

const named = (title: string, entries: readonly (readonly [string, string])[] = []): string[] =>
  section(
    title,
    entries.flatMap(([name, meaning]) => entry(bold(name), [meaning])),
  )

function commandLines(program: Program, command: Command): string[] {
  const words = Object.entries(command.arguments)
  return subsection(`${program.name} ${command.name}`, [
    `${bold(`${program.name} ${command.name}`)} ${literal(usageOf(command))}`,
    '.PP',
    prose(`${command.summary}.`),
    ...command.description.flatMap((text) => ['.PP', prose(text)]),
    ...words.flatMap(([name, { description }]) => entry(literal(name.toUpperCase()), [description])),
    ...Object.entries(allOptions(command)).flatMap(([name, option]) =>
      entry(bold(optionTerm(name, option)), [optionExplanation(option)]),
    ),
    ...(command.examples.length === 0 ? [] : ['.PP', 'Example:', ...example(command.examples)]),
  ])
}

/** One page with all commands of a program. */
export function wholePage(program: Program, context: PageContext): Page {
  const { name, summary, version } = program
  return page({ name, section: 1, summary, version, date: context.date }, [
    ...section('SYNOPSIS', [`${bold(program.name)} COMMAND [OPTIONS]`]),
    ...section(
      'COMMANDS',
      program.commands.flatMap((command) => commandLines(program, command)),
    ),
    ...named('FILES', context.files),
    ...named('ENVIRONMENT', context.environment),
    ...exitStatus(),
    ...seeAlso(context.also),
  ])
}

/** A page of a program with many commands, and one for each group of them: `man keepseal device`. */
export function pagesByGroup(program: Program, context: PageContext): Page[] {
  const groups = new Map<string, Command[]>()
  for (const command of program.commands) {
    const group = command.name.split(' ')[0] ?? command.name
    groups.set(group, [...(groups.get(group) ?? []), command])
  }
  const { name, version, summary } = program
  const head = { section: 1 as const, version, date: context.date }
  const nameOf = (group: string): string => `${name}-${group}`
  const main = page({ ...head, name, summary }, [
    ...section('SYNOPSIS', [`${bold(name)} COMMAND [OPTIONS]`]),
    ...section('DESCRIPTION', [
      ...paragraphs([
        `Each group of commands has a page of its own: "man ${name} device", or ${name}-device(1). Every command has --help, and those that read have --json.`,
      ]),
    ]),
    ...section(
      'COMMANDS',
      [...groups].flatMap(([group, commands]) => [
        ...subsection(`${nameOf(group)}(1)`, []),
        ...commands.flatMap((command) => entry(bold(`${name} ${command.name}`), [command.summary])),
      ]),
    ),
    ...named('FILES', context.files),
    ...named('ENVIRONMENT', context.environment),
    ...exitStatus(),
    ...seeAlso(context.also),
  ])
  const others = [...groups].map(([group, commands]) =>
    page({ ...head, name: nameOf(group), summary: `commands of ${name} about: ${group}` }, [
      ...section('SYNOPSIS', [
        commands.map((command) => `${bold(`${name} ${command.name}`)} ${literal(usageOf(command))}`).join('\n.br\n'),
      ]),
      ...section(
        'COMMANDS',
        commands.flatMap((command) => commandLines(program, command)),
      ),
      ...exitStatus(),
      ...seeAlso([`${name}(1)`]),
    ]),
  )
  return [main, ...others]
}
