import { defineCommand, type Command } from '../../shared/cli/command.ts'
import { checkConfig, configOptions, showConfig } from '../../shared/cli/config-report.ts'
import { loadAgentConfig } from '../config/load.ts'
import { agentConfig } from '../config/options.ts'

/** `keepseal-agent config show`. */
export const configShowCommand: Command = defineCommand({
  name: 'config show',
  summary: 'Show every configuration value and where it came from.',
  description: ['The output is itself a valid configuration file. The content of secret files is never shown.'],
  options: configOptions,
  json: true,
  run: (context) => showConfig(context, agentConfig, loadAgentConfig(context.options, context.terminal.env)),
})

/** `keepseal-agent config check`. */
export const configCheckCommand: Command = defineCommand({
  name: 'config check',
  summary: 'Check the configuration and tell everything that is wrong.',
  options: configOptions,
  json: true,
  run: (context) => checkConfig(context, () => loadAgentConfig(context.options, context.terminal.env)),
})
