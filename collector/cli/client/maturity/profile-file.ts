import { basename, dirname, join } from 'node:path'
import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { text } from '../../../../shared/config/value-types.ts'
import { hash } from '../../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import type { Catalogue } from '../../../../shared/maturity/catalogue/schema.ts'
import { agentLimitsOf, limitDropIns } from '../../../../shared/maturity/agent-limits.ts'
import { differencesOf, type Difference } from '../../../../shared/maturity/differences.ts'
import type { ProfileDocument } from '../../../../shared/maturity/profile.ts'
import { digestOfProfile } from '../../../../shared/maturity/profile-encoding.ts'
import { weakeningsOf } from '../../../../shared/maturity/weakenings.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { lintProfile, parseProfile } from '../../../maturity/profile-file.ts'
import { mistakeText, mistakesText } from '../../../text/yaml.ts'
import { inputFile, readText, writeOutputs } from '../inspect/files.ts'
import { field, paragraph } from '../text.ts'
import { catalogueOf, catalogueOption } from './catalogue-option.ts'

/** How much of a profile can be noticed when it breaks. */
function unwatched({ limitations, assumptions }: ProfileDocument): readonly string[] {
  const bare = limitations.filter(({ compensation }) => compensation === null).map(({ id }) => id)
  const blind = assumptions.filter(({ check }) => check === undefined).map(({ id }) => id)
  return [
    ...(bare.length === 0 ? [] : [`nothing makes up for the limitations ${bare.join(', ')}`]),
    ...(blind.length === 0 ? [] : [`no check notices when these assumptions break: ${blind.join(', ')}`]),
  ]
}

const lint = defineCommand({
  name: 'profile lint',
  summary: 'Check a profile file, without a server',
  description: [
    'Names line and column of each mistake, and ends with 1 if there is any. With --template (once for each file of a ' +
      'chain) it also finds where the profile is otherwise than its template without a rationale, and templates that ' +
      'go in a circle.',
  ],
  arguments: { file: inputFile('A profile, YAML or JSON') },
  options: {
    template: { description: 'The file of a template.', value: text(4096), placeholder: 'FILE', multiple: true },
    catalogue: catalogueOption,
  },
  json: true,
  run: ({ arguments: { file }, options, present, style }) => {
    const catalogue = catalogueOf(options.catalogue)
    const templates = options.template.map((each) => templateIn(each, catalogue))
    const { document, mistakes } = lintProfile(readText(file), catalogue, templates)
    const isGood = document !== undefined && mistakes.length === 0
    const digest = isGood ? digestOfProfile(document, hash) : null
    const notes = document === undefined ? [] : unwatched(document)
    present({ id: document?.id ?? null, version: document?.version ?? null, digest, mistakes, notes }, () =>
      document === undefined || digest === null
        ? mistakes.flatMap((each) => paragraph('', printable(mistakeText(each)))).join('\n')
        : [
            ...field('profile', printable(`${document.id} ${document.version}, ${document.kind}: ${document.title}`)),
            ...field('practices', `${Object.keys(document.practices).length} of 18`),
            ...field('digest', digest),
            ...notes.flatMap((note) => field('note', printable(note))),
            style('green', 'nothing is wrong with it'),
          ].join('\n'),
    )
    return isGood ? exitCodes.good : exitCodes.finding
  },
})

function templateIn(file: string, catalogue: Catalogue): ProfileDocument {
  const { document, mistakes } = lintProfile(readText(file), catalogue)
  if (document === undefined) throw new KeepsealError('profile.invalid', `${file}: ${mistakesText(mistakes)}`)
  return document
}

const valueText = (value: Difference['before']): string => (value === null ? 'nothing' : JSON.stringify(value))

const diff = defineCommand({
  name: 'profile diff',
  summary: 'What two profile files say differently, and what the second guarantees less of',
  description: [
    'Ends with 1 if they differ. What the second guarantees less of needs a change of the kind lower-guarantee or ' +
      'unresolvable-nonconformity when it is applied.',
  ],
  arguments: { before: inputFile('The earlier profile'), after: inputFile('The later profile') },
  options: { catalogue: catalogueOption },
  json: true,
  run: ({ arguments: { before, after }, options, present, style }) => {
    const catalogue = catalogueOf(options.catalogue)
    const [was, is] = [parseProfile(readText(before), catalogue), parseProfile(readText(after), catalogue)]
    const differences = differencesOf(was, is)
    const weakenings = weakeningsOf(was, is)
    present({ differences, weakenings }, () =>
      differences.length === 0
        ? 'they say the same'
        : [
            ...differences.flatMap(({ path, before: from, after: to }) => [
              ...paragraph('', printable(path)),
              ...(from === null ? [] : paragraph('  - ', printable(valueText(from)))),
              ...(to === null ? [] : paragraph('  + ', printable(valueText(to)))),
            ]),
            ...(weakenings.length === 0 ? [] : ['', style('yellow', 'the second guarantees less:')]),
            ...weakenings.flatMap(({ path, message }) => paragraph('  ', printable(`${path}: ${message}`))),
          ].join('\n'),
    )
    return differences.length === 0 ? exitCodes.good : exitCodes.finding
  },
})

const limits = defineCommand({
  name: 'profile limits',
  summary: 'What the limitations of a profile file leave to the agent, as settings of its units',
  description: [
    'With --out the drop-ins are written below DIR, which is /etc/systemd/system on the gateway or in its image. Without ' +
      'a limitation that says anything nothing is written, and the command ends with 1.',
  ],
  examples: ['keepseal profile limits gateway.yaml --out image/etc/systemd/system'],
  arguments: { file: inputFile('A profile, YAML or JSON') },
  options: {
    catalogue: catalogueOption,
    out: { description: 'Directory for the drop-ins.', value: text(4096), placeholder: 'DIR' },
  },
  json: true,
  run: ({ arguments: { file }, options: { catalogue, out }, present }) => {
    const { id, version, limitations } = templateIn(file, catalogueOf(catalogue))
    const limits = agentLimitsOf(limitations)
    const files = limits === undefined ? {} : limitDropIns(limits, `${id} ${version}`)
    if (out !== undefined) {
      for (const [path, content] of Object.entries(files)) {
        const directory = join(out, dirname(path))
        writeOutputs(directory, { [basename(path)]: new TextEncoder().encode(content) })
      }
    }
    present({ limits: limits ?? null, files }, () =>
      limits === undefined
        ? 'No limitation says what the agent may take: its units stay as they are.'
        : Object.entries(files)
            .flatMap(([path, content]) => [`# ${out === undefined ? path : join(out, path)}`, content])
            .join('\n'),
    )
    return limits === undefined ? exitCodes.finding : exitCodes.good
  },
})

export const profileFileCommands: readonly Command[] = [lint, diff, limits]
