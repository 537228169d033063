import type { ConfigDefinition, Sections } from './definition.ts'
import type { ConfigProblem } from './problems.ts'
import { resolveConfig, type ResolvedConfig } from './resolve.ts'
import { settingsFromEnvironment, settingsFromToml, type Setting } from './settings.ts'

/** The reading that loading needs. Both throw what the file system throws, with `code` ENOENT where nothing is. */
export interface ConfigFiles {
  read(path: string): Uint8Array
  list(directory: string): readonly string[]
}

export interface ConfigSources {
  readonly files: ConfigFiles
  /** The file that was asked for, which must exist; without one the default place, which may be empty. */
  readonly file?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Settings of flags, which override everything. */
  readonly flags?: readonly Setting[]
}

export interface LoadedConfig<S extends Sections> extends ResolvedConfig<S> {
  /** The files that were read, in order of precedence. */
  readonly filesRead: readonly string[]
}

/** `/etc/keepseal/agent.toml`. */
export function defaultConfigFile<S extends Sections>(definition: ConfigDefinition<S>): string {
  return `/etc/keepseal/${definition.program}.toml`
}

/** The directory of drop-ins beside a file: `agent.d` beside `agent.toml`. */
export function dropInDirectory(file: string): string {
  return `${file.replace(/\.toml$/, '')}.d`
}

/**
 * Reads defaults < main file < drop-ins in order of their names < environment < flags.
 * Throws ConfigurationError with everything that is wrong in any of them.
 */
export function loadConfig<S extends Sections>(
  definition: ConfigDefinition<S>,
  sources: ConfigSources,
): LoadedConfig<S> {
  const settings: Setting[] = []
  const problems: ConfigProblem[] = []
  const filesRead: string[] = []

  /** Runs one access to the file system; what is merely absent is no problem unless it was asked for by name. */
  const attempt = <T>(path: string, mustExist: boolean, access: (path: string) => T): T | undefined => {
    try {
      return access(path)
    } catch (error) {
      const code = errorCode(error)
      const message = code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`
      if (code !== 'ENOENT' || mustExist) problems.push({ code: 'config.unreadable', place: path, message })
      return undefined
    }
  }
  const readFile = (path: string, mustExist: boolean): void => {
    const content = attempt(path, mustExist, sources.files.read)
    if (content === undefined) return
    filesRead.push(path)
    const outcome = settingsFromToml(definition, path, content)
    if (Array.isArray(outcome)) settings.push(...outcome)
    else problems.push(outcome)
  }

  const main = sources.file ?? defaultConfigFile(definition)
  readFile(main, sources.file !== undefined)
  const directory = dropInDirectory(main)
  const entries = attempt(directory, false, sources.files.list) ?? []
  const dropIns = entries.filter((entry) => entry.endsWith('.toml') && !entry.startsWith('.')).sort()
  for (const dropIn of dropIns) readFile(`${directory}/${dropIn}`, true)
  settings.push(...settingsFromEnvironment(definition, sources.environment), ...(sources.flags ?? []))
  return { ...resolveConfig(definition, settings, problems), filesRead }
}

function errorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  throw error
}
