import { toHex } from '../../../../shared/bytes/bytes.ts'
import { defineCommand } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { text } from '../../../../shared/config/value-types.ts'
import type { Output } from '../../../../shared/cli/output.ts'
import * as node from '../../../../shared/crypto/node.ts'
import { KeepsealError, OutcomeError } from '../../../../shared/errors.ts'
import { inspectBoot } from '../../../../shared/inspect/boot/inspect.ts'
import { verdictOf, type BootPart, type BootReport } from '../../../../shared/inspect/boot/report.ts'
import { decodeEvidence } from '../../../../shared/evidence/evidence.ts'
import { explainQuote, pcrLines } from '../../../../shared/inspect/quote.ts'
import { parseQuoteAttest } from '../../../../shared/tpm/attest.ts'
import type { PcrValues } from '../../../../shared/tpm/pcr-selection.ts'
import { bootKeyOf, nonceOf } from './boot-files.ts'
import { failureLines, partLines, verdictLines } from './boot-text.ts'
import { inputFile, readInput, writeOutputs } from './files.ts'
import { renderLines } from './render.ts'

interface FoundQuote {
  readonly attest: Uint8Array
  readonly signature: Uint8Array | null
  readonly pcrs: PcrValues | null
}

/** A TPMS_ATTEST begins with TPM_GENERATED_VALUE; anything else is taken for an evidence. */
function quoteIn(bytes: Uint8Array, signatureFile: string | undefined): FoundQuote {
  const isAttest = toHex(bytes.subarray(0, 4)) === 'ff544347'
  if (isAttest) {
    return { attest: bytes, signature: signatureFile === undefined ? null : readInput(signatureFile), pcrs: null }
  }
  const { tpm } = decodeEvidence(bytes)
  if (tpm === null) throw new OutcomeError('quote.missing')
  return { attest: tpm.attest, signature: tpm.signature, pcrs: tpm.pcrs }
}

interface QuoteReport {
  readonly verdict: BootReport['verdict']
  readonly parts: readonly BootPart[]
}

/** The quote alone: its values have to be known, for there are no logs that could lead to them. */
function appraised(
  { attest, signature, pcrs }: FoundQuote,
  options: {
    readonly key?: string | undefined
    readonly nonce?: string | undefined
    readonly pcrs?: string | undefined
  },
): QuoteReport | undefined {
  if (options.key === undefined && options.nonce === undefined && options.pcrs === undefined) return undefined
  if (options.key === undefined || options.nonce === undefined || signature === null) {
    const missing = signature === null ? '--signature' : options.key === undefined ? '--key' : '--nonce'
    throw new KeepsealError(
      'usage.invalid',
      `a quote is checked with its key, its nonce and its signature: ${missing} is missing`,
    )
  }
  const { parts } = inspectBoot(
    {
      attest,
      signature,
      key: bootKeyOf(readInput(options.key)),
      nonce: nonceOf(options.nonce),
      pcrs: options.pcrs === undefined ? pcrs : readInput(options.pcrs),
      eventLog: null,
      ima: null,
      endorsementKeys: [],
      endorsement: null,
    },
    { hash: node.hash, importer: node },
  )
  const own = parts.filter(({ part }) => part === 'quote' || part === 'key')
  return { verdict: verdictOf(own), parts: own }
}

function verdictText({ style }: Output, report: QuoteReport): string {
  const parts = report.parts.flatMap((part) => partLines(part, style))
  return [
    ...parts,
    '',
    ...verdictLines(report, style, 'signed by the key and bound to the nonce, over the given PCR values'),
    ...failureLines(report),
  ].join('\n')
}

export const inspectQuoteCommand = defineCommand({
  name: 'inspect quote',
  summary: 'Explain the TPM quote of a stored evidence, without a server',
  description: [
    'FILE is a stored evidence, or a TPMS_ATTEST as tpm2_quote writes it. With --extract the quote is written as ' +
      'quote.msg, quote.sig and quote.qualification (hexadecimal), which tpm2_checkquote takes:',
    '  tpm2_checkquote -u ak.pem -m quote.msg -s quote.sig -q $(cat quote.qualification)',
    'With --key and --nonce the quote is checked; the exit code is 1 unless it is good, and JSON then has verdict and ' +
      'parts as those of inspect boot, which takes the logs too.',
  ],
  options: {
    signature: { description: 'TPMT_SIGNATURE, where FILE is a TPMS_ATTEST', value: text(4096), placeholder: 'FILE' },
    key: {
      description: 'Check the quote with this key: TPM2B_PUBLIC, TPMT_PUBLIC or PEM',
      value: text(4096),
      placeholder: 'FILE',
    },
    nonce: { description: 'Expected qualifying data, with --key', value: text(128), placeholder: 'HEX' },
    pcrs: {
      description: 'PCR values of tpm2_quote --pcr or tpm2_pcrread, with --key',
      value: text(4096),
      placeholder: 'FILE',
    },
    extract: { description: 'Write the quote into this directory', value: text(4096), placeholder: 'DIR' },
  },
  arguments: { file: inputFile('The stored evidence or TPMS_ATTEST') },
  json: true,
  async run(context) {
    const found = quoteIn(readInput(context.arguments.file), context.options.signature)
    const report = appraised(found, context.options)
    const explained = explainQuote(found.attest, found.signature).map((line) =>
      report !== undefined && line.path === 'quote.signature' ? { ...line, meaning: 'see below' } : line,
    )
    const lines = [...explained, ...(found.pcrs === null ? [] : pcrLines(found.pcrs))]
    if (context.options.extract !== undefined) {
      const { extraData } = parseQuoteAttest(found.attest)
      writeOutputs(context.options.extract, {
        'quote.msg': found.attest,
        ...(found.signature === null ? {} : { 'quote.sig': found.signature }),
        'quote.qualification': Buffer.from(`${toHex(extraData)}\n`),
      })
    }
    if (report === undefined) {
      context.present({ lines }, () => renderLines(context, lines))
      return exitCodes.good
    }
    context.present({ lines, ...report }, () =>
      [renderLines(context, lines), '', verdictText(context, report)].join('\n'),
    )
    return report.verdict === 'good' ? exitCodes.good : exitCodes.finding
  },
})
