import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { text } from '../../../shared/config/value-types.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { describeFindings, Finding } from './finding.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { connectionOptions } from './settings.ts'
import { counted, field, timeText } from './text.ts'
import { until } from './until-option.ts'

const Transition = v.looseObject({
  at: v.string(),
  state: v.string(),
  cause: v.string(),
  actor: v.nullable(v.string()),
  before: v.nullable(v.string()),
  after: v.nullable(v.string()),
})

const id = { description: 'Id of the finding, as `finding list --json` or `device show` gives it.' } as const
const pathOf = (finding: string): string => `/findings/${encodeURIComponent(finding)}`

const show = defineCommand({
  name: 'finding show',
  summary: 'Show one finding in full',
  arguments: { id },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { id: finding }, terminal, present, style }) => {
    const shown = await connect(options, terminal.env).get(pathOf(finding), Finding)
    present(shown, () =>
      [
        ...field('device', printable(shown.deviceUeid)),
        ...field('opened', `${counted(shown.openings, 'time')}, first ${printable(timeText(shown.firstOpenedAt))}`),
        ...describeFindings([shown], { style }),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

const history = defineCommand({
  name: 'finding history',
  summary: 'List the steps of a finding: opened, resolved, opened again; newest first',
  arguments: { id },
  options: listOptions,
  json: true,
  run: async (context) => {
    const { options, arguments: given, terminal } = context
    const { limit = DEFAULT_ITEMS } = options
    const path = `${pathOf(given.id)}/transitions`
    const listed = await connect(options, terminal.env).list(path, {}, Transition, limit)
    const columns = [
      { title: 'AT', shrinks: false },
      { title: 'STATE', shrinks: false },
      { title: 'CAUSE', shrinks: false },
      { title: 'BEFORE -> AFTER' },
    ]
    const row = ({ at, state, cause, before, after }: v.InferOutput<typeof Transition>) => [
      timeText(at),
      state,
      cause,
      `${before ?? 'nothing'} -> ${after ?? 'nothing'}`,
    ]
    return presentList(context, listed, columns, row, 'Its steps are older than this collector keeps them.')
  },
})

const acknowledge = defineCommand({
  name: 'finding acknowledge',
  summary: 'Say that a finding is known, and why it may wait, for a time',
  description: [
    'The finding stays open and is counted; a failure stays latched. The acknowledgement ends by itself: with its ' +
      'time, when the finding is resolved, and when something else is found in its place.',
  ],
  examples: ['keepseal finding acknowledge fnd_… --until 30d --reason "fixed with 2.5"'],
  arguments: { id },
  options: {
    ...connectionOptions,
    until: {
      description: 'Until when: 30d, or 2026-12-01; at most 180 days.',
      value: until(),
      placeholder: 'TIME',
      required: true,
    },
    reason: { description: 'Why it may wait.', value: text(1000), placeholder: 'TEXT', required: true },
  },
  json: true,
  run: async ({ options, arguments: { id: finding }, terminal, present }) => {
    const { until: end, reason } = options
    const client = connect(options, terminal.env)
    const shown = await client.post(`${pathOf(finding)}/acknowledge`, { until: end, reason }, Finding)
    present(shown, () => `acknowledged until ${printable(timeText(shown.acknowledgement?.until ?? null))}`)
    return exitCodes.good
  },
})

const unacknowledge = defineCommand({
  name: 'finding unacknowledge',
  summary: 'Take an acknowledgement back before its time',
  arguments: { id },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { id: finding }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const shown = await client.post(`${pathOf(finding)}/unacknowledge`, {}, Finding)
    present(shown, () => 'not acknowledged')
    return exitCodes.good
  },
})

export const findingActCommands: readonly Command[] = [show, history, acknowledge, unacknowledge]
