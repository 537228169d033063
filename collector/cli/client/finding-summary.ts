import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { text } from '../../../shared/config/value-types.ts'
import { connect } from './api.ts'
import { productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'
import { counted } from './text.ts'
import { watchable } from './watch/watchable.ts'

const Summary = v.looseObject({
  deviceCount: v.number(),
  items: v.array(
    v.looseObject({
      release: v.nullable(v.string()),
      code: v.string(),
      severity: v.string(),
      subject: v.string(),
      value: v.nullable(v.string()),
      deviceCount: v.number(),
      ofDevices: v.number(),
      suppressedCount: v.number(),
      acknowledgedCount: v.number(),
    }),
  ),
  omitted: v.number(),
  exceptionCount: v.number(),
})

const number = (value: number): string => value.toLocaleString('en-US')

const summary = defineCommand({
  name: 'finding summary',
  summary: 'Tell on how many devices of each release of a product the same was found',
  description: [
    'Of active devices and of findings that are not resolved. Those that an exception suppresses count too.',
  ],
  examples: ['keepseal finding summary "Gate 7"'],
  arguments: { product: { description: 'Id of the product, its model, or VENDOR/MODEL.' } },
  options: {
    ...connectionOptions,
    code: { description: 'Findings with this code only.', value: text(64), placeholder: 'CODE' },
    'by-value': { description: 'Tell apart what was found in one place.' },
  },
  json: true,
  run: async (context) => {
    const { options, arguments: given, terminal, present, table } = context
    const client = connect(options, terminal.env)
    const productId = await productIdOf(client, given.product)
    const query = new URLSearchParams({
      ...(options.byValue ? { by: 'value' } : {}),
      ...(options.code === undefined ? {} : { code: options.code }),
    })
    const shown = await client.get(`/products/${productId}/finding-summary?${query}`, Summary)
    const columns = [
      { title: 'DEVICES', shrinks: false },
      { title: 'RELEASE' },
      { title: 'CODE', shrinks: false },
      { title: 'SUBJECT' },
      ...(options.byValue ? [{ title: 'VALUE' }] : []),
    ]
    const rows = shown.items.map((item) => [
      `${number(item.deviceCount)} of ${number(item.ofDevices)}`,
      item.release ?? 'none',
      item.code,
      item.subject,
      ...(options.byValue ? [item.value ?? 'nothing'] : []),
    ])
    present(shown, () => (rows.length === 0 ? '' : table(columns, rows)))
    if (rows.length === 0) terminal.error(`Nothing was found on ${number(shown.deviceCount)} active devices.\n`)
    const sum = (name: 'suppressedCount' | 'acknowledgedCount'): number =>
      shown.items.reduce((total, item) => total + item[name], 0)
    const [suppressed, acknowledged] = [sum('suppressedCount'), sum('acknowledgedCount')]
    if (suppressed > 0) {
      terminal.error(`${number(suppressed)} suppressed by ${counted(shown.exceptionCount, 'exception')}.\n`)
    }
    if (acknowledged > 0) terminal.error(`${number(acknowledged)} acknowledged.\n`)
    if (shown.omitted > 0) terminal.error(`And ${counted(shown.omitted, 'line')} that are less widespread.\n`)
    return exitCodes.good
  },
})

export const findingSummaryCommands: readonly Command[] = [watchable(summary)]
