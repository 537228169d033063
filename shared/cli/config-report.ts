import type { ConfigDefinition, Sections } from '../config/definition.ts'
import type { LoadedConfig } from '../config/load.ts'
import { ConfigurationError } from '../config/problems.ts'
import { configAsToml, shownOptions } from '../config/show.ts'
import { text } from '../config/value-types.ts'
import { printable } from '../text/printable.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { fail } from './fail.ts'
import type { Output } from './output.ts'

/** The options of every command that reads the configuration. */
export const configOptions = {
  config: {
    description: 'Configuration file to read in place of the one in /etc.',
    value: text(4096),
    placeholder: 'FILE',
  },
  set: {
    description: 'Value that overrides every file and the environment.',
    value: text(4096),
    placeholder: 'SECTION.KEY=VALUE',
    multiple: true,
  },
} as const

/** Prints every value in force with its source. */
export function showConfig<S extends Sections>(
  output: Output,
  definition: ConfigDefinition<S>,
  loaded: LoadedConfig<S>,
): ExitCode {
  const options = Object.fromEntries(
    shownOptions(definition, loaded).map(({ name, value, source }) => [name, { value, source }]),
  )
  output.present({ files: loaded.filesRead, options }, () => configAsToml(definition, loaded))
  return exitCodes.good
}

/**
 * Tells whether the configuration can be used: a broken one is the answer of this command, not its failure.
 * With `show`, a good one is not just called good but handed to it.
 */
export function checkConfig<S extends Sections>(
  output: Output,
  load: () => LoadedConfig<S>,
  show?: (loaded: LoadedConfig<S>) => ExitCode,
): ExitCode {
  try {
    const loaded = load()
    if (show !== undefined) return show(loaded)
    output.present({ valid: true, files: loaded.filesRead, problems: [] }, () => {
      const files = loaded.filesRead.map(printable).join(', ')
      return `the configuration is good (${files === '' ? 'no file, defaults only' : files})`
    })
    return exitCodes.good
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    if (output.json) output.present({ valid: false, files: [], problems: error.problems }, () => '')
    else fail(output.terminal, error, false)
    return exitCodes.finding
  }
}
