import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes, type ExitCode } from '../../../../shared/cli/exit-codes.ts'
import type { Output } from '../../../../shared/cli/output.ts'
import { text } from '../../../../shared/config/value-types.ts'
import type { Json } from '../../../../shared/decisions/json-cbor.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { checkedTime } from '../time-option.ts'
import { decide, decisionOptions, type NewDecision } from '../decisions/decide.ts'
import { describePlan, planDecision } from './plan.ts'

export const certificateArgument = { certificate: { description: 'Its id, as crt_…' } } as const

export const tryOptions = {
  ...decisionOptions,
  'dry-run': { description: 'Say what would change, or which guard refuses it, and decide nothing.' },
} as const

type TryFlags = Parameters<typeof decide>[0] & { readonly dryRun: boolean }

type Presenting = Pick<Output, 'terminal' | 'present'> & { readonly options: TryFlags }

/** Decides, or says what it would change. */
export async function decideOrTry(
  { options, terminal, present }: Presenting,
  decision: NewDecision,
  done: string,
): Promise<ExitCode> {
  if (options.dryRun) {
    const plan = await planDecision(options, terminal.env, decision)
    const now = Math.floor(Date.now() / 1000)
    present({ wouldChange: plan.after, was: plan.before }, () =>
      ['Nothing was decided. It would change:', ...describePlan(plan, now).map(printable)].join('\n'),
    )
    return exitCodes.good
  }
  const appended = await decide(options, terminal.env, decision)
  present({ ...appended, id: decision.subject }, () => `${printable(decision.subject)} ${done}`)
  return exitCodes.good
}

const reasonOption = {
  description: 'Why: others will read it.',
  value: text(8192),
  placeholder: 'TEXT',
  required: true,
} as const
const untilOption = {
  description: 'Its last moment, as 2026-12-31.',
  value: checkedTime(),
  placeholder: 'TIME',
  required: true,
} as const
const secondsOf = (time: string): number => Math.floor(Date.parse(time) / 1000)

/** A decision that says its reason and nothing else. */
const simple = (verb: string, summary: string, done: string): Command =>
  defineCommand({
    name: `certificate ${verb}`,
    summary,
    arguments: certificateArgument,
    options: { ...tryOptions, reason: reasonOption },
    json: true,
    run: (context) =>
      decideOrTry(
        context,
        {
          kind: `certificate.${verb}`,
          subject: context.arguments.certificate,
          detail: { reason: context.options.reason },
        },
        done,
      ),
  })

/** A decision that holds until a time. */
const timed = (verb: string, summary: string, done: string): Command =>
  defineCommand({
    name: `certificate ${verb}`,
    summary,
    arguments: certificateArgument,
    options: { ...tryOptions, reason: reasonOption, until: untilOption },
    json: true,
    run: (context) => {
      const { reason, until } = context.options
      const detail = { reason, until: secondsOf(until) }
      return decideOrTry(context, { kind: `certificate.${verb}`, subject: context.arguments.certificate, detail }, done)
    },
  })

const suspend = defineCommand({
  name: 'certificate suspend',
  summary: 'Suspend a certificate for at most 42 days, for some of its products or all',
  arguments: certificateArgument,
  options: {
    ...tryOptions,
    reason: reasonOption,
    until: untilOption,
    product: {
      description: 'VENDOR/MODEL, several separated by commas; without it all of them.',
      value: text(8192),
      placeholder: 'PRODUCTS',
    },
  },
  json: true,
  run: (context) => {
    const { reason, until, product } = context.options
    const products: Json = product === undefined ? null : product.split(',').map((each) => each.trim())
    const detail = { reason, until: secondsOf(until), products }
    const decision = { kind: 'certificate.suspend', subject: context.arguments.certificate, detail }
    return decideOrTry(context, decision, 'is suspended')
  },
})

export const certificateDecisions: readonly Command[] = [
  simple('issue', 'Issue a drafted certificate; one that it supersedes ends with that', 'is in force'),
  simple('abandon', 'Give up a draft', 'is abandoned'),
  timed(
    'condition',
    'Keep a certificate in force under conditions, for at most 30 days',
    'is in force with conditions',
  ),
  timed('extend-conditions', 'Extend the period of conditions, once, by at most 30 days', 'has more time'),
  simple('lift-conditions', 'Say that the conditions are met', 'is in force without conditions'),
  suspend,
  timed('extend-suspension', 'Extend a suspension, to at most a year in all', 'stays suspended'),
  simple('restore', 'End a suspension', 'is restored'),
  simple('withdraw', 'Withdraw a certificate for good', 'is withdrawn'),
]
