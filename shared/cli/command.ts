import type { ValueType } from '../config/value-types.ts'
import type { CamelCase } from '../text/case.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Output } from './output.ts'

/** A `--name` of a command: with a `value` type it takes a value, without one it is a switch. */
export interface CommandOption {
  readonly description: string
  readonly value?: ValueType<unknown>
  /** What stands for the value in help; `VALUE` without one. After `FILE` and `DIR` shells complete paths. */
  readonly placeholder?: string
  readonly required?: boolean
  /** May be given more than once. */
  readonly multiple?: boolean
}

/** A word of a command line that belongs to no option. After `file` and `directory` shells complete paths. */
export interface CommandArgument {
  readonly description: string
  /** What it may be; any text without. */
  readonly value?: ValueType<unknown>
  readonly optional?: boolean
  /** Takes all words that are left; only the last argument can. */
  readonly multiple?: boolean
}

export type CommandOptions = Readonly<Record<string, CommandOption>>
export type CommandArguments = Readonly<Record<string, CommandArgument>>

type OptionValue<O extends CommandOption> = O extends { readonly value: ValueType<infer T> }
  ? O extends { readonly multiple: true }
    ? readonly T[]
    : O extends { readonly required: true }
      ? T
      : T | undefined
  : boolean

type WordValue<A extends CommandArgument> = A extends { readonly value: ValueType<infer T> } ? T : string

type ArgumentValue<A extends CommandArgument> = A extends { readonly multiple: true }
  ? readonly WordValue<A>[]
  : A extends { readonly optional: true }
    ? WordValue<A> | undefined
    : WordValue<A>

export interface CommandContext<O extends CommandOptions, A extends CommandArguments> extends Output {
  /** `--token-file` is `options.tokenFile`. */
  readonly options: { readonly [Name in keyof O & string as CamelCase<Name, '-'>]: OptionValue<O[Name]> }
  readonly arguments: { readonly [Name in keyof A & string as CamelCase<Name, '-'>]: ArgumentValue<A[Name]> }
}

export interface CommandDefinition<O extends CommandOptions, A extends CommandArguments> {
  /** One word, or a noun and a verb: `token create`. */
  readonly name: string
  /** One line for the overview. */
  readonly summary: string
  /** Paragraphs for the command's own help. */
  readonly description?: readonly string[]
  readonly examples?: readonly string[]
  readonly options?: O
  /** In the order in which they stand on the command line. */
  readonly arguments?: A
  /** Readers have `--json`, which makes `present` print JSON. */
  readonly json?: boolean
  readonly run: (context: CommandContext<O, A>) => ExitCode | Promise<ExitCode>
}

/** What the command line says, checked against the command's options and arguments; names in camelCase. */
export interface ParsedCommandLine {
  readonly options: Readonly<Record<string, unknown>>
  readonly arguments: Readonly<Record<string, unknown>>
}

export interface Command {
  readonly name: string
  readonly summary: string
  readonly description: readonly string[]
  readonly examples: readonly string[]
  readonly options: CommandOptions
  readonly arguments: CommandArguments
  readonly json: boolean
  readonly execute: (parsed: ParsedCommandLine, output: Output) => Promise<ExitCode>
}

/** A table of commands is a list of these. */
export function defineCommand<
  const O extends CommandOptions = Record<never, never>,
  const A extends CommandArguments = Record<never, never>,
>(definition: CommandDefinition<O, A>): Command {
  const { name, summary, description = [], examples = [], json = false } = definition
  return {
    name,
    summary,
    description,
    examples,
    json,
    options: definition.options ?? {},
    arguments: definition.arguments ?? {},
    execute: async (parsed, output) => {
      // The parser worked from the very tables that these types are made from.
      const context = { ...output, ...parsed } as CommandContext<O, A>
      return definition.run(context)
    },
  }
}
