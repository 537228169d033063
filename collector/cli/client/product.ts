import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../shared/config/value-types.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { Product } from './product-reference.ts'
import { connectionOptions } from './settings.ts'

const create = defineCommand({
  name: 'product create',
  summary: 'Register a product, whose devices can then enrol',
  description: [
    'The identity policy says which devices may enrol: "endorsed" only those with a TPM that a known vendor vouches ' +
      'for, "tofu" also those with any TPM (trust on first use), "software" also those without one. Each further ' +
      'step is weaker, and is shown with each device for ever.',
  ],
  examples: ['keepseal product create --vendor Acme --model "Gate 7" --identity tofu'],
  options: {
    ...connectionOptions,
    vendor: { description: 'Who makes it.', value: text(128), placeholder: 'NAME', required: true },
    model: { description: 'What it is called.', value: text(128), placeholder: 'NAME', required: true },
    identity: {
      description: 'endorsed (without this option), tofu or software.',
      value: choice(['endorsed', 'tofu', 'software']),
      placeholder: 'POLICY',
    },
    approval: {
      description: 'Whether new devices wait for a person: manual (without this option) or automatic.',
      value: choice(['automatic', 'manual']),
      placeholder: 'POLICY',
    },
  },
  json: true,
  run: async ({ options, terminal, present }) => {
    const client = connect(options, terminal.env)
    const { vendor, model, identity: identityPolicy, approval: approvalPolicy } = options
    const made = await client.post('/products', { vendor, model, identityPolicy, approvalPolicy }, Product)
    present(made, () => printable(made.id))
    terminal.error(`next: keepseal token create --product ${printable(made.id)}\n`)
    return exitCodes.good
  },
})

const list = defineCommand({
  name: 'product list',
  summary: 'List products, newest first',
  options: listOptions,
  json: true,
  run: async (context) => {
    const client = connect(context.options, context.terminal.env)
    const listed = await client.list('/products', {}, Product, context.options.limit ?? DEFAULT_ITEMS)
    const columns = [
      { title: 'PRODUCT', shrinks: false },
      { title: 'VENDOR' },
      { title: 'MODEL' },
      { title: 'IDENTITY' },
    ]
    return presentList(
      context,
      listed,
      columns,
      ({ id, vendor, model, identityPolicy }) => [id, vendor, model, identityPolicy],
      'There is no product yet: keepseal product create --vendor NAME --model NAME',
    )
  },
})

export const productCommands: readonly Command[] = [create, list]
