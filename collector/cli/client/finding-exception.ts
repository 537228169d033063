import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { text } from '../../../shared/config/value-types.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { groupIdOf } from './group-reference.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'
import { timeText } from './text.ts'
import { until } from './until-option.ts'

const Exception = v.looseObject({
  id: v.string(),
  productId: v.string(),
  deviceUeid: v.nullable(v.string()),
  groupId: v.nullable(v.string()),
  code: v.string(),
  subject: v.string(),
  reason: v.string(),
  expiresAt: v.string(),
  state: v.string(),
})

const create = defineCommand({
  name: 'exception create',
  summary: 'Let findings of one code and subject not act for a while',
  description: [
    'They are shown and counted as suppressed, by this exception: nobody is told of them and no case is opened. When it ' +
      'is over they act again by themselves. What is about integrity cannot be suppressed. The verdict of a device ' +
      'stays what its evidence says.',
  ],
  examples: [
    'keepseal exception create --product "Gate 7" --code sockets.listener-added \\\n' +
      '  --subject "tcp/0.0.0.0:8080" --until 30d --reason "diagnosis of ticket 81"',
  ],
  options: {
    ...connectionOptions,
    product: { description: 'For devices of this product.', value: text(260), placeholder: 'PRODUCT', required: true },
    device: { description: 'For this device of it only.', value: text(34), placeholder: 'UEID' },
    group: { description: 'For devices of this group only.', value: text(64), placeholder: 'GROUP' },
    code: { description: 'Code of the findings.', value: text(64), placeholder: 'CODE', required: true },
    subject: {
      description: 'What they are about; one * stands for anything.',
      value: text(512),
      placeholder: 'PATTERN',
      required: true,
    },
    until: {
      description: 'Until when: 30d, or 2026-12-01; at most 180 days.',
      value: until(),
      placeholder: 'TIME',
      required: true,
    },
    reason: { description: 'Why.', value: text(1000), placeholder: 'TEXT', required: true },
  },
  json: true,
  run: async ({ options, terminal, present }) => {
    const client = connect(options, terminal.env)
    const { product, device, group, code, subject, until: expiresAt, reason } = options
    const productId = await productIdOf(client, product)
    const groupId = group === undefined ? null : await groupIdOf(client, group)
    const deviceUeid = device?.toLowerCase() ?? null
    const wanted = { productId, deviceUeid, groupId, code, subject, expiresAt, reason }
    const made = await client.post('/finding-exceptions', wanted, Exception)
    present(made, () => `${printable(made.id)} until ${printable(timeText(made.expiresAt))}`)
    return exitCodes.good
  },
})

const list = defineCommand({
  name: 'exception list',
  summary: 'List exceptions, newest first; without --all those that act now',
  options: {
    ...listOptions,
    product: { description: 'Of this product only.', value: text(260), placeholder: 'PRODUCT' },
    all: { description: 'Also those that are over.' },
  },
  json: true,
  run: async (context) => {
    const { options, terminal } = context
    const client = connect(options, terminal.env)
    const { product, all, limit = DEFAULT_ITEMS } = options
    const productId = product === undefined ? undefined : await productIdOf(client, product)
    const query = { productId, state: all ? undefined : 'active' }
    const listed = await client.list('/finding-exceptions', query, Exception, limit)
    const columns = [
      { title: 'EXCEPTION', shrinks: false },
      { title: 'UNTIL', shrinks: false },
      ...(all ? [{ title: 'STATE', shrinks: false }] : []),
      { title: 'CODE AND SUBJECT' },
    ]
    const row = ({ id, expiresAt, state, code, subject }: v.InferOutput<typeof Exception>) => [
      id,
      expiresAt.slice(0, 10),
      ...(all ? [state] : []),
      `${code} ${subject}`,
    ]
    return presentList(context, listed, columns, row, 'There is no such exception: everything acts.')
  },
})

const end = defineCommand({
  name: 'exception end',
  summary: 'End an exception before its time: what it covers acts again',
  arguments: { id: { description: 'Id of the exception, as `exception list` shows it.' } },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { id }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const ended = await client.post(`/finding-exceptions/${encodeURIComponent(id)}/end`, {}, Exception)
    present(ended, () => 'ended')
    return exitCodes.good
  },
})

export const findingExceptionCommands: readonly Command[] = [create, list, end]
