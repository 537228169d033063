import { toHex } from '../bytes/bytes.ts'
import { parseQuoteAttest } from '../tpm/attest.ts'
import type { PcrSelection, PcrValues } from '../tpm/pcr-selection.ts'
import { parseSignature } from '../tpm/signature.ts'
import type { ReportLine } from './report.ts'

/** What a quote says. Throws OutcomeError `tpm.*` or `quote.*` for one that cannot be read. Nothing is checked. */
export function explainQuote(attest: Uint8Array, signature: Uint8Array | null): ReportLine[] {
  const { qualifiedSigner, extraData, clockInfo, firmwareVersion, selection, pcrDigest } = parseQuoteAttest(attest)
  const line = (name: string, value: string, meaning: string): ReportLine => ({ path: `quote.${name}`, value, meaning })
  const lines = [
    line('signer', toHex(qualifiedSigner), 'qualified name of the attestation key'),
    line('extraData', toHex(extraData), 'what the quote is bound to'),
    line('clock', `${clockInfo.clock} ms`, 'time that the TPM was powered'),
    line('resetCount', `${clockInfo.resetCount}`, 'boots since the TPM was cleared'),
    line('restartCount', `${clockInfo.restartCount}`, 'resumes since the last boot'),
    line('safe', clockInfo.safe ? 'yes' : 'no', 'no: the clock may have been higher before a power cut'),
    line('firmware', firmwareVersion.toString(16).padStart(16, '0'), 'TPM firmware version'),
    line('pcrs', selectionText(selection), 'quoted PCRs'),
    line('pcrDigest', toHex(pcrDigest), 'digest over their values'),
  ]
  if (signature === null) return lines
  const { scheme, hash } = parseSignature(signature)
  return [...lines, line('signature', `${scheme} with ${hash}`, 'not checked here')]
}

/** `sha256:0-7,14` */
export function selectionText(selection: PcrSelection): string {
  return selection.map(({ bank, pcrs }) => `${bank}:${ranges(pcrs)}`).join(' ')
}

function ranges(numbers: readonly number[]): string {
  const parts: string[] = []
  for (let i = 0; i < numbers.length;) {
    let last = i
    while (numbers[last + 1] === (numbers[last] ?? 0) + 1) last++
    parts.push(last === i ? `${numbers[i]}` : `${numbers[i]}-${numbers[last]}`)
    i = last + 1
  }
  return parts.join(',')
}

export function pcrLines(pcrs: PcrValues): ReportLine[] {
  return [...pcrs].flatMap(([bank, values]) =>
    [...values].map(([pcr, value]) => ({ path: `pcr.${bank}.${pcr}`, value: toHex(value), meaning: 'reported value' })),
  )
}
