import * as v from 'valibot'
import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { text } from '../../../../shared/config/value-types.ts'
import { random } from '../../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { makeId } from '../../../store/ids.ts'
import { connect } from '../api.ts'
import { decide, decisionOptions } from '../decisions/decide.ts'
import { connectionOptions } from '../settings.ts'
import { catalogueOfCollector, practiceNamed } from './catalogue-option.ts'
import { date, endOfDay, lastDayText } from './day-option.ts'

const words = (description: string, placeholder = 'TEXT') =>
  ({ description, value: text(8192), placeholder, required: true }) as const

const request = defineCommand({
  name: 'document request',
  summary: 'Sign that somebody is to hand in a document until a day',
  description: [
    'It is fulfilled by the first accepted document of that kind, for that practice and all of these products, that is ' +
      'submitted afterwards; where a person is named, by him. With --from CAPACITY who accepts the document judges whether ' +
      'it came from the right one.',
  ],
  examples: ['keepseal document request --kind patch-policy \\\n    --practice patch-management --person per_… …'],
  options: {
    ...decisionOptions,
    kind: words('Kind of document, as the catalogue lists it.', 'KIND'),
    practice: words('Practice that it is for.', 'PRACTICE'),
    product: {
      description: 'VENDOR/MODEL that it is about.',
      value: text(256),
      placeholder: 'PRODUCT',
      multiple: true,
    },
    from: { description: 'Who owes it, by function.', value: text(256), placeholder: 'CAPACITY' },
    person: { description: 'Who owes it, by id.', value: text(128), placeholder: 'ID' },
    until: { ...date('Last day on which it is in time.'), required: true },
    reason: words('What it is wanted for.'),
  },
  json: true,
  run: async ({ options, terminal, present }) => {
    const { kind, product: products, from: capacity, person, reason } = options
    if ((capacity === undefined) === (person === undefined)) {
      throw new KeepsealError('usage.invalid', 'either --from or --person says who owes it')
    }
    const catalogue = await catalogueOfCollector(connect(options, terminal.env))
    const practice = practiceNamed(options.practice, catalogue)
    const until = endOfDay('until', options.until)
    const subject = makeId('req', Date.now(), random)
    const from = person === undefined ? { capacity: capacity ?? '' } : { person }
    const detail = { kind, practice, products, from, until, reason }
    await decide(options, terminal.env, { kind: 'document.request', subject, detail })
    present({ request: subject }, () => `${subject}, owed by ${printable(capacity ?? person ?? '')}`)
    return exitCodes.good
  },
})

const withdraw = defineCommand({
  name: 'document withdraw',
  summary: 'Sign that a document is asked for no more',
  arguments: { request: { description: 'Id of the request.' } },
  options: { ...decisionOptions, reason: words('Why.') },
  json: true,
  run: async ({ arguments: { request: subject }, options, terminal, present }) => {
    const { reason } = options
    const decision = { kind: 'document.withdraw-request', subject, detail: { reason } }
    const done = await decide(options, terminal.env, decision)
    present(done, () => printable(`${subject} is withdrawn`))
    return exitCodes.good
  },
})

const Request = v.looseObject({
  id: v.string(),
  kind: v.string(),
  practice: v.string(),
  products: v.array(v.string()),
  from: v.union([v.object({ person: v.string() }), v.object({ capacity: v.string() })]),
  until: v.string(),
  standing: v.string(),
  fulfilled: v.nullable(v.object({ by: v.string(), late: v.boolean() })),
})

const requests = defineCommand({
  name: 'document requests',
  summary: 'Who owes which document, and until when',
  description: ['Ends with 1 when something is overdue.'],
  options: {
    ...connectionOptions,
    all: { description: 'Also what is fulfilled or withdrawn.' },
  },
  json: true,
  run: async ({ options, terminal, present, table }) => {
    const answer = await connect(options, terminal.env).get('/document-requests', v.object({ items: v.array(Request) }))
    const isOver = ({ standing }: { standing: string }) => standing === 'fulfilled' || standing === 'withdrawn'
    const items = options.all ? answer.items : answer.items.filter((each) => !isOver(each))
    const columns = [
      { title: 'REQUEST', shrinks: false },
      { title: 'STANDING', shrinks: false },
      { title: 'UNTIL', shrinks: false },
      { title: 'KIND' },
      { title: 'FROM' },
    ]
    const rows = items.map(({ id, standing, until, kind, from, fulfilled }) => [
      id,
      fulfilled?.late === true ? `${standing}, late` : standing,
      lastDayText(until),
      kind,
      printable('person' in from ? from.person : from.capacity),
    ])
    present({ items }, () => table(columns, rows).trimEnd())
    return items.some(({ standing }) => standing === 'overdue') ? exitCodes.finding : exitCodes.good
  },
})

export const documentRequestCommands: readonly Command[] = [request, requests, withdraw]
