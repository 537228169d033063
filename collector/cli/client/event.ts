import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../shared/config/value-types.ts'
import { RECORDED_EVENT_KINDS } from '../../../shared/maturity/events/kinds.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { eventDetail } from './event-detail.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'
import { timeText } from './text.ts'
import { checkedTime } from './time-option.ts'
import { watchable } from './watch/watchable.ts'

const Event = v.looseObject({
  id: v.string(),
  productId: v.string(),
  kind: v.string(),
  detail: v.record(v.string(), v.unknown()),
  occurredAt: v.string(),
  recordedAt: v.string(),
  recordedBy: v.string(),
  reference: v.string(),
  correctedBy: v.nullable(v.string()),
})
type Event = v.InferOutput<typeof Event>

const product = { description: 'Its id, its model, or VENDOR/MODEL.', value: text(260), placeholder: 'PRODUCT' }

const record = defineCommand({
  name: 'event record',
  summary: 'Record something that happened and that no device tells of',
  description: [
    `KIND is one of ${RECORDED_EVENT_KINDS.join(', ')}. What it has to say follows as NAME=VALUE; a fix is ` +
      'fixedIn=RELEASE, or fixedIn=PACKAGE>=VERSION. docs/signals.md lists what each kind takes.',
    'An event is never changed. To correct one, record it anew with --corrects.',
  ],
  examples: [
    'keepseal event record advisory-published --product "Gate 7" \\',
    '    advisory=CVE-2026-1234 severity=critical',
    'keepseal event record fix-released --product "Gate 7" --at 2026-12-01 \\',
    '    advisory=CVE-2026-1234 fixedIn=2.4.1',
  ],
  arguments: {
    kind: { description: 'What happened.', value: choice(RECORDED_EVENT_KINDS) },
    detail: { description: 'NAME=VALUE', multiple: true, optional: true },
  },
  options: {
    ...connectionOptions,
    product: { ...product, required: true },
    at: { description: 'When it happened; now without.', value: checkedTime(), placeholder: 'TIME' },
    reference: { description: 'Where more is written about it.', value: text(512), placeholder: 'TEXT' },
    corrects: { description: 'The event that it stands in place of.', value: text(40), placeholder: 'EVENT' },
  },
  json: true,
  run: async ({ options, arguments: { kind, detail }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const body = {
      productId: await productIdOf(client, options.product),
      kind,
      detail: eventDetail(detail),
      ...(options.at === undefined ? {} : { occurredAt: options.at }),
      ...(options.reference === undefined ? {} : { reference: options.reference }),
      ...(options.corrects === undefined ? {} : { corrects: options.corrects }),
    }
    const made = await client.post('/events', body, Event)
    present(made, () => printable(made.id))
    return exitCodes.good
  },
})

const detailText = (detail: Event['detail']): string =>
  Object.entries(detail)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')

const list = defineCommand({
  name: 'event list',
  summary: 'List what was recorded, newest first',
  options: {
    ...listOptions,
    product,
    kind: { description: 'Of this kind only.', value: choice(RECORDED_EVENT_KINDS), placeholder: 'KIND' },
  },
  json: true,
  run: async (context) => {
    const { options, terminal } = context
    const client = connect(options, terminal.env)
    const productId = options.product === undefined ? undefined : await productIdOf(client, options.product)
    const query = { productId, kind: options.kind }
    const listed = await client.list('/events', query, Event, options.limit ?? DEFAULT_ITEMS)
    const columns = [
      { title: 'HAPPENED', shrinks: false },
      { title: 'KIND', shrinks: false },
      { title: 'WHAT' },
      { title: 'BY' },
    ]
    const row = (each: Event) => [
      timeText(each.occurredAt).slice(0, 16),
      each.correctedBy === null ? each.kind : `${each.kind} (corrected)`,
      detailText(each.detail),
      each.recordedBy,
    ]
    return presentList(context, listed, columns, row, 'Nothing was recorded: keepseal event record --help')
  },
})

export const eventCommands: readonly Command[] = [record, watchable(list)]
