import { pino } from 'pino'
import { defineCommand } from '../../../shared/cli/command.ts'
import { configOptions } from '../../../shared/cli/config-report.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { version } from '../../../shared/version.ts'
import { startCollector } from '../../app.ts'
import { loadCollectorConfig } from '../../config/load.ts'

/** SIGTERM and SIGINT end the process once everything that was taken in is decided. */
function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
  })
}

export const serveCommand = defineCommand({
  name: 'serve',
  summary: 'Run the collector: broker, ingest, API and pages',
  options: configOptions,
  async run({ options }) {
    const { values: config } = loadCollectorConfig(options, process.env)
    const logger = pino({ level: config.log.level, base: null, timestamp: pino.stdTimeFunctions.isoTime })
    const stopped = untilStopped()
    const collector = await startCollector({ config, logger, version })
    const signal = await stopped
    logger.info({ signal }, 'stopping')
    await collector.stop()
    return exitCodes.good
  },
})
