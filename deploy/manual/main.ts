// What of the command tables is installed beside the programs: manual pages, and completion for shells.
import { agent } from '../../agent/cli/program.ts'
import { agentConfig } from '../../agent/config/options.ts'
import { client } from '../../collector/cli/client/program.ts'
import { FILE_KEYS } from '../../collector/cli/client/settings.ts'
import { server } from '../../collector/cli/server/program.ts'
import { collectorConfig } from '../../collector/config/options.ts'
import { completionScript, SHELLS } from '../../shared/cli/completion/command.ts'
import type { Program } from '../../shared/cli/program.ts'
import { clientConfigPage } from './client-config-page.ts'
import { configPage } from './config-page.ts'
import { measurePage } from './measure-page.ts'
import { pagesByGroup, wholePage } from './program-page.ts'
import type { Page } from './roff.ts'

export interface InstalledFile {
  /** Below the root, without a slash before it. */
  readonly path: string
  readonly content: string
}

/** Where Debian's shells look for completions of packages. */
const COMPLETIONS = {
  bash: (name: string) => `usr/share/bash-completion/completions/${name}`,
  zsh: (name: string) => `usr/share/zsh/vendor-completions/_${name}`,
  fish: (name: string) => `usr/share/fish/vendor_completions.d/${name}.fish`,
} as const

const completions = (program: Program): InstalledFile[] =>
  SHELLS.map((shell) => ({ path: COMPLETIONS[shell](program.name), content: completionScript(program, shell) }))

const installed = ({ file, content }: Page): InstalledFile => ({
  path: `usr/share/man/man${file.slice(file.lastIndexOf('.') + 1)}/${file}`,
  content,
})

/** Of the package keepseal-agent. `date` is that of the release. */
export function agentFiles(date: string): InstalledFile[] {
  const { version } = agent
  const pages = [
    wholePage(agent, {
      date,
      also: ['keepseal-agent.toml(5)', 'keepseal-measure(8)'],
      files: [
        ['/etc/keepseal/agent.toml', 'Configuration: keepseal-agent.toml(5).'],
        ['/var/lib/keepseal-agent', 'Keys, enrolment and outbox of this device.'],
      ],
    }),
    measurePage({ version, date }),
    configPage(agentConfig, { version, date }),
  ]
  return [...pages.map(installed), ...completions(agent)]
}

/** Of the package keepseal-collector. */
export function collectorFiles(date: string): InstalledFile[] {
  const { version } = server
  const pages = [
    wholePage(server, {
      date,
      also: ['keepseal(1)', 'keepseal-collector.toml(5)'],
      files: [
        ['/etc/keepseal/collector.toml', 'Configuration: keepseal-collector.toml(5).'],
        ['/var/lib/keepseal-collector', 'Keys, and the database where that is SQLite.'],
      ],
    }),
    configPage(collectorConfig, { version, date }),
    clientConfigPage({ version, date }),
    ...pagesByGroup(client, {
      date,
      also: ['keepseal-cli.toml(5)', 'keepseal-collector(1)'],
      files: [['~/.config/keepseal/cli.toml', 'Configuration: keepseal-cli.toml(5).']],
      environment: [
        ...Object.values(FILE_KEYS).map(({ variable, description }) => [variable, description] as const),
        ['NO_COLOR', 'Set to anything: no colours.'],
      ],
    }),
  ]
  return [...pages.map(installed), ...completions(server), ...completions(client)]
}
