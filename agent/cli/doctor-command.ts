import { defineCommand } from '../../shared/cli/command.ts'
import { configOptions } from '../../shared/cli/config-report.ts'
import { exitCodes } from '../../shared/cli/exit-codes.ts'
import type { Output } from '../../shared/cli/output.ts'
import { printable } from '../../shared/text/printable.ts'
import { loadAgentConfig } from '../config/load.ts'
import { runChecks, type Checked } from '../doctor/run-checks.ts'

export const doctorCommand = defineCommand({
  name: 'doctor',
  summary: 'Look for whatever keeps this device from being attested.',
  description: ['Every check is made, whatever the others say. Exit code 1 where one of them failed.'],
  options: configOptions,
  json: true,
  async run(context) {
    const { values: config } = loadAgentConfig(context.options, context.terminal.env)
    const checked = await runChecks(config)
    context.present({ checks: checked }, () => checked.map((check) => line(context, check)).join('\n'))
    return checked.some(({ status }) => status === 'failed') ? exitCodes.finding : exitCodes.good
  },
})

const STYLE = { good: 'green', warning: 'yellow', failed: 'red', unknown: 'dim' } as const

function line({ style }: Output, { status, title, detail, remedy }: Checked): string {
  const head = `${style(STYLE[status], status.padEnd(8))} ${title}: ${printable(detail)}`
  return remedy === undefined ? head : `${head}\n           next: ${remedy}`
}
