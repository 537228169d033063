import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { checkConfig, configOptions, showConfig } from '../../../shared/cli/config-report.ts'
import { loadCollectorConfig } from '../../config/load.ts'
import { collectorConfig } from '../../config/options.ts'

/** `keepseal-collector check-config`: run by the service before it starts and before it reloads. */
export const checkConfigCommand: Command = defineCommand({
  name: 'check-config',
  summary: 'Check the configuration and tell everything that is wrong.',
  description: [
    'With --show also every value and where it came from, as a valid configuration file. The content of secret files ' +
      'is never shown.',
  ],
  options: { ...configOptions, show: { description: 'Show every value and where it came from.' } },
  json: true,
  run: (context) =>
    checkConfig(
      context,
      () => loadCollectorConfig(context.options, context.terminal.env),
      context.options.show ? (loaded) => showConfig(context, collectorConfig, loaded) : undefined,
    ),
})
