import { readdirSync, readFileSync } from 'node:fs'
import { loadConfig, type LoadedConfig } from '../../shared/config/load.ts'
import { settingFromAssignment, type Setting } from '../../shared/config/settings.ts'
import { collectorConfig } from './options.ts'

export type LoadedCollectorConfig = LoadedConfig<typeof collectorConfig.sections>

/** What of the command line bears on the configuration. */
export interface ConfigFlags {
  /** `--config FILE`, in place of /etc/keepseal/collector.toml. */
  readonly config?: string | undefined
  /** `--set SECTION.KEY=VALUE`, as often as wanted. */
  readonly set?: readonly string[]
  /** Values of flags that stand for one option each. */
  readonly settings?: readonly Setting[]
}

/** Reads the collector's configuration. Throws ConfigurationError with everything that is wrong with it. */
export function loadCollectorConfig(
  flags: ConfigFlags,
  environment: Readonly<Record<string, string | undefined>>,
): LoadedCollectorConfig {
  return loadConfig(collectorConfig, {
    file: flags.config,
    environment,
    flags: [
      ...(flags.set ?? []).map((assignment) => settingFromAssignment(collectorConfig, assignment)),
      ...(flags.settings ?? []),
    ],
    files: { read: (path) => readFileSync(path), list: (directory) => readdirSync(directory) },
  })
}
