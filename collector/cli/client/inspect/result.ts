import { defineCommand } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { text } from '../../../../shared/config/value-types.ts'
import { explainResult } from '../../../../shared/inspect/result.ts'
import { readKeyFile } from '../collector-key-file.ts'
import { inputFile, readInput } from './files.ts'
import { renderLines, renderProblems } from './render.ts'

export const inspectResultCommand = defineCommand({
  name: 'inspect result',
  summary: 'Explain a signed attestation result, without a server',
  description: [
    'FILE is a CWT: keepseal device result UEID --out FILE --key-out KEY. Without --key nothing is known about who signed ' +
      'it. What the file of the key says about keys that followed it is followed, for results of their time. The exit code ' +
      'is 0 only for a result that such a key has signed and that has not expired.',
  ],
  examples: ['keepseal inspect result result.cwt --key collector.jwk'],
  arguments: { file: inputFile('The result') },
  options: { key: { description: "The collector's public key, as JWK.", value: text(4096), placeholder: 'FILE' } },
  json: true,
  async run(context) {
    const { key } = context.options
    const now = Math.floor(Date.now() / 1000)
    const report = explainResult(readInput(context.arguments.file), key === undefined ? null : readKeyFile(key), now)
    const { signature, expired, problems, lines } = report
    const said = {
      valid: context.style('green', 'signed by the given key'),
      followed: context.style('green', 'signed by a key that followed the given one'),
      invalid: context.style('red', 'NOT SIGNED by the given key, nor by one that is known to have followed it'),
      unknown: context.style('yellow', 'signature not checked: give the key of the collector with --key'),
    }[signature ?? 'unknown']
    context.present(report, () =>
      problems.length > 0
        ? renderProblems(context, problems)
        : [said, ...(expired ? [context.style('red', 'EXPIRED')] : []), renderLines(context, lines)].join('\n'),
    )
    return (signature === 'valid' || signature === 'followed') && !expired ? exitCodes.good : exitCodes.finding
  },
})
