import { printable } from '../text/printable.ts'
import { camelCase } from '../text/case.ts'
import { listOptions, type ConfigDefinition, type NamedOption, type Sections } from './definition.ts'
import type { ResolvedConfig } from './resolve.ts'
import { describeSource } from './settings.ts'

/** One option in force. */
export interface ShownOption {
  readonly name: string
  readonly value: unknown
  readonly source: string
}

/** Every option with its value and where that came from. Of secret files the path is shown: they are never opened. */
export function shownOptions<S extends Sections>(
  definition: ConfigDefinition<S>,
  resolved: ResolvedConfig<S>,
): ShownOption[] {
  return listOptions(definition).map((named) => {
    const source = resolved.origin.get(named.name)
    return { name: named.name, value: valueOf(resolved, named), source: source ? describeSource(source) : 'default' }
  })
}

/** The configuration in force as TOML that could be used as a file again, each line with its source as a comment. */
export function configAsToml<S extends Sections>(definition: ConfigDefinition<S>, resolved: ResolvedConfig<S>): string {
  const shown = new Map(shownOptions(definition, resolved).map((option) => [option.name, option]))
  const sections = Object.entries(definition.sections).map(([section, options]) => {
    const lines = Object.keys(options).map((key) => {
      const { value, source } = shown.get(`${section}.${key}`) ?? { value: '', source: 'default' }
      return { assignment: `${key} = ${tomlValue(value)}`, source: printable(source) }
    })
    const width = Math.min(56, Math.max(...lines.map(({ assignment }) => assignment.length)))
    return [`[${section}]`, ...lines.map((line) => `${line.assignment.padEnd(width)}  # ${line.source}`)].join('\n')
  })
  return `${sections.join('\n\n')}\n`
}

/** Values are printable by their types, so that JSON's notation of texts and numbers is TOML's as well. */
function tomlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const pairs = Object.entries(value).map(([key, of]) => `${key} = ${tomlValue(of)}`)
  return `{ ${pairs.join(', ')} }`
}

function valueOf<S extends Sections>(resolved: ResolvedConfig<S>, { section, key }: NamedOption): unknown {
  const sections: Readonly<Record<string, Readonly<Record<string, unknown>>>> = resolved.values
  return sections[camelCase(section, '_')]?.[camelCase(key, '_')]
}
