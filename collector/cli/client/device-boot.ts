import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import type { Output } from '../../../shared/cli/output.ts'
import { IMA_PCR } from '../../../shared/eventlog/constants.ts'
import type { SecureBootState } from '../../../shared/eventlog/secure-boot-state.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { secureBootLines } from './inspect/secure-boot-text.ts'
import { connectionOptions } from './settings.ts'
import { field, paragraph, timeText } from './text.ts'

const Boot = v.looseObject({
  ueid: v.string(),
  receivedAt: v.string(),
  tpmFirmwareVersion: v.string(),
  log: v.string(),
  logProblem: v.nullable(v.looseObject({ code: v.string(), detail: v.string() })),
  pcrs: v.array(
    v.looseObject({
      bank: v.string(),
      pcr: v.number(),
      value: v.string(),
      status: v.string(),
      events: v.number(),
      late: v.array(v.string()),
    }),
  ),
  secureBoot: v.nullable(v.looseObject({})),
  problems: v.array(v.looseObject({ code: v.string(), pcr: v.number(), detail: v.optional(v.string()) })),
  events: v.array(
    v.looseObject({ pcr: v.number(), part: v.string(), name: v.string(), description: v.string(), digest: v.string() }),
  ),
  differences: v.nullable(
    v.array(
      v.looseObject({
        code: v.string(),
        subject: v.string(),
        before: v.nullable(v.string()),
        after: v.nullable(v.string()),
      }),
    ),
  ),
})
type Boot = v.InferOutput<typeof Boot>

const LOG: Readonly<Record<string, string>> = {
  proven: 'leads to the quoted values',
  refused: 'refused',
  missing: 'has not arrived yet',
  'not-reported': 'not reported: the values have no history',
}

/** The chain of what was started, and what of it is not as approved. */
export function describeBoot(boot: Boot, { style }: Pick<Output, 'style'>, all: boolean): string[] {
  const { logProblem, secureBoot, differences } = boot
  const chain = boot.events.filter(({ part, name }) => CHAIN.has(part) && !name.startsWith('name of section'))
  return [
    ...field('device', printable(boot.ueid)),
    ...field('quoted', timeText(boot.receivedAt)),
    ...field('TPM firmware', boot.tpmFirmwareVersion),
    ...field('boot log', LOG[boot.log] ?? printable(boot.log)),
    ...(logProblem === null ? [] : field('', printable(`${logProblem.detail} (${logProblem.code})`))),
    ...boot.problems.flatMap(({ code, pcr, detail }) =>
      field('note', printable(`PCR ${pcr}: ${detail ?? ''} (${code})`)),
    ),
    ...(differences === null
      ? field('approved', 'nothing for this device alone; releases: keepseal device show')
      : field('approved', differences.length === 0 ? 'as it was approved' : `${differences.length} differences`)),
    ...(differences ?? []).flatMap(({ code, subject, before, after }) => [
      ...paragraph('  ', `${style('red', printable(code))}: ${printable(subject)}`),
      ...paragraph('    ', printable(`${before ?? 'nothing'} -> ${after ?? 'nothing'}`)),
    ]),
    ...(secureBoot === null ? [] : ['', ...secureBootLines(secureBoot as unknown as SecureBootState)]),
    '',
    ...(all ? boot.events : chain).flatMap(({ pcr, name, description, digest }) => [
      ...paragraph('', printable(`PCR ${String(pcr).padStart(2)}  ${name}`)),
      ...(all ? paragraph('        ', printable(description)) : []),
      `        ${printable(digest)}`,
    ]),
    '',
    ...boot.pcrs.flatMap(({ bank, pcr, value, status, events, late }) => [
      printable(`${bank} ${String(pcr).padStart(2)}  ${statusText(pcr, status, events, late)}`),
      `        ${printable(value)}`,
    ]),
  ]
}

const CHAIN: ReadonlySet<string> = new Set(['firmware', 'boot-loader', 'kernel', 'initial-ram-disk', 'command-line'])

function statusText(pcr: number, status: string, events: number, late: readonly string[]): string {
  if (status === 'untouched') return 'never extended'
  if (status === 'not-logged') return 'extended by something that no log tells'
  if (status === 'not-proven')
    return pcr === IMA_PCR ? 'belongs to the measurement list of the kernel' : 'without a history'
  return `${events} event${events === 1 ? '' : 's'}${late.length === 0 ? '' : `, then ${late.join(', ')}`}`
}

const boot = defineCommand({
  name: 'device boot',
  summary: 'Show what a device has booted, as its TPM proves it, and how that differs from what was approved',
  description: [
    'Without --all the chain of firmware, boot loader, kernel and its parameters; ends with 1 if it differs.',
  ],
  arguments: { ueid: { description: 'Id of the device, as `device list` shows it.' } },
  options: { ...connectionOptions, all: { description: 'Every measured event.' } },
  json: true,
  run: async ({ options, arguments: { ueid }, terminal, present, style }) => {
    const shown = await connect(options, terminal.env).get(
      `/devices/${encodeURIComponent(ueid.toLowerCase())}/boot`,
      Boot,
    )
    present(shown, () => describeBoot(shown, { style }, options.all === true).join('\n'))
    return (shown.differences ?? []).length === 0 ? exitCodes.good : exitCodes.finding
  },
})

const Comparison = v.looseObject({
  ueids: v.array(v.string()),
  tolerances: v.array(v.looseObject({ pcr: v.number(), name: v.string(), kind: v.string(), values: v.number() })),
  conflicts: v.array(v.string()),
  rules: v.string(),
})

const KINDS: Readonly<Record<string, (values: number) => string>> = {
  'any-value': (values) => `may have any value: ${values} were seen`,
  'one-of': (values) => `may have one of the ${values} values seen`,
  optional: () => 'may be missing',
  'any-order': () => 'is free',
}

const compareBoots = defineCommand({
  name: 'device compare-boots',
  summary: 'Compare the boots of several good devices of a product: what would have to be let vary for all of them',
  description: ['Nothing is stored. Ends with 1 if they differ in a way that no rules can express.'],
  arguments: {
    ueid: { description: 'Devices known to be good; the first gives the order of events.', multiple: true },
  },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { ueid: devices }, terminal, present }) => {
    const ueids = devices.map((device) => device.toLowerCase())
    const compared = await connect(options, terminal.env).post('/boot-comparisons', { ueids }, Comparison)
    const { tolerances, conflicts, rules } = compared
    const [first, ...golden] = ueids
    present(compared, () =>
      [
        ...(tolerances.length === 0 ? ['They booted alike: nothing has to be let vary.'] : []),
        ...tolerances.flatMap(({ pcr, name, kind, values }) =>
          paragraph('', printable(`PCR ${String(pcr).padStart(2)}  ${name} ${KINDS[kind]?.(values) ?? kind}`)),
        ),
        ...conflicts.flatMap((conflict) => paragraph('', `conflict: ${printable(conflict)}`)),
        ...(conflicts.length > 0 || golden.length === 0
          ? []
          : [
              'next: to approve this for all devices of the product',
              `  keepseal device approve ${printable(first ?? '')} --scope product \\`,
              ...golden.map((device) => `    --golden ${printable(device)} \\`),
              `    --boot-rules \\\n    ${printable(rules)}`,
            ]),
      ].join('\n'),
    )
    return conflicts.length === 0 ? exitCodes.good : exitCodes.finding
  },
})

export const deviceBootCommands: readonly Command[] = [boot, compareBoots]
