import * as v from 'valibot'
import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { choice, integer } from '../../../../shared/config/value-types.ts'
import { random } from '../../../../shared/crypto/node.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { makeId } from '../../../store/ids.ts'
import { connect } from '../api.ts'
import { decide, decisionOptions } from '../decisions/decide.ts'
import { catalogueOfCollector, practiceNamed } from '../maturity/catalogue-option.ts'
import { date, endOfDay, lastDayText } from '../maturity/day-option.ts'
import { connectionOptions } from '../settings.ts'
import { optionalId, productsOption, words } from './words.ts'

const level = (description: string, least: number) =>
  ({ description, value: integer(least, 4), placeholder: 'LEVEL', required: true }) as const
const due = { ...date('Last day on which it is in time.'), required: true } as const
const step = { description: 'Its id.' } as const

const add = defineCommand({
  name: 'roadmap add',
  summary: 'Sign a step towards what the profile asks for',
  description: [
    'Somebody is named who does it, until a day, and what will show it. Reports list it with what is derived from gaps.',
  ],
  examples: ['keepseal roadmap add --practice patch-management --from-level 2 --to-level 3 …'],
  options: {
    ...decisionOptions,
    title: words('What is done.'),
    practice: words('Practice that it is for.', 'PRACTICE'),
    product: productsOption,
    'from-level': level('Level now.', 0),
    'to-level': level('Level afterwards.', 1),
    owner: words('Who does it.', 'NAME'),
    due,
    evidence: words('What has to be shown before it is done.'),
    recommendation: optionalId('Recommendation that it follows.'),
    case: optionalId('Reassessment that it belongs to.'),
  },
  json: true,
  run: async ({ options, terminal, present }) => {
    const { title, owner, evidence, product: products, fromLevel, toLevel } = options
    const practice = practiceNamed(options.practice, await catalogueOfCollector(connect(options, terminal.env)))
    const until = endOfDay('due', options.due)
    const links = { recommendation: options.recommendation ?? null, case: options.case ?? null }
    const detail = { title, practice, products, fromLevel, toLevel, owner, due: until, evidence, ...links }
    const subject = makeId('rmi', Date.now(), random)
    await decide(options, terminal.env, { kind: 'roadmap.add', subject, detail })
    present({ item: subject }, () => subject)
    return exitCodes.good
  },
})

const change = defineCommand({
  name: 'roadmap change',
  summary: 'Sign another owner, or another day, of a step',
  description: ['The day that was promised at first stays on record.'],
  arguments: { item: step },
  options: { ...decisionOptions, owner: words('Who does it.', 'NAME'), due, reason: words('Why.') },
  json: true,
  run: async ({ arguments: { item: subject }, options, terminal, present }) => {
    const detail = { owner: options.owner, due: endOfDay('due', options.due), reason: options.reason }
    const done = await decide(options, terminal.env, { kind: 'roadmap.change', subject, detail })
    present(done, () => printable(`${subject}: ${options.owner}, until ${options.due}`))
    return exitCodes.good
  },
})

const OUTCOMES = ['done', 'dropped'] as const

const close = defineCommand({
  name: 'roadmap close',
  summary: 'Sign that a step is done, or dropped',
  arguments: { item: step, outcome: { description: 'done or dropped.', value: choice(OUTCOMES) } },
  options: { ...decisionOptions, reason: words('What shows it; or why it is dropped.') },
  json: true,
  run: async ({ arguments: { item: subject, outcome }, options, terminal, present }) => {
    const detail = { outcome, reason: options.reason }
    const done = await decide(options, terminal.env, { kind: 'roadmap.close', subject, detail })
    present(done, () => printable(`${subject} is ${outcome}`))
    return exitCodes.good
  },
})

const Step = v.looseObject({
  id: v.string(),
  title: v.string(),
  practice: v.string(),
  fromLevel: v.number(),
  toLevel: v.number(),
  owner: v.string(),
  due: v.string(),
  firstDue: v.string(),
  standing: v.string(),
})

const list = defineCommand({
  name: 'roadmap list',
  summary: 'Steps of the roadmaps, what is due first comes first',
  description: ['A day that was moved has a ">". Ends with 1 when something is overdue.'],
  options: { ...connectionOptions, all: { description: 'Also what is done or dropped.' } },
  json: true,
  run: async ({ options, terminal, present, table }) => {
    const all = await connect(options, terminal.env).get('/roadmap-items', v.object({ items: v.array(Step) }))
    const items = all.items.filter(({ standing }) => options.all || standing === 'open' || standing === 'overdue')
    const columns = [
      { title: 'ITEM', shrinks: false },
      { title: 'DUE', shrinks: false },
      { title: 'LEVEL', shrinks: false },
      { title: 'OWNER' },
      { title: 'TITLE' },
    ]
    const rows = items.map(({ id, standing, due: until, firstDue, fromLevel, toLevel, owner, title }) => [
      id,
      `${lastDayText(until)}${until > firstDue ? '>' : ''}${standing === 'open' ? '' : ` ${standing}`}`,
      `${fromLevel} to ${toLevel}`,
      printable(owner),
      printable(title),
    ])
    present({ items }, () => table(columns, rows).trimEnd())
    return items.some(({ standing }) => standing === 'overdue') ? exitCodes.finding : exitCodes.good
  },
})

export const roadmapCommands: readonly Command[] = [add, change, close, list]
