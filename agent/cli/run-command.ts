import { defineCommand } from '../../shared/cli/command.ts'
import { configOptions } from '../../shared/cli/config-report.ts'
import { exitCodes } from '../../shared/cli/exit-codes.ts'
import { loadAgentConfig } from '../config/load.ts'
import { createLog } from '../log.ts'
import { startAgent } from '../run.ts'

export const runCommand = defineCommand({
  name: 'run',
  summary: 'Measure this machine at each interval and report, until stopped.',
  options: configOptions,
  async run({ options, terminal }) {
    const { values: config } = loadAgentConfig(options, terminal.env)
    const log = createLog({
      level: config.log.level,
      write: terminal.error,
      journald: terminal.env['JOURNAL_STREAM'] !== undefined,
      clock: Date.now,
    })
    const stopped = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
    })
    const agent = await startAgent(config, log)
    try {
      await Promise.race([stopped, agent.failed])
    } finally {
      await agent.stop()
    }
    log.info('stopped')
    return exitCodes.good
  },
})
