import { camelCase, type CamelCase } from '../text/case.ts'
import type { ValueType } from './value-types.ts'

/** One option, described once: its type, default, meaning; file key, environment name and code name follow from it. */
export interface Option<T> {
  readonly type: ValueType<T>
  readonly default: T
  readonly description: string
  /** The value is the path of a file whose content is secret. Secrets themselves are never configuration values. */
  readonly secretFile: boolean
}

/** Section name -> key -> option, in snake_case as the TOML file has them. */
export type Sections = Readonly<Record<string, Readonly<Record<string, Option<unknown>>>>>

/** The configuration as code sees it: `[state] outbox_max_bytes` is `values.state.outboxMaxBytes`. */
export type ConfigValues<S extends Sections> = {
  readonly [Section in keyof S & string as CamelCase<Section, '_'>]: {
    readonly [Key in keyof S[Section] & string as CamelCase<Key, '_'>]: S[Section][Key] extends Option<infer T>
      ? T
      : never
  }
}

/** `section.key`, the name of an option in messages, in `--set` and in `config show`. */
export type OptionName<S extends Sections> = {
  [Section in keyof S & string]: `${Section}.${keyof S[Section] & string}`
}[keyof S & string]

/** What must hold between options whose values are each acceptable by themselves. */
export interface ConfigRule<S extends Sections> {
  /** The options that it looks at; a breach is reported at the first of them. */
  readonly names: readonly [OptionName<S>, ...OptionName<S>[]]
  /** Completes the sentence "must ...". */
  readonly requirement: string
  readonly holds: (values: ConfigValues<S>) => boolean
}

/** One option by whose value others have another default: what somebody sets for himself still holds. */
export interface ConfigPreset<S extends Sections> {
  readonly name: OptionName<S>
  /** Value of that option -> the defaults that come with it. */
  readonly defaults: Readonly<Record<string, Readonly<Partial<Record<OptionName<S>, unknown>>>>>
}

export interface ConfigDefinition<S extends Sections> {
  /** The name of the program in file names and in the environment: `agent`, `collector`. */
  readonly program: string
  readonly sections: S
  readonly rules: readonly ConfigRule<S>[]
  readonly presets: readonly ConfigPreset<S>[]
}

/** Describes one option. */
export function option<T>(
  type: ValueType<T>,
  defaultValue: NoInfer<T>,
  description: string,
  extra: { secretFile?: boolean } = {},
): Option<T> {
  return { type, default: defaultValue, description, secretFile: extra.secretFile ?? false }
}

/** Describes the whole configuration of a program. */
export function defineConfig<const S extends Sections>(
  program: string,
  sections: S,
  rules: readonly ConfigRule<NoInfer<S>>[] = [],
  presets: readonly ConfigPreset<NoInfer<S>>[] = [],
): ConfigDefinition<S> {
  return Object.freeze({ program, sections, rules, presets })
}

export interface NamedOption {
  readonly section: string
  readonly key: string
  /** `section.key`. */
  readonly name: string
  readonly option: Option<unknown>
}

/** Every option in the order of the definition. */
export function listOptions<S extends Sections>(definition: ConfigDefinition<S>): NamedOption[] {
  return Object.entries(definition.sections).flatMap(([section, options]) =>
    Object.entries(options).map(([key, option]) => ({ section, key, name: `${section}.${key}`, option })),
  )
}

/** `KEEPSEAL_AGENT_`: every variable of the environment that begins so belongs to the program. */
export function environmentPrefix<S extends Sections>(definition: ConfigDefinition<S>): string {
  return `KEEPSEAL_${definition.program.toUpperCase()}_`
}

/** `KEEPSEAL_AGENT_SECTION__KEY`. */
export function environmentName<S extends Sections>(
  definition: ConfigDefinition<S>,
  { section, key }: Pick<NamedOption, 'section' | 'key'>,
): string {
  return `${environmentPrefix(definition)}${section.toUpperCase()}__${key.toUpperCase()}`
}

/** Builds the frozen object that code sees from the values by option name, which must hold every option. */
export function nestValues<S extends Sections>(
  definition: ConfigDefinition<S>,
  values: ReadonlyMap<string, unknown>,
): ConfigValues<S> {
  const sections = Object.entries(definition.sections).map(([section, options]) => {
    const keys = Object.keys(options).map((key) => [camelCase(key, '_'), values.get(`${section}.${key}`)] as const)
    return [camelCase(section, '_'), Object.freeze(Object.fromEntries(keys))] as const
  })
  // The entries were made from the very table that the type is made from; the compiler cannot follow Object.entries.
  return Object.freeze(Object.fromEntries(sections)) as ConfigValues<S>
}
