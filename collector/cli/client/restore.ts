import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { connect } from './api.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { connectionOptions } from './settings.ts'
import { timeText } from './text.ts'

const Restore = v.looseObject({
  number: v.number(),
  restoredAt: v.string(),
  newestReceiptAt: v.nullable(v.string()),
  publishedAt: v.nullable(v.string()),
})
const Gap = v.looseObject({
  ueid: v.string(),
  session: v.string(),
  first: v.number(),
  last: v.number(),
  before: v.nullable(v.string()),
  after: v.string(),
})

const list = defineCommand({
  name: 'restore list',
  summary: 'List when the database was put back from a backup',
  description: ['What was decided after the newest receipt that the backup knew of is lost: see restore gaps.'],
  options: connectionOptions,
  json: true,
  run: async (context) => {
    const { options, terminal } = context
    const { items } = await connect(options, terminal.env).get('/restores', v.object({ items: v.array(Restore) }))
    const columns = [
      { title: 'NUMBER', shrinks: false },
      { title: 'RESTORED', shrinks: false },
      { title: 'NEWEST RECEIPT', shrinks: false },
      { title: 'TOLD', shrinks: false },
    ]
    return presentList(
      context,
      { items, more: false },
      columns,
      ({ number, restoredAt, newestReceiptAt, publishedAt }) => [
        String(number),
        timeText(restoredAt),
        newestReceiptAt === null ? 'none' : timeText(newestReceiptAt),
        publishedAt === null ? 'not yet' : timeText(publishedAt),
      ],
      'The database was never put back.',
    )
  },
})

const gaps = defineCommand({
  name: 'restore gaps',
  summary: 'List reports that are not held because the database was put back then',
  description: [
    'They had a receipt, or may have had one, so that their gateways do not hold them any more either: they count as ' +
      "nobody's loss. What a gateway did between backup and restore of which nothing came later is not listed.",
  ],
  examples: ['keepseal restore gaps 1795708800000 --json'],
  arguments: { number: { description: 'The restore, as `restore list` shows it.' } },
  options: listOptions,
  json: true,
  run: async (context) => {
    const { options, terminal } = context
    const { limit = DEFAULT_ITEMS } = options
    const { number } = context.arguments
    if (!/^[0-9]{1,15}$/.test(number)) throw new KeepsealError('usage.invalid', 'the number of a restore is a number')
    const listed = await connect(options, terminal.env).list(`/restores/${number}/gaps`, {}, Gap, limit)
    const columns = [
      { title: 'DEVICE' },
      { title: 'REPORTS', shrinks: false },
      { title: 'AFTER', shrinks: false },
      { title: 'BEFORE', shrinks: false },
    ]
    return presentList(
      context,
      listed,
      columns,
      ({ ueid, first, last, before, after }) => [
        ueid,
        first === last ? String(first) : `${first}-${last}`,
        before === null ? '-' : timeText(before),
        timeText(after),
      ],
      'This restore explains no gap.',
    )
  },
})

export const restoreCommands: readonly Command[] = [list, gaps]
