import type { Output } from '../../../../shared/cli/output.ts'
import type { StyleName } from '../../../../shared/cli/terminal.ts'
import type { BootPart, BootReport, PartStatus } from '../../../../shared/inspect/boot/report.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { advice, paragraph } from '../text.ts'
import { digestLines, labelled, LABEL_WIDTH } from './lines.ts'
import { secureBootLines } from './secure-boot-text.ts'

const MARKS: Readonly<Record<PartStatus, readonly [text: string, style: StyleName]>> = {
  good: ['', 'green'],
  weak: ['WEAK: ', 'yellow'],
  failed: ['FAILED: ', 'red'],
  'not-appraised': ['not checked: ', 'yellow'],
}

/** One line for each part first, then what is wrong and what to do, then the details. */
export function bootText({ style }: Output, report: BootReport): string {
  return [
    ...report.parts.flatMap((part) => partLines(part, style)),
    '',
    ...verdictLines(report, style),
    ...failureLines(report),
    ...(report.quote === null ? [] : ['', ...quoteLines(report)]),
    ...logLines(report),
    ...(report.secureBoot === null ? [] : ['', ...secureBootLines(report.secureBoot)]),
    ...pcrLines(report),
  ].join('\n')
}

export function partLines({ part, status, summary }: BootPart, style: Output['style']): string[] {
  const [mark, name] = MARKS[status]
  const [head = '', ...rest] = labelled(part, `${mark}${summary}`)
  return [`${head.slice(0, LABEL_WIDTH)}${style(name, head.slice(LABEL_WIDTH))}`, ...rest]
}

export function verdictLines(
  { verdict, parts }: Pick<BootReport, 'verdict' | 'parts'>,
  style: Output['style'],
  whenGood = 'all that was given is of one boot and proven',
): string[] {
  const open = parts.filter(({ status }) => status === 'not-appraised').map(({ part }) => part)
  const except = open.length === 0 ? '' : `; not checked: ${open.join(', ')}`
  const [text, name]: [string, StyleName] =
    verdict === 'good'
      ? [`good: ${whenGood}${except}`, 'green']
      : verdict === 'failed'
        ? ['NOT GOOD: see what failed', 'red']
        : [`NOT GOOD: something essential was not checked${except}`, 'yellow']
  return labelled('verdict', text).map((line) => style(name, line))
}

export function failureLines({ parts }: Pick<BootReport, 'parts'>): string[] {
  const SHOWN = 20
  return parts.flatMap(({ part, failures }) => [
    ...failures
      .slice(0, SHOWN)
      .flatMap(({ code, detail, remedy }) => [
        '',
        ...paragraph('', printable(`${part}: ${detail} (${code})`)),
        ...advice('  ', remedy),
      ]),
    ...(failures.length > SHOWN ? ['', `${part}: ${failures.length - SHOWN} more; --json tells all`] : []),
  ])
}

export function quoteLines({ quote }: Pick<BootReport, 'quote'>): string[] {
  if (quote === null) return []
  const { safe } = quote
  return [
    ...labelled('nonce', quote.extraData === '' ? 'none' : quote.extraData),
    ...labelled('signer', quote.qualifiedSigner),
    ...labelled(
      'TPM clock',
      `${quote.clockMs} ms${safe ? '' : ', not safe: it may have been higher before a power cut'}`,
    ),
    ...labelled('TPM boots', `${quote.resetCount} resets, ${quote.restartCount} restarts since the last of them`),
    ...labelled('TPM firmware', quote.firmwareVersion),
    ...labelled('PCR digest', quote.pcrDigest),
  ]
}

function logLines({ eventLog, kernelList, pcrsFrom }: BootReport): string[] {
  const lines = [
    ...(pcrsFrom === 'replay' ? labelled('PCR values', 'not given: those that the logs lead to') : []),
    ...eventLog.flatMap(({ bank, startupLocality, laterEvents, late, notLogged }) => [
      ...labelled(
        `log, ${bank}`,
        `TPM started from locality ${startupLocality}; ${laterEvents} events after the quote`,
      ),
      ...late.flatMap(({ pcr, words }) =>
        labelled('', `PCR ${pcr}: after the log was closed also ${words.map((word) => `"${word}"`).join(', ')}`),
      ),
      ...(notLogged.length === 0
        ? []
        : labelled('', `PCR ${notLogged.join(', ')}: extended without an event in this log`)),
    ]),
    ...kernelList.flatMap(({ bank, laterEntries, violations }) =>
      labelled(`list, ${bank}`, `${laterEntries} entries after the quote; ${violations.length} violations`),
    ),
  ]
  return lines.length === 0 ? [] : ['', ...lines]
}

function pcrLines({ pcrs }: BootReport): string[] {
  if (pcrs === null) return []
  return Object.entries(pcrs).flatMap(([bank, values]) => [
    '',
    `${bank}, as quoted:`,
    ...Object.entries(values).flatMap(([pcr, value]) => digestLines(`  ${pcr.padStart(2)}  `, value)),
  ])
}
