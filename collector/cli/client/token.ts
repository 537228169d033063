import { writeFileSync } from 'node:fs'
import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { integer, text } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect, type ApiClient } from './api.ts'
import { productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'
import { timeText } from './text.ts'

const Token = v.looseObject({
  id: v.string(),
  token: v.pipe(v.string(), v.regex(/^kse_[\w-]+$/)),
  expiresAt: v.string(),
})

const create = defineCommand({
  name: 'token create',
  summary: 'Make a one-time token with which one device can enrol',
  description: [
    'The token is shown once. With --output it goes to a new file that only you can read, and nowhere else.',
    'With --reenrol the device keeps its identity here although its keys or its TPM are new. That is entered in the ' +
      'audit log and clears no failure.',
  ],
  examples: [
    'keepseal token create --product "Acme/Gate 7" --output gateway.token',
    'keepseal token create --reenrol 01…',
  ],
  options: {
    ...connectionOptions,
    product: {
      description: 'Product of the device: its id, its model, or VENDOR/MODEL.',
      value: text(260),
      placeholder: 'PRODUCT',
    },
    'expires-in-seconds': {
      description: 'How long the token can be used; a day without this option.',
      value: integer(60, 2_592_000),
      placeholder: 'N',
    },
    reenrol: { description: 'Device that is to enrol again.', value: text(34), placeholder: 'UEID' },
    output: { description: 'New file for the token.', value: text(4096), placeholder: 'FILE' },
  },
  json: true,
  run: async ({ options, terminal, present, json }) => {
    const client = connect(options, terminal.env)
    const productId = await productOf(client, options.product, options.reenrol)
    const { expiresInSeconds, reenrol: reenrolUeid } = options
    const made = await client.post('/enrolment-tokens', { productId, expiresInSeconds, reenrolUeid }, Token)
    if (options.output === undefined) {
      present(made, () => made.token)
    } else {
      writeSecret(options.output, `${made.token}\n`)
      const { token: _, ...rest } = made
      if (json) present({ ...rest, file: options.output }, () => '')
    }
    const file = printable(options.output ?? 'FILE')
    terminal.error(`usable once, until ${printable(timeText(made.expiresAt))}; on the gateway:\n`)
    terminal.error(`  keepseal-agent enroll --collector ${client.url.origin} --token-file ${file}\n`)
    return exitCodes.good
  },
})

async function productOf(client: ApiClient, product: string | undefined, ueid: string | undefined): Promise<string> {
  if (product !== undefined) return productIdOf(client, product)
  if (ueid === undefined) {
    throw new KeepsealError('usage.invalid', '--product is missing', { remedy: 'keepseal product list' })
  }
  const device = await client.get(`/devices/${encodeURIComponent(ueid)}`, v.object({ productId: v.string() }))
  return device.productId
}

/** Never over a file that exists: its permissions are those of whoever made it. */
function writeSecret(file: string, content: string): void {
  try {
    writeFileSync(file, content, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : file
    const remedy = 'Name a new file in a directory that you can write to, and make another token.'
    throw new KeepsealError('file.unreadable', reason, { cause, remedy })
  }
}

export const tokenCommands: readonly Command[] = [create]
