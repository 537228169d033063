import * as v from 'valibot'
import { fromBase64Url } from '../../../shared/bytes/bytes.ts'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes, type ExitCode } from '../../../shared/cli/exit-codes.ts'
import { choice, integer, text } from '../../../shared/config/value-types.ts'
import { EAR_DIALECTS } from '../../../shared/result/ear.ts'
import { printable, printableJson } from '../../../shared/text/printable.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { connect, type Listed } from './api.ts'
import { toldKeys } from './collector-key.ts'
import { keepKeyFile } from './collector-key-file.ts'
import { writeOutput } from './inspect/files.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { timeText, toneOf } from './text.ts'

const Result = v.object({
  claims: v.record(v.string(), v.unknown()),
  cwt: v.string(),
  jwt: v.string(),
  keyId: v.string(),
})
const Signed = v.looseObject({
  number: v.number(),
  issuedAt: v.string(),
  axis: v.string(),
  to: v.string(),
  cause: v.nullable(v.string()),
  cwt: v.string(),
})
const Newest = v.looseObject({ issuedAt: v.string(), cwt: v.string() })

/** The collector keeps no more of a device. */
const MOST_SIGNED = 100

function presentSigned(
  context: Parameters<typeof presentList>[0],
  listed: Listed<v.InferOutput<typeof Signed>>,
): ExitCode {
  const columns = [
    { title: 'NUMBER', shrinks: false },
    { title: 'SIGNED', shrinks: false },
    { title: 'AXIS', shrinks: false },
    { title: 'BECAME', style: toneOf },
    { title: 'CAUSE' },
  ]
  return presentList(
    context,
    listed,
    columns,
    ({ number, issuedAt, axis, to, cause }) => [String(number), timeText(issuedAt), axis, to, cause ?? '-'],
    'It has not changed since results are signed.',
  )
}

const result = defineCommand({
  name: 'device result',
  summary: 'What is concluded about a device now, as a signed attestation result',
  description: [
    'An EAT attestation result (EAR) with the trustworthiness vector of AR4SI, for those who decide by it without asking ' +
      'this collector. It holds for an hour at most. keepseal inspect result explains it without a server.',
    'With --history: those that were signed when the device changed, of which the newest 100 are kept. --number writes one ' +
      'of them with --out; it has expired by its time, and says what was concluded then. --newest gives the one that was signed ' +
      'last: with results.refresh_seconds it is no older than that.',
    'A file of --key-out that is there already keeps its key, which the collector has to have or to have had: what led ' +
      'from there to the key of now is written beside it.',
  ],
  examples: [
    'keepseal device result 01… --out result.cwt --key-out collector.jwk',
    'keepseal device result 01… --history',
    'keepseal device result 01… --number 4711 --out then.cwt',
  ],
  arguments: { ueid: { description: 'The device, as `device list` shows it.' } },
  options: {
    ...listOptions,
    history: { description: 'List those that were signed when the device changed.' },
    number: {
      description: 'The one of this number in the list of --history.',
      value: integer(1, Number.MAX_SAFE_INTEGER),
      placeholder: 'NUMBER',
    },
    newest: { description: 'The one that was signed last, without having one signed now.' },
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
  async run(context) {
    const { options, terminal, present } = context
    const ueid = context.arguments.ueid.toLowerCase()
    const client = connect(options, terminal.env)
    const { dialect, number, limit = DEFAULT_ITEMS } = options
    const path = `/devices/${encodeURIComponent(ueid)}/result`
    const isStored = options.history || options.newest || number !== undefined
    if (options.newest && (options.history || number !== undefined)) {
      throw new KeepsealError('usage.invalid', '--newest gives one result; --history and --number give others')
    }
    if (options.history && (number !== undefined || options.out !== undefined)) {
      throw new KeepsealError('usage.invalid', '--history lists; --number with --out writes one of them')
    }
    if (isStored && (dialect !== undefined || options.jwtOut !== undefined)) {
      throw new KeepsealError('usage.invalid', 'a stored result is a CWT with the names of the current draft')
    }
    const writeKey = async (): Promise<void> => {
      if (options.keyOut === undefined) return
      const followed = keepKeyFile(options.keyOut, await toldKeys(client))
      if (followed !== null) terminal.error(`${followed}\n`)
    }
    if (number !== undefined) {
      const { items } = await client.list(`${path}s`, {}, Signed, MOST_SIGNED)
      const signed = items.find((each) => each.number === number)
      if (signed === undefined) {
        throw new KeepsealError('request.not-found', `no result ${number} of ${ueid}`, {
          remedy: 'See those that are kept: keepseal device result UEID --history.',
        })
      }
      if (options.out !== undefined) writeOutput(options.out, fromBase64Url(signed.cwt))
      await writeKey()
      present(
        signed,
        () => `signed at ${timeText(signed.issuedAt)}, when ${signed.axis} became ${printable(signed.to)}`,
      )
      return exitCodes.good
    }
    if (options.newest) {
      const newest = await client.get(`${path}s/newest`, Newest)
      if (options.out !== undefined) writeOutput(options.out, fromBase64Url(newest.cwt))
      await writeKey()
      present(newest, () => `signed at ${timeText(newest.issuedAt)}`)
      return exitCodes.good
    }
    if (options.history) {
      const listed = await client.list(`${path}s`, {}, Signed, limit)
      await writeKey()
      return presentSigned(context, listed)
    }
    const query = dialect === undefined ? '' : `?dialect=${dialect}`
    const answer = await client.get(`${path}${query}`, Result)
    if (options.out !== undefined) writeOutput(options.out, fromBase64Url(answer.cwt))
    if (options.jwtOut !== undefined) writeOutput(options.jwtOut, Buffer.from(`${answer.jwt}\n`))
    await writeKey()
    present(answer, () => printableJson(answer.claims))
    return exitCodes.good
  },
})

export const resultCommands: readonly Command[] = [result]
