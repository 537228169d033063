import { environmentName, type ConfigDefinition, type Sections } from '../../shared/config/definition.ts'
import { defaultConfigFile, dropInDirectory } from '../../shared/config/load.ts'
import { bold, entry, example, page, paragraphs, section, subsection, type Page } from './roff.ts'

const shown = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(shown).join(', ')}]` : JSON.stringify(value)

/** The page of a configuration file, out of the table that the program itself reads it by. */
export function configPage<S extends Sections>(
  definition: ConfigDefinition<S>,
  { version, date }: { readonly version: string; readonly date: string },
): Page {
  const program = `keepseal-${definition.program}`
  const file = defaultConfigFile(definition)
  const sections = Object.entries(definition.sections)
  const [first = ['section', {}] as const] = sections
  return page({ name: `${program}.toml`, section: 5, summary: `configuration of ${program}`, version, date }, [
    ...section('SYNOPSIS', [bold(file), '.br', bold(`${dropInDirectory(file)}/*.toml`)]),
    ...section('DESCRIPTION', [
      ...paragraphs([
        'A file in TOML. Everything has a default; without a file these hold. What is not known is an error, and the program does not start.',
        `Later ones override earlier ones: defaults, ${file}, the files of ${dropInDirectory(file)} in the order of their names, the environment, the option --set.`,
        'Secrets are never values here: an option names the file that holds one.',
        'A value of the environment is written as on the command line: without quotes, and a list with commas.',
      ]),
      ...example([
        `${program} ${definition.program === 'agent' ? 'config check' : 'check-config'}`,
        `${environmentName(definition, { section: first[0], key: Object.keys(first[1])[0] ?? 'key' })}=VALUE`,
      ]),
    ]),
    ...section(
      'OPTIONS',
      sections.flatMap(([name, options]) => [
        ...subsection(`[${name}]`, []),
        ...Object.entries(options).flatMap(([key, option]) =>
          entry(bold(key), [
            option.description,
            `Must be ${option.type.requirement}. Default: ${shown(option.default)}. Environment: ${environmentName(definition, { section: name, key })}.`,
          ]),
        ),
      ]),
    ),
    ...(definition.rules.length === 0
      ? []
      : section(
          'RULES',
          definition.rules.flatMap(({ names, requirement }) => entry(bold(names.join(', ')), [`Must ${requirement}.`])),
        )),
    ...section('SEE ALSO', [bold(`${program}(1)`)]),
  ])
}
