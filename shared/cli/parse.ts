import { KeepsealError } from '../errors.ts'
import * as v from 'valibot'
import type { ValueType } from '../config/value-types.ts'
import { camelCase } from '../text/case.ts'
import { didYouMean, nearest } from '../text/suggest.ts'
import type { Command, CommandOption, CommandOptions, ParsedCommandLine } from './command.ts'

/** A part of a command line, as `parseArgs` of node:util tells them with `tokens: true`. */
export type ArgumentToken =
  | {
      readonly kind: 'option'
      readonly name: string
      readonly rawName: string
      readonly value: string | undefined
      readonly inlineValue: boolean | undefined
    }
  | { readonly kind: 'positional'; readonly value: string }
  | { readonly kind: 'option-terminator' }

/** `parseArgs` of node:util, handed in because shared code does not import Node's modules. */
export type ParseArguments = (config: {
  args: string[]
  options: Record<string, { type: 'string' | 'boolean'; short?: string }>
  strict: false
  allowPositionals: true
  tokens: true
}) => { readonly tokens: readonly ArgumentToken[] }

/** Options of every command, and of every reader. */
export function allOptions(command: Command): CommandOptions {
  return {
    ...command.options,
    ...(command.json ? { json: { description: 'Print JSON for scripts.' } } : {}),
    help: { description: 'Show this help.' },
  }
}

/** Reads what follows the command's name. Throws usage.invalid with what to write instead. */
export function parseCommandLine(
  program: string,
  command: Command,
  args: readonly string[],
  parseArguments: ParseArguments,
): ParsedCommandLine {
  const refuse = (message: string): KeepsealError =>
    new KeepsealError('usage.invalid', message, { remedy: `${program} ${command.name} --help` })
  const options = allOptions(command)
  const { tokens } = parseArguments({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(options).map(([name, option]) => [name, { type: isSwitch(option) ? 'boolean' : 'string' }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })

  const given = new Map<string, unknown[]>()
  const words: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined
    if (option === undefined) {
      const known = Object.keys(options).map((name) => `--${name}`)
      throw refuse(`there is no option ${token.rawName}${didYouMean(nearest(token.rawName, known))}`)
    }
    const earlier = given.get(token.name) ?? []
    if (earlier.length > 0 && option.multiple !== true) throw refuse(`${token.rawName} is given twice`)
    given.set(token.name, [...earlier, readValue(option, token, refuse)])
  }

  return {
    options: collectOptions(options, given, refuse),
    arguments: collectArguments(command, words, refuse),
  }
}

function isSwitch(option: CommandOption): boolean {
  return option.value === undefined
}

type Refuse = (message: string) => KeepsealError

function readValue(option: CommandOption, token: Extract<ArgumentToken, { kind: 'option' }>, refuse: Refuse): unknown {
  if (option.value === undefined) {
    if (token.value !== undefined) throw refuse(`${token.rawName} takes no value`)
    return true
  }
  // `--token-file --json` is a forgotten value; a value that does begin with a dash is written with an equals sign.
  const forgotten = token.value === undefined || (token.inlineValue !== true && /^-./.test(token.value))
  if (forgotten) throw refuse(`${token.rawName} needs a value`)
  return checkedValue(option.value, token.value ?? '', token.rawName, refuse)
}

function checkedValue(type: ValueType<unknown>, text: string, name: string, refuse: Refuse): unknown {
  const value = type.fromText(text)
  if (!v.is(type.schema, value)) throw refuse(`${name} must be ${type.requirement}`)
  return value
}

function collectOptions(
  options: CommandOptions,
  given: ReadonlyMap<string, readonly unknown[]>,
  refuse: Refuse,
): Record<string, unknown> {
  const entries = Object.entries(options).map(([name, option]) => {
    const values = given.get(name) ?? []
    if (option.required === true && values.length === 0) throw refuse(`--${name} is missing`)
    const single = isSwitch(option) ? values.length > 0 : values[0]
    return [camelCase(name, '-'), option.multiple === true ? values : single] as const
  })
  return Object.fromEntries(entries)
}

function collectArguments(command: Command, words: readonly string[], refuse: Refuse): Record<string, unknown> {
  const left = [...words]
  const entries = Object.entries(command.arguments).map(([name, { value: type, multiple, optional }]) => {
    const given = left.splice(0, multiple === true ? left.length : 1)
    if (given.every((word) => word === '') && optional !== true) throw refuse(`${name.toUpperCase()} is missing`)
    const values = given.map((word) =>
      type === undefined ? word : checkedValue(type, word, name.toUpperCase(), refuse),
    )
    return [camelCase(name, '-'), multiple === true ? values : values[0]] as const
  })
  if (left[0] !== undefined) throw refuse(`"${left[0]}" is too much`)
  return Object.fromEntries(entries)
}
