import type { Command, CommandOption } from './command.ts'
import { exitCodeMeanings } from './exit-codes.ts'
import { allOptions } from './parse.ts'
import type { Program } from './program.ts'

/** Help is read in terminals, logs and web pages alike, so its width is fixed. */
const WIDTH = 80
const WIDEST_TERM = 28

/** Breaks text at spaces into lines of at most `width` characters. Longer words stay whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** Terms with their explanations beside them. */
function definitions(entries: readonly (readonly [term: string, explanation: string])[]): string[] {
  const width = Math.min(WIDEST_TERM, Math.max(0, ...entries.map(([term]) => term.length)))
  const indent = ' '.repeat(width + 4)
  return entries.flatMap(([term, explanation]) => {
    const lines = wrap(explanation, WIDTH - indent.length).map((line) => indent + line)
    if (term.length > width) return [`  ${term}`, ...lines]
    return [`  ${term.padEnd(width)}  ${(lines[0] ?? '').trimStart()}`, ...lines.slice(1)]
  })
}

function exitCodeLines(): string[] {
  const meanings = exitCodeMeanings.map(([code, meaning]) => `${code} ${meaning}`)
  return wrap(`exit codes: ${meanings.join(', ')}`, WIDTH)
}

/** The list of commands; of those below `group` only, when one is given. */
export function overview(program: Program, commands: readonly Command[] = program.commands, group?: string): string {
  const name = group === undefined ? program.name : `${program.name} ${group}`
  return [
    ...(group === undefined ? [...wrap(`${program.name}: ${program.summary}`, WIDTH), ''] : []),
    `usage: ${name} COMMAND [OPTIONS]`,
    '',
    'commands:',
    ...definitions(commands.map((command) => [command.name, command.summary])),
    '',
    `${program.name} COMMAND --help tells more about one command.`,
    ...exitCodeLines(),
    '',
  ].join('\n')
}

export function optionTerm(name: string, option: CommandOption): string {
  const flag = name === 'help' ? '-h, --help' : `--${name}`
  return option.value === undefined ? flag : `${flag} ${option.placeholder ?? 'VALUE'}`
}

export function optionExplanation(option: CommandOption): string {
  const notes = [option.required === true ? 'required' : '', option.multiple === true ? 'may be repeated' : '']
  const told = notes.filter((note) => note !== '').join(', ')
  return told === '' ? option.description : `${option.description} (${told})`
}

/** What follows the name of a command: `--product PRODUCT [OPTIONS] UEID`. */
export function usageOf(command: Command): string {
  const words = Object.entries(command.arguments).map(([name, { optional, multiple }]) => {
    const word = `${name.toUpperCase()}${multiple === true ? '...' : ''}`
    return optional === true ? `[${word}]` : word
  })
  const required = Object.entries(command.options)
    .filter(([, option]) => option.required === true)
    .map(([name, option]) => optionTerm(name, option))
  return [...required, '[OPTIONS]', ...words].join(' ')
}

/** The help of one command. */
export function commandHelp(program: Program, command: Command): string {
  const positional = Object.entries(command.arguments)
  const usage = `usage: ${program.name} ${command.name} ${usageOf(command)}`
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', title, ...lines]
  return [
    ...wrap(`${program.name} ${command.name}: ${command.summary}`, WIDTH),
    ...command.description.flatMap((paragraph) => ['', ...wrap(paragraph, WIDTH)]),
    '',
    ...wrap(usage, WIDTH - 4).map((line, index) => (index === 0 ? line : `    ${line}`)),
    ...section(
      'arguments:',
      definitions(positional.map(([name, { description }]) => [name.toUpperCase(), description])),
    ),
    ...section(
      'options:',
      definitions(
        Object.entries(allOptions(command)).map(([name, option]) => [
          optionTerm(name, option),
          optionExplanation(option),
        ]),
      ),
    ),
    ...section(
      'examples:',
      command.examples.map((example) => `  ${example}`),
    ),
    '',
    ...exitCodeLines(),
    '',
  ].join('\n')
}
