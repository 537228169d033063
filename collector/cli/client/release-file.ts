import * as v from 'valibot'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { readCorim, releaseOfCorim } from '../../releases/corim/read.ts'
import { digestOfDocument, ReleaseFile } from '../../releases/document.ts'
import { splitFile } from '../../releases/file.ts'
import { parseReleaseFile, writeReleaseFile } from '../../releases/yaml.ts'
import { connect, type ApiClient } from './api.ts'
import { inputFile, readInput, writeOutput } from './inspect/files.ts'
import { Product, productIdOf } from './product-reference.ts'
import { pathOfRelease, Release, releaseArgument, releaseIdOf } from './release-reference.ts'
import { nextStep } from './release-view.ts'
import { connectionOptions } from './settings.ts'
import { advice, field, paragraph } from './text.ts'

const Written = v.looseObject({ release: v.nullable(Release), digest: v.string(), tolerances: v.array(v.string()) })
const Exported = v.looseObject({ file: ReleaseFile })

const dryRun = { description: 'Only tell whether it can be done, and what it would be.' } as const

function describeWritten({ release, digest, tolerances }: v.InferOutput<typeof Written>): string[] {
  const next = release === null ? undefined : nextStep(release)
  return [
    ...(release === null
      ? field('dry run', 'it can be written; nothing was changed')
      : field('release', printable(`${release.name} (${release.id}), ${release.state}`))),
    ...field('digest', printable(digest)),
    ...tolerances.flatMap((tolerance) => paragraph('', printable(`may vary: ${tolerance}`))),
    ...(next === undefined ? [] : ['', ...advice('', next)]),
  ]
}

const capture = defineCommand({
  name: 'release capture',
  summary: 'Write a release as a draft from what good devices report',
  description: [
    'What several devices have in common is expected exactly; what they differ in is let vary where that can be said, ' +
      'and told. Look at the result, and have another person approve it.',
  ],
  examples: ['keepseal release capture "Gate 7" 2.4.1 01… 01…'],
  arguments: {
    product: { description: 'Its id, its model, or VENDOR/MODEL.' },
    name: { description: 'What the release is called.' },
    ueid: { description: 'Devices known to be good; the first gives the order of boot events.', multiple: true },
  },
  options: { ...connectionOptions, 'dry-run': dryRun },
  json: true,
  run: async ({ options, arguments: { product, name, ueid }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const path = `/products/${await productIdOf(client, product)}/releases/capture`
    const ueids = ueid.map((each) => each.toLowerCase())
    const made = await client.post(path, { name, ueids, dryRun: options.dryRun }, Written)
    present(made, () => describeWritten(made).join('\n'))
    return exitCodes.good
  },
})

const importFile = defineCommand({
  name: 'release import',
  summary: 'Write a release as a draft from a file: YAML of ours, or a CoRIM',
  description: [
    'A draft of the same name is replaced. Of a CoRIM the reference values of PCRs and named events are read; with ' +
      '--base everything else is as in that release. What is not understood is refused with its place.',
  ],
  examples: [
    'keepseal release import "Gate 7" 2.4.1.yaml',
    'keepseal release import "Gate 7" gate7.corim --name 2.4.1 \\',
    '    --base "Gate 7@2.4.0"',
  ],
  arguments: { product: { description: 'Its id, its model, or VENDOR/MODEL.' }, file: inputFile('The file') },
  options: {
    ...connectionOptions,
    name: { description: 'Of a CoRIM: what the release is called.', value: text(64), placeholder: 'NAME' },
    base: { description: 'Of a CoRIM: the release that says all else.', value: text(300), placeholder: 'RELEASE' },
    format: {
      description: 'yaml or corim; told from the content without it.',
      value: choice(['yaml', 'corim']),
      placeholder: 'FORMAT',
    },
    'dry-run': dryRun,
  },
  json: true,
  run: async ({ options, arguments: { product, file }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const productId = await productIdOf(client, product)
    const bytes = readInput(file)
    const isCorim = (options.format ?? (isBinary(bytes) ? 'corim' : 'yaml')) === 'corim'
    if (!isCorim && (options.name !== undefined || options.base !== undefined)) {
      throw new KeepsealError('usage.invalid', '--name and --base are for a CoRIM: the file itself says them')
    }
    const read = isCorim ? await fromCorim(client, productId, bytes, options) : { file: fromYaml(bytes), notes: [] }
    const path = `/products/${productId}/releases`
    const made = await client.post(path, { file: read.file, dryRun: options.dryRun }, Written)
    present(made, () =>
      [...read.notes.flatMap((note) => field('CoRIM', printable(note))), ...describeWritten(made)].join('\n'),
    )
    return exitCodes.good
  },
})

/** A CoRIM begins with a tag (major type 6), which no text does. */
const isBinary = ([first = 0]: Uint8Array): boolean => first >> 5 === 6

function fromYaml(bytes: Uint8Array): ReleaseFile {
  let content: string
  try {
    content = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new KeepsealError('release.invalid', 'it is not UTF-8 text')
  }
  return parseReleaseFile(content)
}

async function fromCorim(
  client: ApiClient,
  productId: string,
  bytes: Uint8Array,
  { name, base }: { readonly name: string | undefined; readonly base: string | undefined },
): Promise<{ file: ReleaseFile; notes: readonly string[] }> {
  if (name === undefined) throw new KeepsealError('usage.invalid', 'a CoRIM needs --name: what the release is called')
  const { vendor, model } = await client.get(`/products/${productId}`, Product)
  const values = readCorim(bytes, { vendor, model }, Date.now())
  const earlier = base === undefined ? undefined : await exportOf(client, await releaseIdOf(client, base))
  return { file: releaseOfCorim(values, { product: { vendor, model }, name }, earlier), notes: values.notes }
}

const exportOf = async (client: ApiClient, id: string): Promise<ReleaseFile> =>
  (await client.get(`${pathOfRelease(id)}/file`, Exported)).file as ReleaseFile

const exportFile = defineCommand({
  name: 'release export',
  summary: 'Write a release as a file, with all that it expects, to be read, edited and imported',
  arguments: { release: releaseArgument },
  options: {
    ...connectionOptions,
    out: { description: 'File to write; standard output without.', value: text(4096), placeholder: 'FILE' },
  },
  json: true,
  run: async ({ options, arguments: { release }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const file = await exportOf(client, await releaseIdOf(client, release))
    const { out } = options
    if (out === undefined) present(file, () => writeReleaseFile(file).trimEnd())
    else {
      writeOutput(out, Buffer.from(writeReleaseFile(file)))
      present({ out }, () => printable(out))
    }
    return exitCodes.good
  },
})

const check = defineCommand({
  name: 'release check',
  summary: 'Check a release file, without a server',
  description: ['Names line and column of each mistake, and ends with 1 if there is any.'],
  arguments: { file: inputFile('A release file') },
  options: {},
  json: true,
  run: ({ arguments: { file }, present }) => {
    const read = fromYaml(readInput(file))
    const digest = toHex(digestOfDocument(splitFile(read).document))
    const sections = Object.keys(read.sections)
    present({ name: read.name, product: read.product, sections, digest }, () =>
      [
        ...field('release', printable(`${read.name} of ${read.product.vendor} ${read.product.model}`)),
        ...field('sections', sections.join(', ')),
        ...field('boot', read.boot === undefined ? 'nothing is said' : `${read.boot.pcrs.length} PCR values`),
        ...field('digest', digest),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

export const releaseFileCommands: readonly Command[] = [capture, importFile, exportFile, check]
