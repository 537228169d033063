import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../shared/config/value-types.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { describeFindings, Finding } from './finding.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'
import { field, timeText } from './text.ts'

const Case = v.looseObject({
  id: v.string(),
  productId: v.string(),
  certificateId: v.string(),
  cause: v.string(),
  title: v.string(),
  trigger: v.string(),
  state: v.string(),
  openedAt: v.string(),
  triageBy: v.string(),
  overdue: v.boolean(),
})
const CaseDetail = v.looseObject({ ...Case.entries, findingCount: v.number(), findings: v.array(Finding) })

const list = defineCommand({
  name: 'case list',
  summary: 'List reassessment cases, newest first',
  options: {
    ...listOptions,
    state: {
      description: 'triggered, triaged or closed ones only.',
      value: choice(['triggered', 'triaged', 'closed']),
      placeholder: 'STATE',
    },
    product: { description: 'Of this product only.', value: text(260), placeholder: 'PRODUCT' },
  },
  json: true,
  run: async (context) => {
    const { options, terminal } = context
    const client = connect(options, terminal.env)
    const { state, product, limit = DEFAULT_ITEMS } = options
    const productId = product === undefined ? undefined : await productIdOf(client, product)
    const listed = await client.list('/cases', { state, productId }, Case, limit)
    const columns = [
      { title: 'CASE', shrinks: false },
      ...(terminal.columns >= 100 ? [{ title: 'STATE' }] : []),
      { title: 'TRIAGE BY', style: (cell: string) => (cell.endsWith('!') ? ('red' as const) : undefined) },
      { title: 'CAUSE', shrinks: false },
    ]
    return presentList(
      context,
      listed,
      columns,
      (each) => [
        each.id,
        ...(terminal.columns >= 100 ? [each.state] : []),
        `${each.triageBy.slice(0, 10)}${each.overdue ? ' !' : ''}`,
        each.cause,
      ],
      'There is no such case.',
    )
  },
})

const show = defineCommand({
  name: 'case show',
  summary: 'Show one reassessment case with its findings',
  arguments: { id: { description: 'Id of the case, as `case list` shows it.' } },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { id }, terminal, present, style }) => {
    const client = connect(options, terminal.env)
    const shown = await client.get(`/cases/${encodeURIComponent(id)}`, CaseDetail)
    present(shown, () => {
      const line = (name: string, value: string): string[] => field(name, printable(value))
      const hidden = shown.findingCount - shown.findings.length
      return [
        ...line('case', shown.id),
        ...line('cause', shown.cause),
        ...line('', shown.title),
        ...line('trigger', shown.trigger),
        ...line('state', shown.state),
        ...line('opened', timeText(shown.openedAt)),
        ...line('triage by', `${timeText(shown.triageBy)}${shown.overdue ? ' (overdue)' : ''}`),
        ...line('product', shown.productId),
        ...line('certificate', shown.certificateId),
        ...line('findings', String(shown.findingCount)),
        ...describeFindings(shown.findings, { style }),
        ...(hidden > 0 ? [`  and ${hidden} more`] : []),
      ].join('\n')
    })
    return exitCodes.good
  },
})

export const caseCommands: readonly Command[] = [list, show]
