import { setTimeout as sleep } from 'node:timers/promises'
import { defineCommand } from '../../shared/cli/command.ts'
import { configOptions } from '../../shared/cli/config-report.ts'
import { exitCodes, type ExitCode } from '../../shared/cli/exit-codes.ts'
import type { Output } from '../../shared/cli/output.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { printable } from '../../shared/text/printable.ts'
import { measurePosture } from '../attest/posture.ts'
import { attributesAt } from '../attest/tpm-attributes.ts'
import { loadAgentConfig } from '../config/load.ts'
import type { AgentConfig } from '../config/options.ts'
import { createLog } from '../log.ts'
import { createHelper } from '../measure/client/helper.ts'
import { startAgent } from '../run.ts'
import { knowSelf } from '../self/self.ts'
import { createHost } from '../sensors/host.ts'
import { readStatus } from '../state/status-file.ts'
import { chooseTcti } from '../tpm/tcti.ts'
import { postureAsJson, printPosture } from './print-posture.ts'

const RECEIPT_TIMEOUT_MS = 60_000

export const onceCommand = defineCommand({
  name: 'once',
  summary: 'Measure this machine once, and report it or print it.',
  description: [
    'Without --print the measurement is reported, and the command ends when the collector has given its receipt.',
    'With --print nothing is sent, and neither an enrolment nor a collector is needed.',
  ],
  options: { ...configOptions, print: { description: 'Print what would be sent, and send nothing.' } },
  json: true,
  async run(context) {
    const { values: config } = loadAgentConfig(context.options, context.terminal.env)
    if (!context.options.print) return report(config, context)
    const tcti = config.tpm.tcti === 'none' ? undefined : chooseTcti(config.tpm.tcti)
    const self = knowSelf(config)
    const host = createHost({ root: config.host.root, tpm: attributesAt(tcti, config.tpm.transport), self })
    const tell = (message: string): void => context.terminal.error(`${printable(message)}\n`)
    const posture = await measurePosture(host, createHelper({ socket: config.measure.socket, host, tell }))
    context.present(postureAsJson(posture), () => printPosture(context, posture))
    return exitCodes.good
  },
})

async function report(config: AgentConfig, output: Output): Promise<ExitCode> {
  const level = config.log.level === 'info' ? 'warn' : config.log.level
  const log = createLog({ level, write: output.terminal.error, journald: false, clock: Date.now })
  const agent = await startAgent(config, log)
  try {
    const timeout = sleep(RECEIPT_TIMEOUT_MS, 'timeout' as const, { ref: false })
    const answer = await Promise.race([agent.firstReport, timeout, agent.failed])
    if (answer === 'timeout') {
      const status = await readStatus(config.state.directory)
      throw new KeepsealError('collector.unreachable', status?.problem ?? 'no receipt arrived within a minute', {
        remedy: 'What was measured waits in the outbox. keepseal-agent doctor tells what is missing.',
      })
    }
    if (answer === 'refused') throw new KeepsealError('collector.refused', 'the log above says why')
    output.present({ receipted: true }, () => 'reported: the collector has given its receipt')
    return exitCodes.good
  } finally {
    await agent.stop()
  }
}
