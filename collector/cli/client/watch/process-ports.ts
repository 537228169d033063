import { DEFAULT_COLUMNS } from '../../../../shared/cli/terminal.ts'
import type { Follow } from './live.ts'
import type { WatchPorts } from './loop.ts'

const DEFAULT_ROWS = 24

/** The ports of the process itself. Its signals are its own again after `close`. `follow`: what cuts a pause short. */
export function processPorts(follow?: Follow): WatchPorts {
  const { stdout } = process
  let end = (): void => {}
  let wake = (): void => {}
  const ended = new Promise<'ended'>((resolve) => (end = () => resolve('ended')))
  const resized = (): void => wake()
  // Whoever reads this has had enough, as `head` does.
  const failed = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error
    end()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, end)
  stdout.on('resize', resized).on('error', failed)
  const live = follow?.(() => wake())
  return {
    now: () => new Date(),
    size: () => ({ columns: stdout.columns || DEFAULT_COLUMNS, rows: stdout.rows || DEFAULT_ROWS }),
    pause: (milliseconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      }),
    ended,
    close: (isBusy) => {
      live?.stop()
      wake()
      for (const signal of signals) process.off(signal, end)
      stdout.off('resize', resized)
      // A request that is still out would keep the process for as long as it may take.
      if (isBusy) process.exit(0)
    },
  }
}
