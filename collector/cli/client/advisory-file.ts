import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../shared/config/value-types.ts'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { ADVISORY_SEVERITIES } from '../../../shared/maturity/events/kinds.ts'
import { printable } from '../../../shared/text/printable.ts'
import { sendBundle } from './advisory-bundle.ts'
import { isBundleFile } from './advisory-bundle-file.ts'
import { connect } from './api.ts'
import { inputFile, readInput, writeOutput } from './inspect/files.ts'
import { productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'
import { counted } from './text.ts'
import { checkedTime } from './time-option.ts'

const MIB = 1024 * 1024
const Imported = v.looseObject({
  feed: v.string(),
  advisories: v.array(v.string()),
  withdrawn: v.array(v.string()),
  facts: v.optional(v.number(), 0),
})

const take = defineCommand({
  name: 'advisory import',
  summary: 'Take in advisories or VEX of a file, each in the place of the one of its name, or a bundle',
  description: [
    'The format is found by itself: OSV (one record or a list), CSAF 2.0, OpenVEX, CycloneDX, the JSON of the Debian ' +
      "security tracker, Alpine's secdb; or KEV (JSON) and EPSS (CSV), which become feeds of these names. All of the file is taken or nothing. Exposure is computed before it returns.",
    'A bundle that `advisory export` wrote stands in the place of all that its feeds had. It must be signed by this ' +
      'collector, one of advisories.bundle_signers, or --signed-by; be no older than what is here; and have half of it at ' +
      'least, unless --force says otherwise, which is recorded.',
    '--of says whose word it is where two contradict each other: own before distribution before other.',
  ],
  examples: [
    'keepseal advisory import acme-2026-1.json',
    'keepseal advisory import --feed debian --of distribution dsa.json',
    'keepseal advisory import advisories.bundle --signed-by 41f0…',
  ],
  arguments: { file: inputFile('The document') },
  options: {
    ...connectionOptions,
    feed: { description: 'Name of where it comes from; own without.', value: text(63), placeholder: 'NAME' },
    of: {
      description: 'Whose word it is; own without.',
      value: choice(['own', 'distribution', 'other']),
      placeholder: 'WHO',
    },
    'signed-by': {
      description: 'Thumbprint of the collector that made the bundle.',
      value: text(64),
      placeholder: 'HEX',
    },
    force: { description: 'Take a bundle although it is older than what is here, or has lost half of it.' },
  },
  json: true,
  run: async ({ options, arguments: { file }, terminal, present }) => {
    if (isBundleFile(file)) {
      if (options.feed !== undefined || options.of !== undefined) {
        throw new KeepsealError('usage.invalid', 'a bundle says itself which feeds are in it')
      }
      const { signedBy, force } = options
      const taken = await sendBundle(connect(options, terminal.env), file, { signedBy, force })
      const { feeds, signer, trusted } = taken
      present(taken, () =>
        [
          ...(signer === trusted ? [] : [`Signed by ${signer}`, `which followed ${trusted}`]),
          'All of the bundle was taken:',
          ...feeds.map((one) => `  ${printable(one.feed)}: ${one.advisories} advisories, ${one.before} before`),
        ].join('\n'),
      )
      return exitCodes.good
    }
    if (options.force || options.signedBy !== undefined) {
      throw new KeepsealError('usage.invalid', '--force and --signed-by are for bundles, and this is none')
    }
    const document = textOf(readInput(file, 48 * MIB), file)
    const { feed = 'own', of: authority = 'own' } = options
    const done = await connect(options, terminal.env).post('/advisories', { feed, authority, document }, Imported)
    present(done, () =>
      [
        done.facts > 0
          ? `${counted(done.facts, 'fact')} about vulnerabilities: all that feed ${printable(done.feed)} has now`
          : `${done.advisories.length} advisories taken into feed ${printable(done.feed)}`,
        ...done.advisories
          .slice(0, 20)
          .map((name) => `  ${printable(name)}${done.withdrawn.includes(name) ? ' (withdrawn)' : ''}`),
        ...(done.advisories.length > 20 ? ['  and more'] : []),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

function textOf(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new KeepsealError('file.unreadable', `${name} is not UTF-8 text`, { cause })
  }
}

const make = defineCommand({
  name: 'advisory new',
  summary: 'Write an advisory of your own in the format of OSV, to be published and imported',
  description: ['ECOSYSTEM is as OSV has it: Debian:12, Alpine:v3.19, or the ID of your system and its VERSION_ID.'],
  examples: [
    'keepseal advisory new ACME-2026-1 --package acme-agent --ecosystem acme:4.1 \\',
    '    --fixed 2.4.1-1 --severity high --summary "..." --out acme-2026-1.json',
  ],
  arguments: { name: { description: 'Its name, one word.' } },
  options: {
    package: { description: 'The package.', value: text(256), placeholder: 'NAME', required: true },
    ecosystem: {
      description: 'Whose package, of which release.',
      value: text(128),
      placeholder: 'ECOSYSTEM',
      required: true,
    },
    fixed: {
      description: 'The first version that has the fix; none yet without.',
      value: text(256),
      placeholder: 'VERSION',
    },
    introduced: {
      description: 'The first version that is affected; all without.',
      value: text(256),
      placeholder: 'VERSION',
    },
    severity: {
      description: 'How bad it is.',
      value: choice(ADVISORY_SEVERITIES),
      placeholder: 'WORD',
      required: true,
    },
    summary: { description: 'What it is, in one line.', value: text(300), placeholder: 'TEXT', required: true },
    alias: { description: 'A CVE, or another name.', value: text(256), placeholder: 'NAME' },
    published: {
      description: 'When it was or will be published; now without.',
      value: checkedTime(),
      placeholder: 'TIME',
    },
    out: { description: 'Where to write it; standard output without.', value: text(4096), placeholder: 'FILE' },
  },
  json: true,
  run: async ({ options, arguments: { name }, present, terminal }) => {
    const { published = new Date().toISOString(), introduced = '0', fixed, alias, ecosystem } = options
    const events = [{ introduced }, ...(fixed === undefined ? [] : [{ fixed }])]
    const record = {
      schema_version: '1.7.3',
      id: name,
      published,
      modified: published,
      ...(alias === undefined ? {} : { aliases: [alias] }),
      summary: options.summary,
      affected: [{ package: { ecosystem, name: options.package }, ranges: [{ type: 'ECOSYSTEM', events }] }],
      database_specific: { severity: options.severity },
    }
    // What this program writes, it can read.
    parseAdvisories(record)
    const document = `${JSON.stringify(record, null, 2)}\n`
    if (options.out === undefined) present(record, () => document.trimEnd())
    else {
      writeOutput(options.out, new TextEncoder().encode(document))
      terminal.error(`Written: ${options.out}. Next: keepseal advisory import ${options.out}\n`)
    }
    return exitCodes.good
  },
})

const vex = defineCommand({
  name: 'advisory vex',
  summary: 'Write what is known of the vulnerabilities of a product as OpenVEX, for its users',
  options: {
    ...connectionOptions,
    product: {
      description: 'Its id, its model, or VENDOR/MODEL.',
      value: text(260),
      placeholder: 'PRODUCT',
      required: true,
    },
    out: { description: 'Where to write it; standard output without.', value: text(4096), placeholder: 'FILE' },
  },
  json: true,
  run: async ({ options, terminal, present }) => {
    const client = connect(options, terminal.env)
    const productId = await productIdOf(client, options.product)
    const document = await client.get(`/products/${productId}/vex`, v.looseObject({ statements: v.array(v.unknown()) }))
    if (options.out === undefined) present(document, () => JSON.stringify(document, null, 2))
    else {
      writeOutput(options.out, new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`))
      terminal.error(`Written: ${options.out}, ${document.statements.length} statements.\n`)
    }
    return exitCodes.good
  },
})

export const advisoryFileCommands: readonly Command[] = [take, make, vex]
