import { defineCommand } from '../../shared/cli/command.ts'
import { configOptions } from '../../shared/cli/config-report.ts'
import { exitCodes } from '../../shared/cli/exit-codes.ts'
import type { Output } from '../../shared/cli/output.ts'
import { printable } from '../../shared/text/printable.ts'
import { loadAgentConfig } from '../config/load.ts'
import type { CheckResult } from '../doctor/check.ts'
import { CHECKS } from '../doctor/checks.ts'
import { knowSelf } from '../self/self.ts'
import { createHost } from '../sensors/host.ts'

interface Checked extends CheckResult {
  readonly id: string
  readonly title: string
}

export const doctorCommand = defineCommand({
  name: 'doctor',
  summary: 'Look for whatever keeps this device from being attested.',
  description: ['Every check is made, whatever the others say. Exit code 1 where one of them failed.'],
  options: configOptions,
  json: true,
  async run(context) {
    const { values: config } = loadAgentConfig(context.options, context.terminal.env)
    const host = createHost({ root: config.host.root, self: knowSelf(config) })
    const checked = await Promise.all(
      CHECKS.map(async ({ id, title, run }): Promise<Checked> => {
        const failed = (error: unknown): CheckResult => ({ status: 'unknown', detail: String(error) })
        return { id, title, ...(await run({ config, host }).catch(failed)) }
      }),
    )
    context.present({ checks: checked }, () => checked.map((check) => line(context, check)).join('\n'))
    return checked.some(({ status }) => status === 'failed') ? exitCodes.finding : exitCodes.good
  },
})

const STYLE = { good: 'green', warning: 'yellow', failed: 'red', unknown: 'dim' } as const

function line({ style }: Output, { status, title, detail, remedy }: Checked): string {
  const head = `${style(STYLE[status], status.padEnd(8))} ${title}: ${printable(detail)}`
  return remedy === undefined ? head : `${head}\n           next: ${remedy}`
}
