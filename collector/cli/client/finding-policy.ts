import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { choice, integer, text } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { listOptions, presentList } from './listing.ts'
import { productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'
import { toneOf } from './text.ts'

const Hysteresis = v.nullable(v.looseObject({ count: v.number(), of: v.number(), spacingSeconds: v.number() }))
const Policy = v.looseObject({
  code: v.string(),
  severity: v.string(),
  hysteresis: Hysteresis,
  defaultSeverity: v.string(),
  setBy: v.nullable(v.string()),
})
type Policy = v.InferOutput<typeof Policy>

const waitOf = ({ hysteresis }: Policy): string =>
  hysteresis === null ? 'at once' : `${hysteresis.count} of ${hysteresis.of}`

const product = { description: 'Id of the product, its model, or VENDOR/MODEL.' } as const
const pathOf = (productId: string): string => `/products/${productId}/finding-policies`

const list = defineCommand({
  name: 'finding policies',
  summary: 'List severity and hysteresis of findings of a product; without --all what it sets itself',
  arguments: { product },
  options: { ...listOptions, all: { description: 'Also what holds for everybody.' } },
  json: true,
  run: async (context) => {
    const { options, arguments: given, terminal } = context
    const client = connect(options, terminal.env)
    const Answer = v.looseObject({ items: v.array(Policy) })
    const { items } = await client.get(pathOf(await productIdOf(client, given.product)), Answer)
    const shown = options.all ? items : items.filter(({ setBy }) => setBy !== null)
    const columns = [
      { title: 'CODE', shrinks: false },
      { title: 'SEVERITY', style: toneOf },
      { title: 'USUALLY', style: toneOf },
      { title: 'A FINDING' },
    ]
    const row = (each: Policy) => [each.code, each.severity, each.defaultSeverity, waitOf(each)]
    const none = 'The product sets nothing: keepseal finding policy PRODUCT CODE --severity low'
    return presentList(context, { items: shown, more: false }, columns, row, none)
  },
})

const set = defineCommand({
  name: 'finding policy',
  summary: 'Set the severity and the hysteresis of findings of one code for a product',
  description: [
    'With --hysteresis 3/5 a finding opens with the third bad one of five reports, and is resolved after ten good ones ' +
      'in a row. Only what is measured can wait. What is not given is as it is for everybody; --default takes all back.',
  ],
  examples: ['keepseal finding policy "Gate 7" patch-level.updates-pending \\\n  --hysteresis 3/3 --spacing 28800'],
  arguments: { product, code: { description: 'Code of the findings, as `finding list` shows it.' } },
  options: {
    ...connectionOptions,
    severity: {
      description: 'critical, high, medium or low.',
      value: choice(['critical', 'high', 'medium', 'low']),
      placeholder: 'SEVERITY',
    },
    hysteresis: { description: 'N of M evaluations, as 2/3.', value: text(5), placeholder: 'N/M' },
    spacing: {
      description: 'With --hysteresis: reports nearer than this are one; 60 without.',
      value: integer(0, 604_800),
      placeholder: 'SECONDS',
    },
    default: { description: 'Take back what the product has set.' },
  },
  json: true,
  run: async ({ options, arguments: given, terminal, present }) => {
    const { severity = null, hysteresis, spacing = 60 } = options
    if (options.default === (severity !== null || hysteresis !== undefined)) {
      throw new KeepsealError('usage.invalid', 'give --severity, --hysteresis or both, or --default alone')
    }
    const client = connect(options, terminal.env)
    const path = `${pathOf(await productIdOf(client, given.product))}/${encodeURIComponent(given.code)}`
    const wanted = { severity, hysteresis: hysteresis === undefined ? null : parts(hysteresis, spacing) }
    const policy = await client.put(path, wanted, Policy)
    present(policy, () => `${printable(policy.code)}: ${printable(policy.severity)}, ${waitOf(policy)}`)
    return exitCodes.good
  },
})

function parts(given: string, spacingSeconds: number) {
  const [, count, of] = /^([0-9]{1,2})\/([0-9]{1,2})$/.exec(given) ?? []
  if (count === undefined) throw new KeepsealError('usage.invalid', '--hysteresis is N/M, as 2/3')
  return { count: Number(count), of: Number(of), spacingSeconds }
}

export const findingPolicyCommands: readonly Command[] = [list, set]
