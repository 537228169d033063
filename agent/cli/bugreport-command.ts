import { writeFile } from 'node:fs/promises'
import { defineCommand } from '../../shared/cli/command.ts'
import { configOptions } from '../../shared/cli/config-report.ts'
import { exitCodes } from '../../shared/cli/exit-codes.ts'
import { text } from '../../shared/config/value-types.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { printable } from '../../shared/text/printable.ts'
import { bugReport } from '../bugreport/collect.ts'
import { loadAgentConfig } from '../config/load.ts'
import { runChecks } from '../doctor/run-checks.ts'

export const bugreportCommand = defineCommand({
  name: 'bugreport',
  summary: 'Write down what is known of this agent, to be sent to who helps.',
  description: [
    'Holds versions, configuration, the findings of doctor, the status, and names and sizes of the state files. What ' +
      'tells whose device it is, and everything secret, is replaced.',
    'Nothing is sent: it is one readable text of JSON, for you to look through first.',
  ],
  examples: ['keepseal-agent bugreport --out report.json'],
  options: {
    out: { description: 'New file to write it to, in place of the terminal.', value: text(4096), placeholder: 'FILE' },
    ...configOptions,
  },
  async run({ options, terminal }) {
    const loaded = loadAgentConfig(options, terminal.env)
    const report = await bugReport(loaded, await runChecks(loaded.values))
    const content = `${JSON.stringify(report, null, 2)}\n`
    if (options.out === undefined) {
      terminal.write(content)
      return exitCodes.good
    }
    try {
      await writeFile(options.out, content, { mode: 0o600, flag: 'wx' })
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : options.out
      throw new KeepsealError('file.unreadable', reason, { cause, remedy: 'Name a file that does not exist yet.' })
    }
    terminal.write(`${printable(options.out)} written: read it before you send it\n`)
    return exitCodes.good
  },
})
