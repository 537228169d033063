import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { text } from '../../../../shared/config/value-types.ts'
import { hash } from '../../../../shared/crypto/node.ts'
import { digestOfCatalogue } from '../../../../shared/maturity/catalogue/catalogue.ts'
import type { Catalogue } from '../../../../shared/maturity/catalogue/schema.ts'
import { PRACTICE_IDS, PRACTICES, type PracticeId } from '../../../../shared/maturity/practices.ts'
import { SIGNALS, signalsOf } from '../../../../shared/maturity/signals.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { catalogueSchema, lintCatalogue, writeCatalogue } from '../../../maturity/catalogue-file.ts'
import { mistakeText } from '../../../text/yaml.ts'
import { connect } from '../api.ts'
import { readText, writeOutput } from '../inspect/files.ts'
import { connectionOptions } from '../settings.ts'
import { field, paragraph } from '../text.ts'
import { catalogueOf, catalogueOfCollector, catalogueOption, practiceNamed } from './catalogue-option.ts'

const documentsOf = (id: PracticeId, { documents }: Catalogue) =>
  Object.entries(documents).flatMap(([kind, { title, months, practices }]) => {
    const use = practices[id]
    return use === undefined ? [] : [{ kind, title, months, ...use }]
  })

const catalogue = defineCommand({
  name: 'practice catalogue',
  summary: 'List the practices; write, amend and check what is said about them',
  description: [
    'The practices are those of the IoT Security Maturity Model; everything said about them is in our words. A certifier ' +
      'can amend it: --out writes it as a file, --check finds mistakes in one with line and column and ends with 1 ' +
      'if there are any, --schema writes a JSON Schema for editors. The collector takes it as catalogue.file.',
  ],
  examples: ['keepseal practice catalogue --out catalogue.yaml', 'keepseal practice catalogue --check catalogue.yaml'],
  options: {
    out: { description: 'Write it as YAML.', value: text(4096), placeholder: 'FILE' },
    check: { description: 'Check this file.', value: text(4096), placeholder: 'FILE' },
    schema: { description: 'Write the JSON Schema of such a file.', value: text(4096), placeholder: 'FILE' },
    catalogue: catalogueOption,
    used: { description: 'The one that the collector uses.' },
    ...connectionOptions,
  },
  json: true,
  run: async ({ options, terminal, present, table, style }) => {
    const { out, check, schema } = options
    if (check !== undefined) {
      const read = lintCatalogue(readText(check))
      const mistakes = 'mistakes' in read ? read.mistakes : []
      const digest = 'value' in read ? digestOfCatalogue(read.value, hash) : null
      present({ digest, mistakes }, () =>
        digest === null
          ? mistakes.flatMap((each) => paragraph('', printable(mistakeText(each)))).join('\n')
          : [style('green', 'nothing is wrong with it'), ...field('digest', digest)].join('\n'),
      )
      return digest === null ? exitCodes.finding : exitCodes.good
    }
    const used = options.used
      ? await catalogueOfCollector(connect(options, terminal.env))
      : catalogueOf(options.catalogue)
    const digest = digestOfCatalogue(used, hash)
    if (out !== undefined) writeOutput(out, Buffer.from(writeCatalogue(used)))
    if (schema !== undefined) writeOutput(schema, Buffer.from(`${JSON.stringify(catalogueSchema(), null, 2)}\n`))
    if (out !== undefined || schema !== undefined) {
      present({ digest, out: out ?? null, schema: schema ?? null }, () => `written; digest ${digest}`)
      return exitCodes.good
    }
    const rows = PRACTICE_IDS.map((id) => {
      const { domain } = PRACTICES[id]
      return [domain, id, String(signalsOf(id).length), String(documentsOf(id, used).length)]
    })
    const columns = [
      { title: 'DOMAIN', shrinks: false },
      { title: 'PRACTICE' },
      { title: 'SIGNALS', align: 'right' as const, shrinks: false },
      { title: 'DOCS', align: 'right' as const, shrinks: false },
    ]
    present({ digest, catalogue: used }, () =>
      [
        table(columns, rows),
        ...field('catalogue', printable(`${used.title}, ${used.version}`)),
        ...field('digest', digest),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

const show = defineCommand({
  name: 'practice show',
  summary: 'What a practice is, what each level asks for, and what can support it',
  examples: ['keepseal practice show patch-management'],
  arguments: { practice: { description: 'Its id or its name.' } },
  options: { catalogue: catalogueOption },
  json: true,
  run: ({ arguments: { practice }, options, present, style }) => {
    const used = catalogueOf(options.catalogue)
    const id = practiceNamed(practice, used)
    const { objective, levels, aliases, mappings } = used.practices[id]
    const signals = signalsOf(id).map((signal) => {
      const { title, source, unit, practices } = SIGNALS[signal]
      return {
        signal,
        title,
        source,
        unit,
        levels: practices[id]?.levels ?? {},
        supports: practices[id]?.supports ?? 0,
      }
    })
    const documents = documentsOf(id, used)
    const shown = { id, ...PRACTICES[id], aliases, objective, levels, signals, documents, mappings }
    present(shown, () =>
      [
        style('bold', printable(PRACTICES[id].name)),
        ...field('practice', id),
        ...field('domain', `${PRACTICES[id].domain}, ${PRACTICES[id].subdomain}`),
        ...(aliases.length === 0 ? [] : field('also', printable(aliases.join('; ')))),
        ...field('objective', printable(objective)),
        ...Object.entries(levels).flatMap(([level, words]) => field(`level ${level}`, printable(words))),
        '',
        style('bold', 'What is measured'),
        ...(signals.length === 0 ? ['  nothing: documents alone speak of it'] : []),
        ...signals.flatMap(({ signal, title, supports, levels: refuted }) => [
          ...paragraph('  ', `${title} (${signal})`),
          `    refutes ${rangeOf(refuted)}, supports up to ${supports === 0 ? 'nothing' : `level ${supports}`}`,
        ]),
        '',
        style('bold', 'What people document'),
        ...documents.flatMap(({ kind, title, months, from, supports }) => [
          ...paragraph('  ', printable(`${title} (${kind})`)),
          `    from level ${from}, supports up to level ${supports}, good for ${months} months`,
        ]),
        '',
        style('bold', 'What it has to do with elsewhere (our pairing)'),
        ...Object.entries(mappings).flatMap(([framework, requirements]) =>
          paragraph('  ', printable(`${used.frameworks[framework]?.title ?? framework}: ${requirements.join('; ')}`)),
        ),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

/** What refutes a level refutes those above it. */
function rangeOf(levels: object): string {
  const lowest = Math.min(...Object.keys(levels).map(Number))
  return lowest === 4 ? 'level 4' : `level ${lowest} and above`
}

export const catalogueCommands: readonly Command[] = [catalogue, show]
