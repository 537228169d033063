import * as v from 'valibot'
import type { CommandContext } from '../../../shared/cli/command.ts'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes, type ExitCode } from '../../../shared/cli/exit-codes.ts'
import { choice, integer, text } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { groupIdOf, labelsOf } from './group-reference.ts'
import { productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'
import { counted, paragraph } from './text.ts'
import { until } from './until-option.ts'

const Report = v.looseObject({
  dryRun: v.boolean(),
  matched: v.number(),
  sample: v.array(v.string()),
  done: v.number(),
  skipped: v.array(v.looseObject({ reason: v.string(), count: v.number(), sample: v.array(v.string()) })),
  left: v.number(),
  stoppedBy: v.nullable(v.string()),
})
type Report = v.InferOutput<typeof Report>

const expect = {
  description: 'How many a dry run has named; without it this is the dry run.',
  value: integer(0, 5_000),
  placeholder: 'N',
} as const

function describe({ dryRun, matched, sample, done, skipped, left, stoppedBy }: Report): string[] {
  const named = sample.map((each) => `  ${printable(each)}`)
  return [
    `${matched} selected${matched === 0 ? '' : ':'}`,
    ...named,
    ...(matched > sample.length ? [`  and ${matched - sample.length} more`] : []),
    dryRun ? `It would be done to ${done}.` : `Done to ${done}.`,
    ...skipped.flatMap(({ reason, count, sample: some }) =>
      paragraph(
        '',
        `Not to ${count}: ${printable(reason)}: ${printable(some.slice(0, 3).join(', '))}${count > 3 ? ' …' : ''}`,
      ),
    ),
    ...(stoppedBy === null ? [] : [`Stopped by ${printable(stoppedBy)}; ${counted(left, 'one')} left as they were.`]),
    ...(dryRun && matched > 0 ? [`next: the same with --expect ${matched}`] : []),
  ]
}

/** 1 where something that was asked for was not done. */
function report(
  { present }: Pick<CommandContext<Record<never, never>, Record<never, never>>, 'present'>,
  shown: Report,
): ExitCode {
  present(shown, () => describe(shown).join('\n'))
  const isWhole = shown.stoppedBy === null && (shown.dryRun || shown.done === shown.matched)
  return isWhole ? exitCodes.good : exitCodes.finding
}

const devices = defineCommand({
  name: 'device bulk',
  summary: 'Do the same to all devices of a selection; without --expect say to how many',
  description: [
    'Actions: accept, reject, approve, revoke, label. At most 5,000 devices at a time, in chunks that are done wholly or ' +
      'not at all. A device that has failed is not approved this way. Ends with 1 where something was not done.',
  ],
  examples: ['keepseal device bulk accept --product "Gate 7" --enrolment pending'],
  arguments: {
    action: {
      description: 'accept, reject, approve, revoke or label.',
      value: choice(['accept', 'reject', 'approve', 'revoke', 'label']),
    },
  },
  options: {
    ...connectionOptions,
    expect,
    product: { description: 'Devices of this product.', value: text(260), placeholder: 'PRODUCT' },
    enrolment: {
      description: 'pending, active or revoked ones.',
      value: choice(['pending', 'active', 'revoked']),
      placeholder: 'STATE',
    },
    verdict: {
      description: 'With this verdict.',
      value: choice(['affirming', 'warning', 'contraindicated', 'not-appraised']),
      placeholder: 'VERDICT',
    },
    label: { description: 'With this label.', value: text(130), placeholder: 'KEY=VALUE', multiple: true },
    group: { description: 'Of this group.', value: text(128), placeholder: 'GROUP' },
    device: { description: 'This one.', value: text(34), placeholder: 'UEID', multiple: true },
    set: { description: 'With label: give this one.', value: text(130), placeholder: 'KEY=VALUE', multiple: true },
    remove: { description: 'With label: take this one away.', value: text(63), placeholder: 'KEY', multiple: true },
  },
  json: true,
  run: async (context) => {
    const { options, arguments: given, terminal } = context
    const client = connect(options, terminal.env)
    const {
      product,
      enrolment,
      verdict,
      label = [],
      group,
      device = [],
      expect: expected,
      set = [],
      remove = [],
    } = options
    if ((given.action === 'label') !== set.length + remove.length > 0) {
      throw new KeepsealError('usage.invalid', 'label needs --set or --remove, and nothing else has them')
    }
    const selection = {
      productId: product === undefined ? undefined : await productIdOf(client, product),
      groupId: group === undefined ? undefined : await groupIdOf(client, group),
      ueids: device.length === 0 ? undefined : device.map((each) => each.toLowerCase()),
      enrolment,
      verdict,
      label: label.length === 0 ? undefined : label,
    }
    const labels = given.action === 'label' ? { set: labelsOf(set), remove } : undefined
    const body = { action: given.action, selection, expected, labels }
    return report(context, await client.post('/device-actions', body, Report))
  },
})

const acknowledge = defineCommand({
  name: 'finding acknowledge-all',
  summary: 'Acknowledge all findings of a selection; without --expect say how many',
  description: ['As finding acknowledge, at most 5,000 at a time. Ends with 1 where something was not done.'],
  examples: [
    'keepseal finding acknowledge-all --product "Gate 7" --code packages.added \\\n' +
      '  --until 30d --reason "goes with 2.5" --expect 312',
  ],
  options: {
    ...connectionOptions,
    expect,
    product: { description: 'On devices of this product.', value: text(260), placeholder: 'PRODUCT', required: true },
    code: { description: 'With this code.', value: text(64), placeholder: 'CODE', required: true },
    subject: { description: 'About exactly this.', value: text(512), placeholder: 'SUBJECT' },
    group: { description: 'On devices of this group.', value: text(128), placeholder: 'GROUP' },
    until: {
      description: 'Until when: 30d, or 2026-12-01; at most 180 days.',
      value: until(),
      placeholder: 'TIME',
      required: true,
    },
    reason: { description: 'Why they may wait.', value: text(1000), placeholder: 'TEXT', required: true },
  },
  json: true,
  run: async (context) => {
    const { options, terminal } = context
    const client = connect(options, terminal.env)
    const { product, code, subject, group, until: end, reason, expect: expected } = options
    const productId = await productIdOf(client, product)
    const groupId = group === undefined ? undefined : await groupIdOf(client, group)
    const body = { selection: { productId, code, subject, groupId }, until: end, reason, expected }
    return report(context, await client.post('/finding-acknowledgements', body, Report))
  },
})

export const bulkCommands: readonly Command[] = [devices, acknowledge]
