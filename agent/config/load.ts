import { readdirSync, readFileSync } from 'node:fs'
import { loadConfig, type LoadedConfig } from '../../shared/config/load.ts'
import { settingFromAssignment, type Setting } from '../../shared/config/settings.ts'
import { agentConfig } from './options.ts'

export type LoadedAgentConfig = LoadedConfig<typeof agentConfig.sections>

/** What of the command line bears on the configuration. */
export interface ConfigFlags {
  /** `--config FILE`, in place of /etc/keepseal/agent.toml. */
  readonly config?: string | undefined
  /** `--set SECTION.KEY=VALUE`, as often as wanted. */
  readonly set?: readonly string[]
  /** Values of flags that stand for one option each. */
  readonly settings?: readonly Setting[]
}

/** Reads the agent's configuration. Throws ConfigurationError with everything that is wrong with it. */
export function loadAgentConfig(
  flags: ConfigFlags,
  environment: Readonly<Record<string, string | undefined>>,
): LoadedAgentConfig {
  return loadConfig(agentConfig, {
    file: flags.config,
    environment,
    flags: [
      ...(flags.set ?? []).map((assignment) => settingFromAssignment(agentConfig, assignment)),
      ...(flags.settings ?? []),
    ],
    files: { read: (path) => readFileSync(path), list: (directory) => readdirSync(directory) },
  })
}
