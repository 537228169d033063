import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { text } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable, printableJson } from '../../../shared/text/printable.ts'
import { ImaPolicyDocument } from '../../model/ima-policy.ts'
import { connect } from './api.ts'
import { makeImaPolicy } from './ima-policy-maker.ts'
import { inputFile, readInput, writeOutput } from './inspect/files.ts'
import { productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'
import { field, timeText } from './text.ts'

const About = { productId: v.string(), version: v.number(), createdAt: v.string(), createdBy: v.string() }
const Stored = v.looseObject({ ...About, policy: ImaPolicyDocument })
const Version = v.looseObject(About)

const show = defineCommand({
  name: 'product ima-policy',
  summary: 'Show, or set, what the files that devices of a product measure may be',
  description: [
    'Without a policy the files of a device are "not-appraised", which is never good. The newest version judges what ' +
      'devices measure from then on; earlier ones are kept.',
  ],
  examples: [
    'keepseal ima-policy make golden.list --out policy.json',
    'keepseal product ima-policy "Gate 7" --set policy.json',
  ],
  arguments: { product: { description: 'Its id, its model, or VENDOR/MODEL.' } },
  options: {
    ...connectionOptions,
    set: { description: 'File with the new policy; - is standard input.', value: text(4096), placeholder: 'FILE' },
  },
  json: true,
  run: async ({ options, arguments: { product }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const path = `/products/${await productIdOf(client, product)}/ima-policy`
    if (options.set === undefined) {
      const stored = await client.get(path, Stored)
      present(stored, () => describe(stored).join('\n'))
    } else {
      const made = await client.put(path, readPolicy(options.set), Version)
      present(made, () => `version ${made.version}`)
    }
    return exitCodes.good
  },
})

function readPolicy(file: string): ImaPolicyDocument {
  const refuse = (reason: string): KeepsealError =>
    new KeepsealError('file.unreadable', `${file}: ${reason}`, {
      remedy: 'Write it as one that works: keepseal ima-policy make LIST',
    })
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(readInput(file)).toString('utf8'))
  } catch (error) {
    if (error instanceof KeepsealError) throw error
    throw refuse('it is not JSON')
  }
  const checked = v.safeParse(ImaPolicyDocument, json)
  if (checked.success) return checked.output
  const [issue] = checked.issues
  throw refuse(`${v.getDotPath(issue) ?? ''} ${issue.message}`.trim())
}

function describe({ version, createdAt, createdBy, policy }: v.InferOutput<typeof Stored>): string[] {
  const digests = Object.values(policy.allow).reduce((sum, list) => sum + list.length, 0)
  const { signers, excludes } = policy
  return [
    ...field('version', `${version}, ${printable(timeText(createdAt))} by ${printable(createdBy)}`),
    ...field('allowed', `${Object.keys(policy.allow).length} paths, ${digests} digests`),
    ...field('signers', signers.length === 0 ? 'none' : signers.map(({ keyId }) => keyId).join(', ')),
    ...(excludes.length === 0 ? field('excludes', 'none') : []),
    ...excludes.flatMap((pattern, index) => field(index === 0 ? 'excludes' : '', printable(pattern))),
  ]
}

const make = defineCommand({
  name: 'ima-policy make',
  summary: 'Make a policy from measurement lists of golden devices, without a server',
  description: [
    'FILE is a list as the kernel gives it in /sys/kernel/security/ima: ascii_runtime_measurements or ' +
      'binary_runtime_measurements. Every file in any of them is allowed with the digests that it has there. What the ' +
      'lists say is their own claim: take them from devices that you trust.',
  ],
  arguments: { file: { ...inputFile('A measurement list'), multiple: true } },
  options: {
    exclude: {
      description: 'Paths to leave out, and to let pass: * is a name, ** any path. May be given more than once.',
      value: text(1024),
      placeholder: 'PATTERN',
      multiple: true,
    },
    out: { description: 'File to write; standard output without.', value: text(4096), placeholder: 'FILE' },
  },
  json: true,
  run: async ({ options, arguments: { file: files }, terminal, present }) => {
    const policy = makeImaPolicy(
      files.map((name) => ({ name, bytes: readInput(name) })),
      options.exclude,
    )
    const paths = Object.keys(policy.allow).length
    if (options.out === undefined) {
      present(policy, () => printableJson(policy))
      terminal.error(`${paths} paths\n`)
    } else {
      writeOutput(options.out, Buffer.from(`${printableJson(policy)}\n`))
      present({ out: options.out, paths }, () => `${paths} paths in ${printable(options.out ?? '')}`)
    }
    return exitCodes.good
  },
})

export const imaPolicyCommands: readonly Command[] = [show, make]
