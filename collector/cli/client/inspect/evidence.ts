import { defineCommand } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { hash } from '../../../../shared/crypto/node.ts'
import { explainEvidence } from '../../../../shared/inspect/evidence.ts'
import { inputFile, readInput } from './files.ts'
import { renderLines, renderProblems } from './render.ts'

export const inspectEvidenceCommand = defineCommand({
  name: 'inspect evidence',
  summary: 'Explain a stored evidence field by field, without a server',
  description: [
    'FILE is a message as the collector stored it: keepseal device evidence UEID --out FILE. What is damaged is named ' +
      'with its code, and the exit code is 1. No key is known here, so that no signature is checked.',
  ],
  arguments: { file: inputFile('The stored message') },
  json: true,
  async run(context) {
    const report = explainEvidence(readInput(context.arguments.file), hash)
    context.present(report, () =>
      [
        `evidence of ${report.size} bytes, SHA-256 ${report.hash}`,
        ...(report.lines.length === 0 ? [] : [renderLines(context, report.lines)]),
        ...(report.problems.length === 0 ? [] : [renderProblems(context, report.problems)]),
      ].join('\n'),
    )
    return report.problems.length === 0 ? exitCodes.good : exitCodes.finding
  },
})
