import { access, constants } from 'node:fs/promises'
import type { AgentConfig } from '../config/options.ts'
import { LOGS, type LogProbe } from '../measure/protocol.ts'
import { good, type Check } from './check.ts'
import { helperOf, START_HELPER } from './helper.ts'

/** A log of the system that is sent where it may be read, by the agent or by the helper. */
function logCheck(
  about: Pick<Check, 'id' | 'title'>,
  probe: LogProbe,
  fileOf: (config: AgentConfig) => string,
  whereAbsent: string,
): Check {
  return {
    ...about,
    async run(context) {
      const file = fileOf(context.config)
      if (file === '') return { status: 'warning', detail: 'none is configured' }
      const absent = { status: 'warning', detail: `${file} does not exist: ${whereAbsent}` } as const
      try {
        await access(file, constants.R_OK)
        return good(file)
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return absent
      }
      const detail = `${file} may not be read`
      const remedy = 'It is readable by root only on most systems.'
      // The helper reads the system's own logs and no others.
      if (file !== LOGS[probe].path) return { status: 'warning', detail, remedy }
      const asked = await helperOf(context).log(probe)
      if (asked.status !== 'answered') return { status: 'warning', detail, remedy: `${remedy} ${START_HELPER}` }
      const { status } = asked.answer.log
      if (status === 'found') return good(`${file}, through the privileged helper`)
      return status === 'absent' ? absent : { status: 'warning', detail: `${detail} by the helper either (${status})` }
    },
  }
}

export const firmwareLog = logCheck(
  { id: 'firmware-log', title: 'Boot log of the firmware' },
  'firmware-log',
  ({ tpm: { firmwareLogFile } }) => firmwareLogFile,
  'the firmware measures nothing, or has no TPM',
)

export const imaLog = logCheck(
  { id: 'ima-log', title: 'Measurement list of the kernel' },
  'measurement-list',
  ({ tpm: { imaLogFile } }) => imaLogFile,
  'the kernel measures no files (IMA)',
)
