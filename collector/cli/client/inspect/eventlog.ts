import { defineCommand } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { hash } from '../../../../shared/crypto/node.ts'
import { inspectEventLog, type InspectedEventLog } from '../../../../shared/eventlog/inspect.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { inputFile, readInput } from './files.ts'

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
    const log = inspectEventLog(readInput(context.arguments.file), hash)
    context.present(log, () => [...eventLines(log), '', ...pcrLines(log), '', ...secureBootLines(log)].join('\n'))
    return exitCodes.good
  },
})

function eventLines({ events }: InspectedEventLog): string[] {
  return events.map(({ sequence, pcr, type, description, extended, proof }) => {
    const mark = !extended ? 'not measured' : proof === 'mismatch' ? 'DIGEST DOES NOT FIT ITS DATA' : ''
    const head = `${String(sequence).padStart(4)}  PCR ${pcr === null ? '--' : String(pcr).padStart(2)}  ${type}`
    return `${head}${mark === '' ? '' : `  (${mark})`}\n        ${printable(description)}`
  })
}

function pcrLines({ pcrs }: InspectedEventLog): string[] {
  return Object.entries(pcrs).flatMap(([bank, values]) => [
    `${bank}:`,
    ...Object.entries(values ?? {}).map(([pcr, value]) => `  ${pcr.padStart(2)}  ${value}`),
  ])
}

function secureBootLines({ secureBoot, format, trailingBytes }: InspectedEventLog): string[] {
  return [
    `format       ${format}${trailingBytes === 0 ? '' : `, ${trailingBytes} trailing bytes`}`,
    `secure boot  ${String(secureBoot.enabled)}`,
    ...secureBoot.weaknesses.map((weakness) => `weakness     ${weakness}`),
    ...secureBoot.problems.map((problem) => `problem      ${printable(JSON.stringify(problem))}`),
  ]
}
