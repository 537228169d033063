import * as v from 'valibot'
import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { choice } from '../../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { SCENARIOS } from '../../../../shared/maturity/profile.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { connect } from '../api.ts'
import { decide, decisionOptions } from '../decisions/decide.ts'
import { connectionOptions } from '../settings.ts'
import { field } from '../text.ts'
import { words } from './words.ts'

const certificate = { description: 'Id of the draft.' } as const

const begin = defineCommand({
  name: 'assessment begin',
  summary: 'Sign that a draft is assessed in stages',
  description: [
    'From then on it is issued only once every stage is passed. For a profile of a new product the collector asks for it.',
  ],
  arguments: { certificate, scenario: { description: `${SCENARIOS.join(', ')}.`, value: choice(SCENARIOS) } },
  options: decisionOptions,
  json: true,
  run: async ({ arguments: { certificate: subject, scenario }, options, terminal, present }) => {
    const done = await decide(options, terminal.env, { kind: 'assessment.begin', subject, detail: { scenario } })
    present(done, () => printable(`${subject} is assessed as ${scenario}`))
    return exitCodes.good
  },
})

const OUTCOMES = ['passed', 'failed'] as const

const stage = defineCommand({
  name: 'assessment stage',
  summary: 'Sign that a stage is passed, or not',
  arguments: {
    certificate,
    stage: { description: 'The one that is next.' },
    outcome: { description: 'passed or failed.', value: choice(OUTCOMES) },
  },
  options: { ...decisionOptions, reason: words('Why.') },
  json: true,
  run: async ({ arguments: { certificate: subject, stage: name, outcome }, options, terminal, present }) => {
    const detail = { stage: name, outcome, reason: options.reason }
    const done = await decide(options, terminal.env, { kind: 'assessment.stage', subject, detail })
    present(done, () => printable(`${subject}: ${name} is ${outcome}`))
    return exitCodes.good
  },
})

const Assessment = v.looseObject({
  certificate: v.string(),
  scenario: v.string(),
  stages: v.array(v.string()),
  stage: v.nullable(v.string()),
  results: v.array(v.looseObject({ stage: v.string(), outcome: v.string(), reason: v.string(), at: v.string() })),
})

const show = defineCommand({
  name: 'assessment show',
  summary: 'Which stages of a draft are passed, and which is next',
  description: ['Ends with 1 while a stage is open.'],
  arguments: { certificate },
  options: connectionOptions,
  json: true,
  run: async ({ arguments: { certificate: wanted }, options, terminal, present }) => {
    const { items } = await connect(options, terminal.env).get('/assessments', v.object({ items: v.array(Assessment) }))
    const found = items.find((each) => each.certificate === wanted)
    if (found === undefined) throw new KeepsealError('request.not-found', `assessment of ${wanted}`)
    present(found, () =>
      [
        ...field('scenario', found.scenario),
        ...field('stages', found.stages.join(', ')),
        ...field('next', found.stage ?? 'all are passed'),
        ...found.results.flatMap(({ stage: name, outcome, reason, at }) =>
          field(at.slice(0, 10), printable(`${name} ${outcome}: ${reason}`)),
        ),
      ].join('\n'),
    )
    return found.stage === null ? exitCodes.good : exitCodes.finding
  },
})

export const assessmentCommands: readonly Command[] = [begin, stage, show]
