import type { Command } from '../../../../shared/cli/command.ts'
import { integer } from '../../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { watchCommand, type WatchPorts } from './loop.ts'
import { processPorts } from './process-ports.ts'

const DEFAULT_SECONDS = 5

const watchOptions = {
  watch: { description: 'Go on, and show it again whenever it is something else; Ctrl-C ends.' },
  interval: {
    description: `With --watch: how often to look; every ${DEFAULT_SECONDS} seconds without.`,
    value: integer(1, 3600),
    placeholder: 'SECONDS',
  },
} as const

/** When something was asked, in answers of the API: it differs each time without anything having changed. */
const ASKED_AT = ['at', 'asOf']

/** A reader that can be watched. `volatile`: further keys of its JSON that say when, not what. */
export function watchable(
  command: Command,
  {
    volatile = [],
    ports = processPorts,
  }: { readonly volatile?: readonly string[]; readonly ports?: () => WatchPorts } = {},
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
      return watchCommand(command, parsed, output, watched, ports())
    },
  }
}
