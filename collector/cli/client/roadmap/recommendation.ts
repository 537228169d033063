import * as v from 'valibot'
import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { choice } from '../../../../shared/config/value-types.ts'
import { random } from '../../../../shared/crypto/node.ts'
import { ANSWERS } from '../../../../shared/decisions/roadmap/recommendation.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { makeId } from '../../../store/ids.ts'
import { connect } from '../api.ts'
import { decide, decisionOptions } from '../decisions/decide.ts'
import { catalogueOfCollector, practiceNamed } from '../maturity/catalogue-option.ts'
import { connectionOptions } from '../settings.ts'
import { field, paragraph } from '../text.ts'
import { optionalId, productsOption, words } from './words.ts'

const Recommendation = v.looseObject({
  id: v.string(),
  title: v.string(),
  text: v.string(),
  practice: v.string(),
  products: v.array(v.string()),
  case: v.nullable(v.string()),
  like: v.nullable(v.string()),
  standing: v.string(),
  answer: v.nullable(v.looseObject({ reason: v.string() })),
})
const List = v.object({ items: v.array(Recommendation) })

const make = defineCommand({
  name: 'recommendation make',
  summary: 'Sign what you recommend to a vendor',
  description: [
    'With --like it repeats what was recommended about another product: title, text and practice are those of the other one ' +
      'unless they are given. The vendor answers it, and can put it on the roadmap.',
  ],
  examples: ['keepseal recommendation make --like rcm_… --product "Acme/Gate 9"'],
  options: {
    ...decisionOptions,
    product: productsOption,
    practice: { ...words('Practice that it is about.', 'PRACTICE'), required: false },
    title: { ...words('In a few words.'), required: false },
    text: { ...words('What to do, and why.'), required: false },
    like: optionalId('Recommendation that it repeats.'),
    case: optionalId('Reassessment that it came out of.'),
  },
  json: true,
  run: async ({ options, terminal, present }) => {
    const client = connect(options, terminal.env)
    const { like = null } = options
    const found =
      like === null ? undefined : (await client.get('/recommendations', List)).items.find(({ id }) => id === like)
    if (like !== null && found === undefined) throw new KeepsealError('request.not-found', `recommendation ${like}`)
    const [title, text, practice] = [options.title, options.text, options.practice].map(
      (given, at) => given ?? [found?.title, found?.text, found?.practice][at],
    )
    if (title === undefined || text === undefined || practice === undefined)
      throw new KeepsealError('usage.invalid', '--title, --text and --practice are wanted, or --like')
    const detail = {
      title,
      text,
      practice: practiceNamed(practice, await catalogueOfCollector(client)),
      products: options.product,
      case: options.case ?? null,
      like,
    }
    const subject = makeId('rcm', Date.now(), random)
    await decide(options, terminal.env, { kind: 'recommendation.make', subject, detail })
    present({ recommendation: subject }, () => subject)
    return exitCodes.good
  },
})

const recommendation = { description: 'Its id.' } as const

const answer = defineCommand({
  name: 'recommendation answer',
  summary: 'Sign what you answer to a recommendation',
  arguments: { recommendation, answer: { description: `${ANSWERS.join(', ')}.`, value: choice(ANSWERS) } },
  options: { ...decisionOptions, reason: words('Why; of what is done, what shows it.') },
  json: true,
  run: async ({ arguments: { recommendation: subject, answer: given }, options, terminal, present }) => {
    const detail = { answer: given, reason: options.reason }
    const done = await decide(options, terminal.env, { kind: 'recommendation.answer', subject, detail })
    present(done, () => printable(`${subject}: ${given}`))
    return exitCodes.good
  },
})

const withdraw = defineCommand({
  name: 'recommendation withdraw',
  summary: 'Sign that you recommend something no more',
  arguments: { recommendation },
  options: { ...decisionOptions, reason: words('Why.') },
  json: true,
  run: async ({ arguments: { recommendation: subject }, options, terminal, present }) => {
    const { reason } = options
    const done = await decide(options, terminal.env, { kind: 'recommendation.withdraw', subject, detail: { reason } })
    present(done, () => printable(`${subject} is withdrawn`))
    return exitCodes.good
  },
})

const list = defineCommand({
  name: 'recommendation list',
  summary: 'What certifiers recommend, and what was answered',
  description: [
    'With --practice across all products: what was advised about one may help another. Ends with 1 when one has no answer.',
  ],
  options: { ...connectionOptions, practice: { ...words('Of this practice alone.', 'PRACTICE'), required: false } },
  json: true,
  run: async ({ options, terminal, present, table }) => {
    const client = connect(options, terminal.env)
    const practice =
      options.practice === undefined ? undefined : practiceNamed(options.practice, await catalogueOfCollector(client))
    const all = (await client.get('/recommendations', List)).items
    const items = all.filter((each) => practice === undefined || each.practice === practice)
    const columns = [
      { title: 'RECOMMENDATION', shrinks: false },
      { title: 'STANDING', shrinks: false },
      { title: 'TITLE' },
    ]
    const rows = items.map(({ id, standing, title }) => [id, standing, printable(title)])
    present({ items }, () => table(columns, rows).trimEnd())
    return items.some(({ standing }) => standing === 'unanswered') ? exitCodes.finding : exitCodes.good
  },
})

const show = defineCommand({
  name: 'recommendation show',
  summary: 'What is recommended, and what the vendor says to it',
  arguments: { recommendation },
  options: connectionOptions,
  json: true,
  run: async ({ arguments: { recommendation: wanted }, options, terminal, present }) => {
    const { items } = await connect(options, terminal.env).get('/recommendations', List)
    const each = items.find(({ id }) => id === wanted)
    if (each === undefined) throw new KeepsealError('request.not-found', `recommendation ${wanted}`)
    present(each, () =>
      [
        ...field('title', printable(each.title)),
        ...field('standing', each.standing),
        ...field('practice', each.practice),
        ...field('products', printable(each.products.join(', '))),
        ...(each.case === null ? [] : field('case', printable(each.case))),
        ...(each.like === null ? [] : field('like', printable(each.like))),
        ...paragraph('', printable(each.text)),
        ...(each.answer === null ? [] : field('answer', printable(each.answer.reason))),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

export const recommendationCommands: readonly Command[] = [make, answer, withdraw, list, show]
