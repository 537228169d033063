import { toHex } from '../../../../shared/bytes/bytes.ts'
import { defineCommand } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { text } from '../../../../shared/config/value-types.ts'
import { OutcomeError } from '../../../../shared/errors.ts'
import { decodeEvidence } from '../../../../shared/evidence/evidence.ts'
import { explainQuote, pcrLines } from '../../../../shared/inspect/quote.ts'
import { parseQuoteAttest } from '../../../../shared/tpm/attest.ts'
import type { PcrValues } from '../../../../shared/tpm/pcr-selection.ts'
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

export const inspectQuoteCommand = defineCommand({
  name: 'inspect quote',
  summary: 'Explain the TPM quote of a stored evidence, without a server',
  description: [
    'FILE is a stored evidence, or a TPMS_ATTEST as tpm2_quote writes it. With --extract the quote is written as ' +
      'quote.msg, quote.sig and quote.qualification (hexadecimal), which tpm2_checkquote takes:',
    '  tpm2_checkquote -u ak.pem -m quote.msg -s quote.sig -q $(cat quote.qualification)',
  ],
  options: {
    signature: { description: 'TPMT_SIGNATURE, where FILE is a TPMS_ATTEST', value: text(4096), placeholder: 'FILE' },
    extract: { description: 'Write the quote into this directory', value: text(4096), placeholder: 'DIR' },
  },
  arguments: { file: inputFile('The stored evidence or TPMS_ATTEST') },
  json: true,
  async run(context) {
    const found = quoteIn(readInput(context.arguments.file), context.options.signature)
    const lines = [...explainQuote(found.attest, found.signature), ...(found.pcrs === null ? [] : pcrLines(found.pcrs))]
    if (context.options.extract !== undefined) {
      const { extraData } = parseQuoteAttest(found.attest)
      writeOutputs(context.options.extract, {
        'quote.msg': found.attest,
        ...(found.signature === null ? {} : { 'quote.sig': found.signature }),
        'quote.qualification': Buffer.from(`${toHex(extraData)}\n`),
      })
    }
    context.present({ lines }, () => renderLines(context, lines))
    return exitCodes.good
  },
})
