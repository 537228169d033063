import { setTimeout } from 'node:timers/promises'
import { defineCommand } from '../../shared/cli/command.ts'
import { configOptions } from '../../shared/cli/config-report.ts'
import { exitCodes } from '../../shared/cli/exit-codes.ts'
import { loadAgentConfig } from '../config/load.ts'
import { untilEnrolled } from '../enrol/first-boot.ts'
import { createLog } from '../log.ts'
import { startAgent } from '../run.ts'
import { startHeartbeat } from '../service/heartbeat.ts'
import { serviceManager } from '../service/notify.ts'

export const runCommand = defineCommand({
  name: 'run',
  summary: 'Measure this machine at each interval and report, until stopped.',
  description: [
    'A service manager that asks for it is told when the agent is ready and that it lives on (sd_notify).',
    'With --wait a device that is not enrolled yet enrols with the token that lies ready, or waits for who enrols it.',
  ],
  options: { wait: { description: 'Wait for the enrolment, and enrol where a token lies ready.' }, ...configOptions },
  async run({ options, terminal }) {
    const { values: config } = loadAgentConfig(options, terminal.env)
    const log = createLog({
      level: config.log.level,
      write: terminal.error,
      journald: terminal.env['JOURNAL_STREAM'] !== undefined,
      clock: Date.now,
    })
    const manager = await serviceManager(terminal.env, (problem) => log.warn(problem))
    const stop = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
    const heartbeat = startHeartbeat(manager, () => performance.now())
    try {
      if (options.wait) {
        const enrolled = await untilEnrolled({
          config,
          environment: terminal.env,
          log,
          // It is ready to be enrolled; who waits for the start of the service must not wait for that.
          waiting: (why) => manager.tell('READY=1', `STATUS=${why}`),
          pause: (ms) => pause(ms, stop.signal),
        })
        if (!enrolled) return exitCodes.good
      }
      const agent = await startAgent(config, log, heartbeat)
      manager.tell('READY=1', 'STATUS=reporting')
      try {
        await Promise.race([aborted(stop.signal), agent.failed])
      } finally {
        manager.tell('STOPPING=1')
        await agent.stop()
      }
    } finally {
      heartbeat.stop()
    }
    log.info('stopped')
    return exitCodes.good
  },
})

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** True after that time, false when it ends before. */
const pause = (ms: number, signal: AbortSignal): Promise<boolean> => setTimeout(ms, true, { signal }).catch(() => false)
