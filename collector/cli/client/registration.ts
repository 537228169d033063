import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { integer, text } from '../../../shared/config/value-types.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { inputFile, readText } from './inspect/files.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { productIdOf } from './product-reference.ts'
import { readRegistrations } from './registration-file.ts'
import { connectionOptions } from './settings.ts'
import { timeText, toneOf } from './text.ts'

const Registered = v.looseObject({ registered: v.number(), expiresAt: v.string() })
const Registration = v.looseObject({
  id: v.string(),
  kind: v.string(),
  fingerprint: v.string(),
  serial: v.nullable(v.string()),
  state: v.string(),
  expiresAt: v.string(),
  usedByUeid: v.nullable(v.string()),
})

const product = {
  description: 'Product of the units: its id, its model, or VENDOR/MODEL.',
  value: text(260),
  placeholder: 'PRODUCT',
} as const

const take = defineCommand({
  name: 'registration import',
  summary: 'Let units enrol by their TPM alone, once each, without a token',
  description: [
    'The file is CSV with the first line kind,fingerprint,serial, or a JSON array of objects with these names. kind is ek ' +
      '(SHA-256 of the public area of the endorsement key, as its Name has it), ek-certificate (SHA-256 of its ' +
      'certificate in DER) or idevid (SHA-256 of the certificate of the IDevID in DER, IEEE 802.1AR). Where there is a serial number, the unit has to claim it. All of the file is taken or nothing.',
    'What has expired or was revoked and was not used can be registered again.',
  ],
  examples: ['keepseal registration import --product "Acme/Gate 7" batch-2026-11.csv'],
  arguments: { file: inputFile('The list') },
  options: {
    ...connectionOptions,
    product: { ...product, required: true },
    'expires-in-days': {
      description: 'How long they can be used; 90 without.',
      value: integer(1, 366),
      placeholder: 'N',
    },
  },
  json: true,
  run: async ({ options, arguments: { file }, terminal, present }) => {
    const entries = readRegistrations(readText(file))
    const client = connect(options, terminal.env)
    const productId = await productIdOf(client, options.product)
    const expiresInSeconds = (options.expiresInDays ?? 90) * 86_400
    const made = await client.post('/registrations', { productId, expiresInSeconds, entries }, Registered)
    present(made, () => `${made.registered} registered, until ${printable(timeText(made.expiresAt))}`)
    return exitCodes.good
  },
})

const list = defineCommand({
  name: 'registration list',
  summary: 'List the units that may enrol by their TPM alone, and those that did',
  options: { ...listOptions, product },
  json: true,
  run: async (context) => {
    const { options, terminal } = context
    const client = connect(options, terminal.env)
    const productId = options.product === undefined ? undefined : await productIdOf(client, options.product)
    const { limit = DEFAULT_ITEMS } = options
    const listed = await client.list('/registrations', { productId }, Registration, limit)
    const columns = [
      { title: 'ID', shrinks: false },
      { title: 'STATE', shrinks: false, style: toneOf },
      { title: 'KIND' },
      { title: 'SERIAL' },
      { title: 'FINGERPRINT' },
    ]
    const none = 'Nothing is registered: keepseal registration import FILE --product PRODUCT'
    return presentList(
      context,
      listed,
      columns,
      ({ id, state, kind, serial, fingerprint }) => [id, state, kind, serial ?? '-', `${fingerprint.slice(0, 8)}…`],
      none,
    )
  },
})

const revoke = defineCommand({
  name: 'registration revoke',
  summary: 'Let a unit that was registered and has not enrolled enrol by its TPM no more',
  arguments: { id: { description: 'Id of the registration.' } },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { id }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const revoked = await client.post(`/registrations/${encodeURIComponent(id)}/revoke`, {}, Registration)
    present(revoked, () => 'revoked')
    return exitCodes.good
  },
})

export const registrationCommands: readonly Command[] = [take, list, revoke]
