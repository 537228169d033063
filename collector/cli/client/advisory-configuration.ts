import * as v from 'valibot'
import { conditionFrom } from '../../../shared/advisories/posture-condition.ts'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { text } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect, type ApiClient } from './api.ts'
import { productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'
import { counted, paragraph } from './text.ts'

const Configuration = v.looseObject({ id: v.string(), name: v.string(), texts: v.array(v.string()) })
const Listed = v.looseObject({
  devices: v.number(),
  items: v.array(v.looseObject({ ...Configuration.entries, devices: v.number() })),
})

/** By its id or its name. Error: request.not-found. */
export async function configurationIdOf(client: ApiClient, productId: string, reference: string): Promise<string> {
  if (/^cfg_[0-9a-f-]+$/.test(reference)) return reference
  const { items } = await client.get(`/products/${productId}/configurations`, Listed)
  const found = items.find(({ name }) => name === reference)
  if (found !== undefined) return found.id
  throw new KeepsealError('request.not-found', `configuration ${reference}`, {
    remedy: 'keepseal advisory configuration list PRODUCT',
  })
}

const productArgument = { description: 'Its id, its model, or VENDOR/MODEL.' } as const

const declare = defineCommand({
  name: 'advisory configuration declare',
  summary: 'Name the devices of a product whose posture says all of some things',
  description: [
    'Statements about advisories can be for these devices. A device is in it as long as its newest posture says all of ' +
      'it; what the posture does not tell, it does not meet. It never changes.',
    'Conditions: package-absent:NAME, package-present:NAME, port-closed:tcp/23, setting:NAME=VALUE (of the kernel, as ' +
      'the section hardening has it), fact:SECTION:SUBJECT=VALUE (anything that a section states).',
  ],
  examples: [
    'keepseal advisory configuration declare "Gate 7" no-telnet \\\n' +
      '    --when package-absent:telnetd --when port-closed:tcp/23',
  ],
  arguments: { product: productArgument, name: { description: 'Its name, one word.' } },
  options: {
    ...connectionOptions,
    when: {
      description: 'A condition.',
      value: text(2000),
      placeholder: 'CONDITION',
      multiple: true,
      required: true,
    },
  },
  json: true,
  run: async ({ options, arguments: { product, name }, terminal, present }) => {
    const conditions = options.when.map((line) => {
      const condition = conditionFrom(line)
      if (condition !== undefined) return condition
      throw new KeepsealError('usage.invalid', `--when ${printable(line)} is no condition`, {
        remedy: 'keepseal advisory configuration declare --help',
      })
    })
    const client = connect(options, terminal.env)
    const productId = await productIdOf(client, product)
    const made = await client.post(`/products/${productId}/configurations`, { name, conditions }, Configuration)
    present(made, () => printable(`${made.name} is declared; which devices are in it is known within a minute`))
    return exitCodes.good
  },
})

const list = defineCommand({
  name: 'advisory configuration list',
  summary: 'List the configurations of a product, and how many of its devices are in each',
  arguments: { product: productArgument },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { product }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const found = await client.get(`/products/${await productIdOf(client, product)}/configurations`, Listed)
    present(found, () =>
      found.items.length === 0
        ? 'None: keepseal advisory configuration declare PRODUCT NAME --when CONDITION'
        : found.items
            .flatMap((one) => [
              printable(`${one.name}: ${one.devices} of ${counted(found.devices, 'device')}`),
              ...one.texts.flatMap((line) => paragraph('  ', printable(line))),
            ])
            .join('\n'),
    )
    return exitCodes.good
  },
})

const remove = defineCommand({
  name: 'advisory configuration remove',
  summary: 'Forget a configuration for which nothing was ever said',
  arguments: { product: productArgument, name: { description: 'Its name.' } },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { product, name }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const id = await configurationIdOf(client, await productIdOf(client, product), name)
    const removed = await client.post(`/product-configurations/${encodeURIComponent(id)}/remove`, {}, Configuration)
    present(removed, () => printable(`${removed.name} is forgotten`))
    return exitCodes.good
  },
})

export const advisoryConfigurationCommands: readonly Command[] = [declare, list, remove]
