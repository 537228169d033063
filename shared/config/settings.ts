import { parse, TomlError } from 'smol-toml'
import { fromUtf8 } from '../bytes/bytes.ts'
import { KeepsealError } from '../errors.ts'
import { environmentName, environmentPrefix, listOptions, type ConfigDefinition, type Sections } from './definition.ts'
import type { ConfigProblem } from './problems.ts'

/** Where a value came from. */
export type Source =
  | { readonly kind: 'default' }
  /** The default that comes with the value of another option. */
  | { readonly kind: 'preset'; readonly option: string; readonly value: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'flag'; readonly flag: string }

/** One value that somebody wrote somewhere, not yet checked. */
export interface Setting {
  /** The parts of the name as written: section and key for anything that can be an option. */
  readonly name: readonly string[]
  readonly value: unknown
  readonly source: Source
}

/** The source in words. */
export function describeSource(source: Source): string {
  if (source.kind === 'default') return 'default'
  if (source.kind === 'preset') return `${source.option} = ${JSON.stringify(source.value)}`
  if (source.kind === 'file') return source.path
  if (source.kind === 'environment') return `environment ${source.variable}`
  return `flag ${source.flag}`
}

/** Reads a TOML file, or says where its syntax is broken. The offending line is not repeated: it may hold a secret. */
export function settingsFromToml<S extends Sections>(
  definition: ConfigDefinition<S>,
  path: string,
  content: Uint8Array,
): Setting[] | ConfigProblem {
  const source: Source = { kind: 'file', path }
  let document: Record<string, unknown>
  try {
    document = parse(fromUtf8(content))
  } catch (error) {
    if (error instanceof TomlError) {
      const reason = error.message.replace(/^Invalid TOML document: /, '').split('\n', 1)[0] ?? ''
      return { code: 'config.syntax', place: `${path}:${error.line}:${error.column}`, message: reason }
    }
    if (error instanceof TypeError) return { code: 'config.syntax', place: `${path}:1:1`, message: 'not valid UTF-8' }
    throw error
  }
  return Object.entries(document).flatMap(([section, table]) => {
    if (!isTable(table)) return [{ name: [section], value: table, source }]
    const keys = Object.entries(table)
    // A section without keys sets nothing, but a misspelt one is still told.
    if (keys.length === 0 && !Object.hasOwn(definition.sections, section)) {
      return [{ name: [section], value: table, source }]
    }
    return keys.map(([key, value]) => ({ name: [section, key], value, source }))
  })
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** Reads the variables `KEEPSEAL_<PROGRAM>_SECTION__KEY`. Others with that prefix become settings of no known option. */
export function settingsFromEnvironment<S extends Sections>(
  definition: ConfigDefinition<S>,
  environment: Readonly<Record<string, string | undefined>>,
): Setting[] {
  const known = new Map(listOptions(definition).map((named) => [environmentName(definition, named), named]))
  const prefix = environmentPrefix(definition)
  const settings: Setting[] = []
  for (const variable of Object.keys(environment).sort()) {
    const text = environment[variable]
    if (!variable.startsWith(prefix) || text === undefined) continue
    const named = known.get(variable)
    settings.push({
      name: named === undefined ? [variable] : [named.section, named.key],
      value: named === undefined ? text : named.option.type.fromText(text),
      source: { kind: 'environment', variable },
    })
  }
  return settings
}

/** Reads the value of a flag that stands for one option: `--collector URL` for `collector.url`. */
export function settingFromFlag<S extends Sections>(
  definition: ConfigDefinition<S>,
  flag: string,
  name: string,
  text: string,
): Setting {
  const named = listOptions(definition).find((candidate) => candidate.name === name)
  return {
    name: name.split('.'),
    value: named === undefined ? text : named.option.type.fromText(text),
    source: { kind: 'flag', flag },
  }
}

/** Reads `--set section.key=value`, the flag that every option has. Throws usage.invalid without an equals sign. */
export function settingFromAssignment<S extends Sections>(
  definition: ConfigDefinition<S>,
  assignment: string,
): Setting {
  const equals = assignment.indexOf('=')
  if (equals < 1) throw new KeepsealError('usage.invalid', '--set needs SECTION.KEY=VALUE')
  const name = assignment.slice(0, equals).trim()
  return settingFromFlag(definition, `--set ${name}`, name, assignment.slice(equals + 1))
}
