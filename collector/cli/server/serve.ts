import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { defineCommand } from '../../../shared/cli/command.ts'
import { configOptions } from '../../../shared/cli/config-report.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { someOf } from '../../../shared/config/value-types.ts'
import { startHeartbeat } from '../../../shared/service/heartbeat.ts'
import { version } from '../../../shared/version.ts'
import { startCollector } from '../../app.ts'
import { loadCollectorConfig } from '../../config/load.ts'
import { ROLES } from '../../roles/role.ts'
import { serviceManager, timing } from '../../service/notify.ts'

/** SIGTERM and SIGINT end the process once everything that was taken in is decided. A second one ends it at once. */
function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
  })
}

export const serveCommand = defineCommand({
  name: 'serve',
  summary: 'Run the collector: broker, ingest, API and pages',
  description: [
    'One process does all of it, or several share it: ingest takes messages in and decides them, api serves people and ' +
      'enrolling devices, tracker does what goes by time, notify tells people. Several processes need PostgreSQL, and ' +
      'a broker that runs elsewhere (mqtt.broker) for all but notify.',
    'SIGTERM ends it in order, within serve.drain_seconds: nothing new is taken in, what is here is decided and ' +
      'answered. With exit code 3 something was left undecided: its devices send it again.',
    'A service manager that asks for it is told when everything listens and that the process lives on (sd_notify).',
  ],
  examples: ['keepseal-collector serve', 'keepseal-collector serve --roles ingest'],
  options: {
    ...configOptions,
    'clock-is-right': {
      description: 'Start although the database knows of a later time than the clock of this machine.',
    },
    roles: { description: 'What this process does (serve.roles).', value: someOf(ROLES), placeholder: 'ROLE,…' },
  },
  async run({ options, terminal }) {
    const { roles } = options
    const chosen = { name: ['serve', 'roles'], value: roles, source: { kind: 'flag', flag: '--roles' } } as const
    const flags = { ...options, settings: roles === undefined ? [] : [chosen] }
    const { values: config } = loadCollectorConfig(flags, terminal.env)
    const logger = pino({ level: config.log.level, base: null, timestamp: pino.stdTimeFunctions.isoTime })
    const stopped = untilStopped()
    const start = new AbortController()
    void stopped.then(() => start.abort())
    const manager = await serviceManager(terminal.env, (problem) => logger.warn(problem))
    const heartbeat = startHeartbeat(manager, timing)
    try {
      const collector = await startCollector({
        config,
        logger,
        version,
        clockIsRight: options.clockIsRight,
        // It is as ready as it can be; who waits for the start of the service must not wait for a clock.
        onWaiting: (why) => manager.tell('READY=1', `STATUS=${why}`),
        signal: start.signal,
      }).catch((error: unknown) => {
        if (error instanceof Error && error.name === 'AbortError') return undefined
        throw error
      })
      if (collector === undefined) return exitCodes.good
      manager.tell('READY=1', `STATUS=serving ${config.serve.roles.join(', ')}`)
      const signal = await stopped
      logger.info({ signal }, 'stopping')
      manager.tell('STOPPING=1', 'STATUS=deciding what was taken in')
      const { drainSeconds } = config.serve
      const late = sleep(drainSeconds * 1000, 'late', { ref: false })
      if ((await Promise.race([collector.stop(), late])) !== 'late') return exitCodes.good
      logger.error({ drainSeconds }, 'not everything was decided in time; devices send the rest again')
      // Whatever it waits for is still open, and would keep the process.
      process.exit(exitCodes.unreachable)
    } finally {
      heartbeat.stop()
    }
  },
})
