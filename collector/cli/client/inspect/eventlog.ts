import { defineCommand } from '../../../../shared/cli/command.ts'
import { hash } from '../../../../shared/crypto/node.ts'
import { inspectEventLog, type InspectedEventLog } from '../../../../shared/eventlog/inspect.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { inputFile, readInput } from './files.ts'
import { digestLines, labelled, wrapped } from './lines.ts'
import { secureBootLines } from './secure-boot-text.ts'
import { orUnreadable } from './unreadable.ts'

export const inspectEventlogCommand = defineCommand({
  name: 'inspect eventlog',
  summary: 'Replay and explain a TCG boot event log, without a server',
  description: [
    'FILE is a log as the kernel gives it in /sys/kernel/security/tpm0/binary_bios_measurements. What it says is its ' +
      'own claim: only a quote proves it.',
  ],
  arguments: { file: inputFile('The event log') },
  json: true,
  async run(context) {
    return orUnreadable(context, () => {
      const log = inspectEventLog(readInput(context.arguments.file), hash)
      context.present(log, () => logLines(log).join('\n'))
    })
  },
})

const logLines = (log: InspectedEventLog): string[] => [
  ...eventLines(log),
  '',
  ...pcrLines(log),
  '',
  ...summaryLines(log),
  ...secureBootLines(log.secureBoot),
]

const INDENT = 8
/** Lists of partitions or boot entries can fill pages. */
const MOST_LINES = 6

function eventLines({ events }: InspectedEventLog): string[] {
  return events.flatMap(({ sequence, pcr, type, description, extended, proof }) => {
    const mark = !extended ? 'not measured' : proof === 'mismatch' ? 'DIGEST DOES NOT FIT ITS DATA' : ''
    const head = `${String(sequence).padStart(4)}  PCR ${pcr === null ? '--' : String(pcr).padStart(2)}  ${type}`
    const lines = wrapped(printable(description), INDENT)
    const more = lines.length > MOST_LINES ? [`${' '.repeat(INDENT)}… (--json tells the rest)`] : []
    return [`${head}${mark === '' ? '' : `  (${mark})`}`, ...lines.slice(0, MOST_LINES), ...more]
  })
}

function pcrLines({ pcrs }: InspectedEventLog): string[] {
  const banks = Object.entries(pcrs)
  if (banks.length === 0) return ['No bank of the log can be computed by this software.']
  return banks.flatMap(([bank, values]) => [
    `PCR values that the log leads to, ${bank}:${Object.keys(values ?? {}).length === 0 ? ' none' : ''}`,
    ...Object.entries(values ?? {}).flatMap(([pcr, value]) => digestLines(`  ${pcr.padStart(2)}  `, value)),
  ])
}

function summaryLines({ format, events, startupLocality, trailingBytes }: InspectedEventLog): string[] {
  const mismatches = events.filter(({ proof }) => proof === 'mismatch').length
  return [
    ...labelled('format', `${format}${trailingBytes === 0 ? '' : `, ${trailingBytes} trailing bytes`}`),
    ...labelled('events', `${events.length}; TPM started from locality ${startupLocality}`),
    ...(mismatches === 0
      ? []
      : labelled('contradictions', `data that is not what the digest of its event covers: in ${mismatches} of them`)),
  ]
}
