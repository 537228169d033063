import { defineCommand } from '../../../../shared/cli/command.ts'
import { hash } from '../../../../shared/crypto/node.ts'
import { inspectImaList, type InspectedImaEntry, type InspectedImaList } from '../../../../shared/ima/inspect.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { inputFile, readInput } from './files.ts'
import { orUnreadable } from './unreadable.ts'

export const inspectImaCommand = defineCommand({
  name: 'inspect ima',
  summary: 'Replay and explain an IMA measurement list, without a server',
  description: [
    'FILE is a list as the kernel gives it in /sys/kernel/security/ima: ascii_runtime_measurements or ' +
      'binary_runtime_measurements, whole. What it says is its own claim: only a quote of PCR 10 proves it.',
  ],
  arguments: { file: inputFile('The measurement list') },
  json: true,
  async run(context) {
    return orUnreadable(context, () => {
      const list = inspectImaList(readInput(context.arguments.file), hash)
      context.present(list, () =>
        [...list.entries.map(entryLine), '', ...pcrLines(list), '', ...summary(list)].join('\n'),
      )
    })
  },
})

function entryLine(entry: InspectedImaEntry): string {
  const { sequence, template, violation, digest, path, templateDigestFits, signedBy, bufferSize } = entry
  const marks = [
    ...(violation ? ['VIOLATION'] : []),
    ...(templateDigestFits === false ? ['TEMPLATE DIGEST DOES NOT FIT THE FIELDS'] : []),
    ...(entry.pcr === 10 ? [] : [`PCR ${entry.pcr}`]),
    ...(signedBy === null ? [] : [`signature of ${signedBy}, not verified`]),
    ...(bufferSize === null ? [] : [`buffer of ${bufferSize} bytes`]),
  ]
  const mark = marks.length === 0 ? '' : `  (${marks.join(', ')})`
  return `${String(sequence).padStart(6)}  ${template.padEnd(7)}  ${printable(path)}${mark}\n        ${digest}`
}

const pcrLines = ({ pcr10 }: InspectedImaList): string[] => [
  'PCR 10 after the last entry, by bank and what the kernel extends it with:',
  ...pcr10.map(
    ({ bank, paddingMode, value }) =>
      `  ${bank}  ${paddingMode === 'per-bank' ? "digests of the bank's hash" : 'SHA-1 digests and zeros'}\n    ${value}`,
  ),
]

function summary({ format, count, violations, otherPcrs, templates, bootAggregate }: InspectedImaList): string[] {
  const kind = format.format === 'ascii' ? 'ascii' : `binary, ${format.byteOrder}, ${format.templateHash}`
  const used = Object.entries(templates).map(([template, entries]) => `${entries} ${template}`)
  return [
    `format          ${kind}`,
    `entries         ${count}${used.length === 0 ? '' : ` (${used.join(', ')})`}`,
    `violations      ${violations}`,
    ...(otherPcrs === 0 ? [] : [`other PCRs      ${otherPcrs}`]),
    `boot aggregate  ${bootAggregate ?? 'missing'}`,
  ]
}
