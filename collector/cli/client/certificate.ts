import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { text } from '../../../shared/config/value-types.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'

const Certificate = v.looseObject({ id: v.string(), productId: v.string(), number: v.string() })

const create = defineCommand({
  name: 'certificate create',
  summary: 'Record that a certificate was issued for a product',
  description: ['Needs a token of the role certifier. From then on, drift of the product opens reassessment cases.'],
  examples: [
    'keepseal certificate create --product "Acme/Gate 7" --number C-2026-001 \\',
    '    --profile https://profiles.example/gateway/1 --valid-until 2028-12-31',
  ],
  options: {
    ...connectionOptions,
    product: {
      description: 'Product: its id, its model, or VENDOR/MODEL.',
      value: text(260),
      placeholder: 'PRODUCT',
      required: true,
    },
    number: { description: "The certifier's number of it.", value: text(128), placeholder: 'NUMBER', required: true },
    profile: {
      description: 'URI of the profile that it was issued for.',
      value: text(1024),
      placeholder: 'URI',
      required: true,
    },
    'valid-until': {
      description: 'Its last day, or a time as 2028-12-31T12:00:00Z.',
      value: text(32),
      placeholder: 'DATE',
      required: true,
    },
  },
  json: true,
  run: async ({ options, terminal, present }) => {
    const client = connect(options, terminal.env)
    const productId = await productIdOf(client, options.product)
    const { number, profile: profileUri, validUntil } = options
    const made = await client.post(
      `/products/${encodeURIComponent(productId)}/certificates`,
      { number, profileUri, validUntil: endOf(validUntil) },
      Certificate,
    )
    present(made, () => printable(made.id))
    return exitCodes.good
  },
})

/** A day means its end, in UTC. */
const endOf = (date: string): string => (/^\d{4}-\d{2}-\d{2}$/.test(date) ? `${date}T23:59:59Z` : date)

export const certificateCommands: readonly Command[] = [create]
