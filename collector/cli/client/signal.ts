import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { integer, text } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { toStored } from '../../../shared/maturity/conformity/sample.ts'
import { valueText } from '../../../shared/maturity/conformity/reasons.ts'
import { isSignalId, SIGNALS, type SignalId } from '../../../shared/maturity/signals.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { practiceOf } from './practice-names.ts'
import { productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'
import { field } from './text.ts'
import { watchable } from './watch/watchable.ts'

const Sample = v.looseObject({
  day: v.string(),
  value: v.nullable(v.number()),
  good: v.number(),
  known: v.number(),
  denominator: v.number(),
  idle: v.boolean(),
})
const Signal = v.looseObject({
  signal: v.string(),
  title: v.string(),
  source: v.string(),
  objective: v.string(),
  practices: v.array(v.string()),
  shown: v.string(),
  newest: v.nullable(Sample),
})
type Signal = v.InferOutput<typeof Signal>

const product = { description: 'Its id, its model, or VENDOR/MODEL.', value: text(260), placeholder: 'PRODUCT' }

const knownText = ({ newest }: Signal): string =>
  newest === null || newest.denominator === 0 ? '-' : `${newest.known}/${newest.denominator}`

const list = defineCommand({
  name: 'signal list',
  summary: 'List what is measured about practices, with the newest values of a product',
  options: {
    ...connectionOptions,
    product: { ...product, required: true },
    practice: { description: 'Of this practice only.', value: text(64), placeholder: 'NAME' },
  },
  json: true,
  run: async ({ options, terminal, present, table }) => {
    const practice = options.practice === undefined ? undefined : practiceOf(options.practice)
    const client = connect(options, terminal.env)
    const query = practice === undefined ? '' : `?practice=${practice}`
    const path = `/products/${await productIdOf(client, options.product)}/signals${query}`
    const listed = await client.get(path, v.looseObject({ items: v.array(Signal) }))
    const columns = [
      { title: 'SIGNAL', shrinks: false },
      { title: 'VALUE', align: 'right' },
      { title: 'WANTED' },
      { title: 'KNOWN', align: 'right' },
      { title: 'SOURCE' },
    ] as const
    const row = (each: Signal): string[] => [each.signal, each.shown, each.objective, knownText(each), each.source]
    present(listed, () => table(columns, listed.items.map(row)))
    return exitCodes.good
  },
})

const show = defineCommand({
  name: 'signal show',
  summary: 'Show one signal of a product, day by day',
  arguments: { signal: { description: 'Its name, as signal list has it.' } },
  options: {
    ...connectionOptions,
    product: { ...product, required: true },
    days: { description: 'How far back; 28 without.', value: integer(1, 999), placeholder: 'N' },
  },
  json: true,
  run: async ({ options, arguments: { signal }, terminal, present, table }) => {
    if (!isSignalId(signal)) throw new KeepsealError('usage.invalid', `no signal: ${signal}; see keepseal signal list`)
    const client = connect(options, terminal.env)
    const path = `/products/${await productIdOf(client, options.product)}/signals/${signal}?days=${options.days ?? 28}`
    const shown = await client.get(path, v.looseObject({ ...Signal.entries, history: v.array(Sample) }))
    const columns = [
      { title: 'DAY', shrinks: false },
      { title: 'VALUE', align: 'right' },
      { title: 'GOOD', align: 'right' },
      { title: 'KNOWN', align: 'right' },
      { title: 'OF', align: 'right' },
    ] as const
    const row = (each: v.InferOutput<typeof Sample>): string[] => [
      each.day,
      dayText(signal, each),
      ...[each.good, each.known, each.denominator].map(String),
    ]
    const about = [
      ...field('signal', printable(shown.title)),
      ...field('wanted', printable(shown.objective)),
      ...field('source', printable(shown.source)),
      ...field('newest', printable(shown.shown)),
    ]
    present(shown, () => [...about, '', table(columns, shown.history.map(row))].join('\n'))
    return exitCodes.good
  },
})

function dayText(signal: SignalId, { value, idle }: v.InferOutput<typeof Sample>): string {
  if (value === null) return idle ? 'no occasion' : 'not known'
  return valueText(SIGNALS[signal], toStored(SIGNALS[signal].unit, value))
}

const Units = v.looseObject({ declared: v.nullable(v.number()), retireAfterDays: v.number() })

const units = defineCommand({
  name: 'product units',
  summary: 'Show, or declare, how many units of a product are in use: what shares are of',
  description: ['Without a number shares are of the enrolled units; where more are enrolled than declared, of those.'],
  arguments: { product: { description: 'Its id, its model, or VENDOR/MODEL.' } },
  options: {
    ...connectionOptions,
    declared: { description: 'How many are in use.', value: integer(0, 1_000_000_000), placeholder: 'N' },
    'retire-after': {
      description: 'Days without a sign after which a unit is in no denominator.',
      value: integer(1, 3650),
      placeholder: 'DAYS',
    },
  },
  json: true,
  run: async ({ options, arguments: { product: named }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const path = `/products/${await productIdOf(client, named)}/units`
    const { declared, retireAfter: retireAfterDays } = options
    const before = await client.get(path, Units)
    const isSet = declared !== undefined || retireAfterDays !== undefined
    const body = {
      declared: declared ?? before.declared,
      ...(retireAfterDays === undefined ? {} : { retireAfterDays }),
    }
    const now = isSet ? await client.put(path, body, Units) : before
    present(now, () =>
      [
        ...field('declared', now.declared === null ? 'nothing: of the enrolled units' : String(now.declared)),
        ...field('retired', `after ${now.retireAfterDays} days without a sign`),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

export const signalCommands: readonly Command[] = [watchable(list), watchable(show), units]
