import { setTimeout } from 'node:timers/promises'
import { defineCommand } from '../../shared/cli/command.ts'
import { configOptions } from '../../shared/cli/config-report.ts'
import { exitCodes } from '../../shared/cli/exit-codes.ts'
import { loadAgentConfig } from '../config/load.ts'
import type { AgentConfig } from '../config/options.ts'
import { tryToEnrol } from '../enrol/first-boot.ts'
import { createLog, type Log } from '../log.ts'
import { startAgent } from '../run.ts'
import { giveBackMemory } from '../service/give-back.ts'
import { startHeartbeat } from '../../shared/service/heartbeat.ts'
import { serviceManager, timing } from '../service/notify.ts'
import { patiently, type Patience } from '../service/patience.ts'
import { writeProblem } from '../state/status-file.ts'

export const runCommand = defineCommand({
  name: 'run',
  summary: 'Measure this machine at each interval and report, until stopped.',
  description: [
    'A service manager that asks for it is told when the agent is ready and that it lives on (sd_notify).',
    'With --wait a device that is not enrolled yet enrols with the token that lies ready, or waits for who enrols it; and what keeps the agent from starting, such as a TPM that is missing, is told once and waited for.',
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
    const heartbeat = startHeartbeat(manager, timing)
    try {
      const start = async () => startAgent(config, log, heartbeat)
      const agent = options.wait
        ? await whenPossible(config, terminal.env, start, {
            log,
            // It is as ready as it can be; who waits for the start of the service must not wait for a token.
            waiting: async (why, code) => {
              manager.tell('READY=1', `STATUS=${why}`)
              // The status belongs to the agent that runs.
              if (code !== 'agent.running') await writeProblem(config.state.directory, why)
            },
            pause: (ms) => pause(ms, stop.signal),
          })
        : await start()
      if (agent === undefined) return exitCodes.good
      manager.tell('READY=1', 'STATUS=reporting')
      void giveBackOnceSettled(agent.firstReport, stop.signal, log)
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

/** Enrolled and started, as soon as both can be done; undefined when the service is stopped before. */
async function whenPossible<T>(
  config: AgentConfig,
  environment: Readonly<Record<string, string | undefined>>,
  start: () => Promise<T>,
  patience: Patience,
): Promise<T | undefined> {
  const enrolled = await patiently(() => tryToEnrol({ config, environment, log: patience.log }), patience)
  return enrolled === true ? patiently(async () => ({ done: await start() }), patience) : undefined
}

/** The first report and what the collector asks for after it; without a collector some minutes. */
const SETTLE_MS = 15_000
const WITHOUT_COLLECTOR_MS = 600_000

async function giveBackOnceSettled(firstReport: Promise<unknown>, signal: AbortSignal, log: Log): Promise<void> {
  await Promise.race([firstReport, pause(WITHOUT_COLLECTOR_MS, signal)])
  if (!(await pause(SETTLE_MS, signal))) return
  try {
    await giveBackMemory()
  } catch (error) {
    log.debug(`the memory of the start is kept: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** True after that time, false when it ends before. */
const pause = (ms: number, signal: AbortSignal): Promise<boolean> => setTimeout(ms, true, { signal }).catch(() => false)
