import * as v from 'valibot'
import { didYouMean, nearest } from '../text/suggest.ts'
import {
  environmentName,
  listOptions,
  nestValues,
  type ConfigDefinition,
  type ConfigValues,
  type NamedOption,
  type Sections,
} from './definition.ts'
import { ConfigurationError, type ConfigProblem } from './problems.ts'
import type { Setting, Source } from './settings.ts'

export interface ResolvedConfig<S extends Sections> {
  readonly values: ConfigValues<S>
  /** Where the value of each option, by `section.key`, came from. */
  readonly origin: ReadonlyMap<string, Source>
}

/**
 * Puts the settings, given in ascending precedence, over the defaults: of two for one option the later wins.
 * Every setting is checked, also those that a later one overrides.
 * Throws ConfigurationError with all problems, those found earlier (unreadable files, broken syntax) first.
 */
export function resolveConfig<S extends Sections>(
  definition: ConfigDefinition<S>,
  settings: readonly Setting[],
  earlierProblems: readonly ConfigProblem[] = [],
): ResolvedConfig<S> {
  const options = new Map(listOptions(definition).map((named) => [named.name, named]))
  const values = new Map<string, unknown>()
  const origin = new Map<string, Source>()
  for (const { name, option } of options.values()) {
    values.set(name, frozen(option.default))
    origin.set(name, { kind: 'default' })
  }

  const problems = [...earlierProblems]
  const refused = new Set<string>()
  for (const setting of settings) {
    const named = setting.name.length === 2 ? options.get(setting.name.join('.')) : undefined
    if (named === undefined) {
      problems.push(unknownKey(definition, setting))
    } else if (!v.is(named.option.type.schema, setting.value)) {
      refused.add(named.name)
      problems.push(invalidValue(named.name, setting.source, `must be ${named.option.type.requirement}`))
    } else {
      values.set(named.name, frozen(setting.value))
      origin.set(named.name, setting.source)
    }
  }

  for (const { name: option, defaults } of definition.presets) {
    const value = String(values.get(option))
    for (const [name, preset] of Object.entries(defaults[value] ?? {})) {
      if (origin.get(name)?.kind !== 'default') continue
      values.set(name, frozen(preset))
      origin.set(name, { kind: 'preset', option, value })
    }
  }

  const nested = nestValues(definition, values)
  for (const rule of definition.rules) {
    // A rule says nothing about an option whose value was refused: the one in its place was not meant.
    if (rule.names.some((name) => refused.has(name)) || rule.holds(nested)) continue
    const [name] = rule.names
    problems.push(invalidValue(name, origin.get(name) ?? { kind: 'default' }, `must ${rule.requirement}`))
  }

  const [first, ...others] = problems
  if (first !== undefined) throw new ConfigurationError([first, ...others])
  return Object.freeze({ values: nested, origin })
}

function frozen(value: unknown): unknown {
  return Array.isArray(value) ? Object.freeze([...value]) : value
}

function place(source: Source): string {
  if (source.kind === 'file') return source.path
  if (source.kind === 'flag') return source.flag
  return source.kind
}

function invalidValue(name: string, source: Source, requirement: string): ConfigProblem {
  const written = source.kind === 'environment' ? source.variable : name
  return { code: 'config.invalid-value', place: place(source), name: written, message: `${written} ${requirement}` }
}

function unknownKey<S extends Sections>(definition: ConfigDefinition<S>, setting: Setting): ConfigProblem {
  const written = setting.name.join('.')
  const isSection = setting.name.length === 1 && Object.hasOwn(definition.sections, written)
  const message = isSection
    ? `${written} is a section: write [${written}] and its keys below`
    : `${written} is not a known key${didYouMean(suggestion(definition, setting))}`
  return { code: 'config.unknown-key', place: place(setting.source), name: written, message }
}

/** The nearest option, written in the way of the place where the unknown one stands. */
function suggestion<S extends Sections>(definition: ConfigDefinition<S>, setting: Setting): string | undefined {
  const options = listOptions(definition)
  const written = setting.name.join('.')
  if (setting.source.kind === 'environment') {
    return nearest(
      written,
      options.map((named) => environmentName(definition, named)),
    )
  }
  const names = options.map(({ name }) => name)
  return (
    nearest(written, names) ?? elsewhere(setting.name, options) ?? nearest(written, Object.keys(definition.sections))
  )
}

/** The right key in the wrong section, when only one section has it. */
function elsewhere(name: readonly string[], options: readonly NamedOption[]): string | undefined {
  const found = options.filter(({ key }) => key === name.at(-1))
  return found.length === 1 ? found[0]?.name : undefined
}
