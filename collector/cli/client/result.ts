import * as v from 'valibot'
import { fromBase64Url } from '../../../shared/bytes/bytes.ts'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../shared/config/value-types.ts'
import { EAR_DIALECTS } from '../../../shared/result/ear.ts'
import { printableJson } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { writeOutput } from './inspect/files.ts'
import { connectionOptions } from './settings.ts'

const Result = v.object({
  claims: v.record(v.string(), v.unknown()),
  cwt: v.string(),
  jwt: v.string(),
  keyId: v.string(),
})
const Collector = v.object({ keyId: v.string(), key: v.object({ kty: v.string(), crv: v.string(), x: v.string() }) })

const result = defineCommand({
  name: 'device result',
  summary: 'What is concluded about a device now, as a signed attestation result',
  description: [
    'An EAT attestation result (EAR) with the trustworthiness vector of AR4SI, for those who decide by it without asking ' +
      'this collector. It holds for an hour at most. keepseal inspect result explains it without a server.',
  ],
  examples: ['keepseal device result 01… --out result.cwt --key-out collector.jwk'],
  arguments: { ueid: { description: 'The device, as `device list` shows it.' } },
  options: {
    ...connectionOptions,
    dialect: {
      description: 'Names of the current draft (without this option), or those that Veraison reads.',
      value: choice(EAR_DIALECTS),
      placeholder: 'DIALECT',
    },
    out: { description: 'File for the result as CWT.', value: text(4096), placeholder: 'FILE' },
    'jwt-out': { description: 'File for the result as JWT.', value: text(4096), placeholder: 'FILE' },
    'key-out': { description: "File for the collector's public key, as JWK.", value: text(4096), placeholder: 'FILE' },
  },
  json: true,
  async run({ options, arguments: { ueid }, terminal, present }) {
    const client = connect(options, terminal.env)
    const { dialect } = options
    const query = dialect === undefined ? '' : `?dialect=${dialect}`
    const answer = await client.get(`/devices/${encodeURIComponent(ueid)}/result${query}`, Result)
    if (options.out !== undefined) writeOutput(options.out, fromBase64Url(answer.cwt))
    if (options.jwtOut !== undefined) writeOutput(options.jwtOut, Buffer.from(`${answer.jwt}\n`))
    if (options.keyOut !== undefined) {
      const { key } = await client.get('/collector', Collector)
      writeOutput(options.keyOut, Buffer.from(`${JSON.stringify(key)}\n`))
    }
    present(answer, () => printableJson(answer.claims))
    return exitCodes.good
  },
})

export const resultCommands: readonly Command[] = [result]
