import type { Command, ParsedCommandLine } from '../../../../shared/cli/command.ts'
import { integer } from '../../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { loadSettings, type ConnectionFlags } from '../settings.ts'
import { followLive, type Follow } from './live.ts'
import { watchCommand, type WatchPorts } from './loop.ts'
import { processPorts } from './process-ports.ts'

const DEFAULT_SECONDS = 5

const watchOptions = {
  watch: { description: 'Go on, and show it again whenever it is something else; Ctrl-C ends.' },
  interval: {
    description: `With --watch: how often to look; without, every ${DEFAULT_SECONDS} seconds, and when a device has changed.`,
    value: integer(1, 3600),
    placeholder: 'SECONDS',
  },
} as const

/** When something was asked, in answers of the API: it differs each time without anything having changed. */
const ASKED_AT = ['at', 'asOf']

function flagsOf({ options }: ParsedCommandLine): ConnectionFlags {
  const text = (name: keyof ConnectionFlags): string | undefined => {
    const value = options[name]
    return typeof value === 'string' ? value : undefined
  }
  return { url: text('url'), tokenFile: text('tokenFile'), caFile: text('caFile'), config: text('config') }
}

function following(parsed: ParsedCommandLine, env: Parameters<typeof loadSettings>[1]): Follow | undefined {
  try {
    return followLive(loadSettings(flagsOf(parsed), env))
  } catch (error) {
    // What is wrong with the settings the command itself says.
    if (error instanceof KeepsealError) return undefined
    throw error
  }
}

/** A reader that can be watched. `volatile`: further keys of its JSON that say when, not what. */
export function watchable(
  command: Command,
  {
    volatile = [],
    ports = processPorts,
  }: { readonly volatile?: readonly string[]; readonly ports?: (follow?: Follow) => WatchPorts } = {},
): Command {
  return {
    ...command,
    options: { ...command.options, ...watchOptions },
    execute: async (parsed, output) => {
      const { watch, interval } = parsed.options
      if (watch !== true) {
        if (interval !== undefined) throw new KeepsealError('usage.invalid', '--interval goes with --watch')
        return command.execute(parsed, output)
      }
      const seconds = typeof interval === 'number' ? interval : DEFAULT_SECONDS
      const watched = {
        title: `keepseal ${command.name}`,
        intervalMs: seconds * 1000,
        volatile: [...ASKED_AT, ...volatile],
      }
      // Whoever says how often is asked no more often.
      const follow = interval === undefined ? following(parsed, output.terminal.env) : undefined
      return watchCommand(command, parsed, output, watched, ports(follow))
    },
  }
}
