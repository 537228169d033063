import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import * as v from 'valibot'
import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../../shared/config/value-types.ts'
import { random } from '../../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { EARLY_EXPIRY } from '../../../../shared/maturity/catalogue/schema.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { didYouMean, nearest } from '../../../../shared/text/suggest.ts'
import { makeId } from '../../../store/ids.ts'
import { connect } from '../api.ts'
import { decide, decisionOptions } from '../decisions/decide.ts'
import { inputFile, readInput } from '../inspect/files.ts'
import { connectionOptions } from '../settings.ts'
import { field, timeText } from '../text.ts'
import { catalogueOfCollector, practiceNamed } from './catalogue-option.ts'
import { date, dayOf } from './day-option.ts'

const words = (description: string, placeholder = 'TEXT') =>
  ({ description, value: text(8192), placeholder, required: true }) as const

/** The same day so many months later, or the last day of a shorter month. */
function monthsLater(start: number, months: number): number {
  const from = new Date(start * 1000)
  const [year, month] = [from.getUTCFullYear(), from.getUTCMonth() + months]
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  return Date.UTC(year, month, Math.min(from.getUTCDate(), last)) / 1000
}

const submit = defineCommand({
  name: 'document submit',
  summary: 'State what no sensor sees, and sign it for a document that proves it',
  description: [
    'The file stays with you: its name and SHA-256 are signed. Without --valid-until the document is good for as long as the ' +
      'catalogue says of its kind, at most 24 months. A certifier, other than who submitted, accepts it.',
  ],
  examples: ['keepseal document submit policy.pdf --kind patch-policy \\\n    --practice patch-management …'],
  arguments: { file: inputFile('The document') },
  options: {
    ...decisionOptions,
    kind: words('Kind of document, as the catalogue lists it.', 'KIND'),
    practice: { description: 'Practice that it is for.', value: text(128), placeholder: 'PRACTICE', multiple: true },
    product: {
      description: 'VENDOR/MODEL that it is about.',
      value: text(256),
      placeholder: 'PRODUCT',
      multiple: true,
    },
    criterion: words('What exactly it is evidence of.'),
    statement: words('What you state.'),
    capacity: words('In which capacity you sign.'),
    issued: { ...date('When it was issued.'), required: true },
    'valid-until': date('When it ends.'),
    supersedes: { description: 'Document that it replaces.', value: text(128), placeholder: 'ID' },
  },
  json: true,
  run: async ({ arguments: { file }, options, terminal, present }) => {
    const catalogue = await catalogueOfCollector(connect(options, terminal.env))
    const { kind, criterion, statement, capacity, product: products } = options
    const known = catalogue.documents[kind]
    if (known === undefined) {
      const hint = didYouMean(nearest(kind, Object.keys(catalogue.documents)))
      throw new KeepsealError('usage.invalid', `the catalogue has no kind of document ${kind}${hint}`)
    }
    const practices = options.practice.map((each) => practiceNamed(each, catalogue))
    const foreign = practices.find((each) => known.practices[each] === undefined)
    if (foreign !== undefined) throw new KeepsealError('usage.invalid', `${kind} says nothing about ${foreign}`)
    const issued = dayOf('issued', options.issued)
    const until = options.validUntil
    const validUntil = until === undefined ? monthsLater(issued, known.months) : dayOf('valid-until', until)
    const sha256 = createHash('sha256').update(readInput(file)).digest('hex')
    const subject = makeId('doc', Date.now(), random)
    const detail = {
      kind,
      practices,
      criterion,
      statement,
      capacity,
      products,
      issued,
      validUntil,
      file: { name: file === '-' ? 'standard input' : basename(file), sha256 },
      supersedes: options.supersedes ?? null,
    }
    await decide(options, terminal.env, { kind: 'document.submit', subject, detail })
    const end = new Date(validUntil * 1000).toISOString()
    present(
      { document: subject, sha256, validUntil: end },
      () => `${subject}, good until ${end.slice(0, 10)} once accepted`,
    )
    return exitCodes.good
  },
})

const documentArgument = { description: 'Its id.' } as const

/** A decision about one document that says its reason. */
const decision = (verb: 'accept' | 'reject', summary: string) =>
  defineCommand({
    name: `document ${verb}`,
    summary,
    arguments: { document: documentArgument },
    options: { ...decisionOptions, reason: words('Why.') },
    json: true,
    run: async ({ arguments: { document: subject }, options, terminal, present }) => {
      const { reason } = options
      const done = await decide(options, terminal.env, { kind: `document.${verb}`, subject, detail: { reason } })
      present(done, () => printable(`${subject}: ${verb}ed`))
      return exitCodes.good
    },
  })

