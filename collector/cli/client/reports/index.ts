import * as v from 'valibot'
import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { REPORT_KINDS, type Report, type ReportKind } from '../../../report/model.ts'
import { openReport } from '../../../report/signed.ts'
import { connect, type ApiClient } from '../api.ts'
import { readKeyFile } from '../collector-key-file.ts'
import { inputFile, readInput, writeOutput } from '../inspect/files.ts'
import { productIdOf } from '../product-reference.ts'
import { connectionOptions } from '../settings.ts'
import { checkedTime } from '../time-option.ts'
import { printToPdf } from './pdf.ts'
import { describeReport } from './view.ts'

const FORMATS = ['html', 'pdf', 'json', 'cbor'] as const
type Format = (typeof FORMATS)[number]

const Answer = v.object({
  digest: v.string(),
  keyId: v.string(),
  report: v.custom<Report>((value) => typeof value === 'object' && value !== null && 'format' in value),
})

const SUMMARIES: Readonly<Record<ReportKind, string>> = {
  surveillance: 'Report on a certificate or a product over a period',
  gap: 'Report what is supported against what the profile asks for, and what to do',
  roadmap: 'Report what is to be done, by whom and until when',
  standards: 'Report how requirements of standards stand, by the practices mapped to them',
}

const options = {
  ...connectionOptions,
  certificate: { description: 'About this certificate with its products.', value: text(128), placeholder: 'ID' },
  product: { description: 'About this product alone.', value: text(260), placeholder: 'PRODUCT' },
  from: {
    description: 'Begin of the period; 91 days before its end without.',
    value: checkedTime(),
    placeholder: 'TIME',
  },
  to: { description: 'End of the period; now without.', value: checkedTime(), placeholder: 'TIME' },
  out: { description: 'File for the report; without, it is told in short.', value: text(4096), placeholder: 'FILE' },
  format: {
    description: 'html, pdf, json or cbor; without, as the name of the file ends.',
    value: choice(FORMATS),
    placeholder: 'FORMAT',
  },
} as const

const reportCommand = (kind: ReportKind): Command =>
  defineCommand({
    name: `report ${kind}`,
    summary: SUMMARIES[kind],
    description: [
      'html is a page that prints; pdf is that page, printed by a browser that is installed (chromium or google-chrome); json has ' +
        'the digests of everything that it rests on; cbor is the same, signed by the collector: keepseal report verify FILE.',
    ],
    examples: [`keepseal report ${kind} --certificate crt_… --out report.html`],
    options,
    json: true,
    async run({ options: given, terminal, present, table }) {
      const { out, certificate, product, from, to } = given
      if ((certificate === undefined) === (product === undefined)) {
        throw new KeepsealError('usage.invalid', 'give one of --certificate and --product')
      }
      const format = formatOf(given.format, out)
      const client = connect(given, terminal.env)
      const productId = product === undefined ? undefined : await productIdOf(client, product)
      const asked = { certificateId: certificate, productId, from, to }
      const query = new URLSearchParams(
        Object.entries(asked).filter((each): each is [string, string] => each[1] !== undefined),
      )
      const path = (form: string): string => `/reports/${kind}${form}?${query.toString()}`
      if (out === undefined || format === undefined) {
        const answer = await client.get(path(''), Answer)
        present(answer, () => describeReport(answer.report, answer.digest, { table }))
        return exitCodes.good
      }
      const { bytes, browser } = await written(client, path, format, terminal.env)
      writeOutput(out, bytes)
      const by = browser === null ? '' : `, printed by ${browser}`
      present(
        { file: out, format, bytes: bytes.length, browser },
        () => `${out}: ${format}, ${bytes.length} bytes${by}`,
      )
      return exitCodes.good
    },
  })

/** Error: usage.invalid. */
function formatOf(format: Format | undefined, out: string | undefined): Format | undefined {
  if (out === undefined) {
    if (format !== undefined) throw new KeepsealError('usage.invalid', '--format is that of a file: give --out as well')
    return undefined
  }
  const named = FORMATS.find((each) => out.toLowerCase().endsWith(`.${each}`))
  return format ?? named ?? 'html'
}

async function written(
  client: ApiClient,
  path: (form: string) => string,
  format: Format,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly bytes: Uint8Array; readonly browser: string | null }> {
  if (format === 'json') {
    const answer = await client.get(path(''), Answer)
    return { bytes: Buffer.from(`${JSON.stringify(answer, null, 2)}\n`), browser: null }
  }
  if (format === 'cbor') return { bytes: await client.getBytes(path('/signed')), browser: null }
  const page = await client.getBytes(path('/page'))
  if (format === 'html') return { bytes: page, browser: null }
  const { pdf, browser } = await printToPdf(page, environment)
  return { bytes: pdf, browser }
}

const verify = defineCommand({
  name: 'report verify',
  summary: 'Check a signed report without a server',
  description: ['FILE is one in CBOR. The key is that of the collector: keepseal device result UEID --key-out KEY.'],
  examples: ['keepseal report verify report.cbor --key collector.jwk'],
  arguments: { file: inputFile('The report') },
  options: {
    key: { description: "The collector's public key, as JWK.", value: text(4096), placeholder: 'FILE', required: true },
  },
  json: true,
  run({ arguments: { file }, options: { key }, present, style }) {
    const { report, digest } = openReport(readInput(file), readKeyFile(key))
    present({ digest, report }, () =>
      [
        style('green', 'signed by the given key, or one that followed it'),
        `${String(report['kind'])}, made ${String(report['madeAt'])}`,
        digest,
      ].join('\n'),
    )
    return exitCodes.good
  },
})

export const reportCommands: readonly Command[] = [...REPORT_KINDS.map(reportCommand), verify]
