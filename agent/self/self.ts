import { fileURLToPath } from 'node:url'
import type { AgentContent } from '../../shared/posture/sections/agent.ts'
import { version } from '../../shared/version.ts'
import type { AgentConfig } from '../config/options.ts'
import { createHost, type Host } from '../sensors/host.ts'
import { configurationFacts } from './configuration.ts'
import { watchProgram } from './program.ts'
import { shown } from './shown.ts'

/** What the agent asks of its own process. */
export type OwnProcess = Pick<NodeJS.Process, 'arch' | 'argv' | 'env' | 'execArgv' | 'geteuid' | 'platform' | 'version'>

const MAX_FLAGS = 64

/** What the agent knows of itself, for its own section. Reads its own program now, and looks at it again each time. */
export function knowSelf(config: AgentConfig, own: OwnProcess = process): Host['self'] {
  const program = watchProgram(createHost(), {
    entry: own.argv[1],
    loaded: fileURLToPath(import.meta.url),
    platform: `${own.platform}-${own.arch}`,
  })
  const unchanging: Pick<AgentContent, 'version' | 'runtime' | 'user' | 'configuration'> = {
    version,
    runtime: { version: own.version, flags: flagsOf(own) },
    user: own.geteuid?.() === 0 ? 'root' : 'other',
    configuration: configurationFacts(config),
  }
  return () => ({ status: 'found', value: { ...unchanging, ...program() } })
}

/** NODE_OPTIONS too: what it says holds as much as the command line, and can load other code before the agent's. */
function flagsOf({ execArgv, env }: OwnProcess): string[] {
  const words = (env['NODE_OPTIONS'] ?? '').split(/\s+/).filter((word) => word !== '')
  const flags = [...execArgv, ...words].map((flag) => shown(flag, 256))
  return flags.length <= MAX_FLAGS ? flags : [shown(flags.join(' '), 256)]
}