const supersede = defineCommand({
  name: 'document supersede',
  summary: 'Sign that another accepted document takes its place',
  description: [
    'Both have been accepted, and are of one kind. Where the new one was submitted with --supersedes this is done as it is ' +
      'accepted.',
  ],
  arguments: { document: documentArgument },
  options: { ...decisionOptions, by: words('The document that takes its place.', 'ID'), reason: words('Why.') },
  json: true,
  run: async ({ arguments: { document: subject }, options, terminal, present }) => {
    const { by, reason } = options
    const done = await decide(options, terminal.env, { kind: 'document.supersede', subject, detail: { by, reason } })
    present(done, () => printable(`${subject} is superseded by ${by}`))
    return exitCodes.good
  },
})

const expire = defineCommand({
  name: 'document expire',
  summary: 'Sign that a document holds no more, before its time',
  arguments: { document: documentArgument },
  options: {
    ...decisionOptions,
    trigger: {
      description: `${EARLY_EXPIRY.join(', ')}.`,
      value: choice(EARLY_EXPIRY),
      placeholder: 'TRIGGER',
      required: true,
    },
    reason: words('What happened.'),
  },
  json: true,
  run: async ({ arguments: { document: subject }, options, terminal, present }) => {
    const { trigger, reason } = options
    const detail = { trigger, reason }
    const done = await decide(options, terminal.env, { kind: 'document.expire-early', subject, detail })
    present(done, () => printable(`${subject} has ended`))
    return exitCodes.good
  },
})

const Document = v.looseObject({
  id: v.string(),
  kind: v.string(),
  practices: v.array(v.string()),
  criterion: v.string(),
  statement: v.string(),
  file: v.object({ name: v.string(), sha256: v.string() }),
  capacity: v.string(),
  products: v.array(v.string()),
  issued: v.string(),
  validUntil: v.string(),
  standing: v.string(),
  counts: v.boolean(),
  signerRevoked: v.boolean(),
  reason: v.string(),
})
const day = (time: string): string => timeText(time).slice(0, 10)
const REVOKED = 'who signed it was revoked afterwards'

const list = defineCommand({
  name: 'document list',
  summary: 'Documents that people handed in, and until when they count',
  options: connectionOptions,
  json: true,
  run: async ({ options, terminal, present, table }) => {
    const answer = await connect(options, terminal.env).get('/documents', v.object({ items: v.array(Document) }))
    const columns = [
      { title: 'DOCUMENT', shrinks: false },
      { title: 'STANDING', shrinks: false },
      { title: 'UNTIL', shrinks: false },
      { title: 'KIND' },
    ]
    const rows = answer.items.map(({ id, standing, validUntil, kind, signerRevoked }) => [
      id,
      signerRevoked ? `${standing}!` : standing,
      day(validUntil),
      kind,
    ])
    const hasRevoked = answer.items.some(({ signerRevoked }) => signerRevoked)
    present(answer, () => [table(columns, rows).trimEnd(), ...(hasRevoked ? [`!: ${REVOKED}`] : [])].join('\n'))
    return exitCodes.good
  },
})

const show = defineCommand({
  name: 'document show',
  summary: 'What a document states, and whether it counts now',
  arguments: { document: documentArgument },
  options: connectionOptions,
  json: true,
  run: async ({ arguments: { document: id }, options, terminal, present }) => {
    const each = await connect(options, terminal.env).get(`/documents/${encodeURIComponent(id)}`, Document)
    present(each, () =>
      [
        ...field('document', printable(`${each.id}, ${each.kind}`)),
        ...field('standing', `${each.standing}, ${each.counts ? 'it counts' : 'it does not count'}`),
        ...(each.signerRevoked ? field('', REVOKED) : []),
        ...(each.reason === '' ? [] : field('reason', printable(each.reason))),
        ...field('issued', `${day(each.issued)}, valid until ${day(each.validUntil)}`),
        ...field('practices', each.practices.join(', ')),
        ...field('products', printable(each.products.join(', '))),
        ...field('criterion', printable(each.criterion)),
        ...field('statement', printable(each.statement)),
        ...field('signed as', printable(each.capacity)),
        ...field('file', printable(each.file.name)),
        ...field('', each.file.sha256),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

export const documentCommands: readonly Command[] = [
  submit,
  decision('accept', 'Sign that a submitted document is good evidence'),
  decision('reject', 'Sign that a submitted document is none'),
  supersede,
  expire,
  list,
  show,
]
