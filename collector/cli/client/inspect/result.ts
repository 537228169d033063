import * as v from 'valibot'
import { fromBase64Url } from '../../../../shared/bytes/bytes.ts'
import { defineCommand } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { text } from '../../../../shared/config/value-types.ts'
import { coseKeyThumbprint } from '../../../../shared/cose/key.ts'
import { ed25519Key, hash } from '../../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { explainResult, type ResultKey } from '../../../../shared/inspect/result.ts'
import { inputFile, readInput } from './files.ts'
import { renderLines, renderProblems } from './render.ts'

const Jwk = v.object({
  kty: v.literal('OKP'),
  crv: v.literal('Ed25519'),
  x: v.pipe(v.string(), v.regex(/^[\w-]{43}$/)),
})

export const inspectResultCommand = defineCommand({
  name: 'inspect result',
  summary: 'Explain a signed attestation result, without a server',
  description: [
    'FILE is a CWT: keepseal device result UEID --out FILE --key-out KEY. Without --key nothing is known about who signed ' +
      'it. The exit code is 0 only for a result that the key has signed and that has not expired.',
  ],
  examples: ['keepseal inspect result result.cwt --key collector.jwk'],
  arguments: { file: inputFile('The result') },
  options: { key: { description: "The collector's public key, as JWK.", value: text(4096), placeholder: 'FILE' } },
  json: true,
  async run(context) {
    const { key } = context.options
    const now = Math.floor(Date.now() / 1000)
    const report = explainResult(readInput(context.arguments.file), key === undefined ? null : readKey(key), now)
    const { signature, expired, problems, lines } = report
    const said = {
      valid: context.style('green', 'signed by the given key'),
      invalid: context.style('red', 'NOT SIGNED by the given key'),
      unknown: context.style('yellow', 'signature not checked: give the key of the collector with --key'),
    }[signature ?? 'unknown']
    context.present(report, () =>
      problems.length > 0
        ? renderProblems(context, problems)
        : [said, ...(expired ? [context.style('red', 'EXPIRED')] : []), renderLines(context, lines)].join('\n'),
    )
    return signature === 'valid' && !expired ? exitCodes.good : exitCodes.finding
  },
})

/** A key as `device result --key-out` writes it. Error: file.unreadable. */
export function readKey(name: string): ResultKey {
  try {
    const { x } = v.parse(Jwk, JSON.parse(Buffer.from(readInput(name)).toString('utf8')))
    const bytes = fromBase64Url(x)
    return { key: ed25519Key(bytes), thumbprint: coseKeyThumbprint({ curve: 'Ed25519', x: bytes }, hash) }
  } catch (cause) {
    if (cause instanceof KeepsealError) throw cause
    throw new KeepsealError('file.unreadable', `${name} holds no Ed25519 key as JWK`, { cause })
  }
}
