import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { choice, text } from '../../../../shared/config/value-types.ts'
import { LEGAL_SCHEMES } from '../../../../shared/decisions/cases/schemes.ts'
import type { Json } from '../../../../shared/decisions/json-cbor.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { releaseIdOf } from '../release-reference.ts'
import { checkedTime } from '../time-option.ts'
import { caseDecisionOptions, decideCase } from './decide-case.ts'
import { changeClass, pair, practice, reason, secondsOf, several, TEXT } from './options.ts'
import { caseArgument } from './readers.ts'

/** The steps of whoever has to mend something. */

const triage = defineCommand({
  name: 'case triage',
  summary: 'Take a case up, or dismiss it',
  description: ['What is critical is dismissed by a certifier alone.'],
  examples: ['keepseal case triage cas_… --accept --reason "the boot loader is not ours"'],
  arguments: { id: caseArgument },
  options: {
    ...caseDecisionOptions,
    accept: { description: 'It is one.' },
    dismiss: { description: 'It is none.' },
    reason,
  },
  json: true,
  run: (context) => {
    const { accept, dismiss, reason: why } = context.options
    if (accept === dismiss) throw new KeepsealError('usage.invalid', 'either --accept or --dismiss')
    return decideCase(context, context.arguments.id, 'triage', ({ identity, severity }) => ({
      case: identity as unknown as Json,
      severity,
      outcome: accept ? 'accepted' : 'dismissed',
      reason: why,
    }))
  },
})

const aware = defineCommand({
  name: 'case aware',
  summary: 'Say since when the vendor is aware of it: what legal deadlines count from',
  description: [
    'Only somebody of the vendor says this. The software records when it noticed something itself, and neither concludes ' +
      'awareness from that nor tells any authority. The deadlines that are shown then are not legal advice.',
  ],
  arguments: { id: caseArgument },
  options: {
    ...caseDecisionOptions,
    scheme: {
      description: `${LEGAL_SCHEMES.join(', ')}.`,
      value: choice(LEGAL_SCHEMES),
      placeholder: 'SCHEME',
      required: true,
    },
    at: { description: 'Since when.', value: checkedTime(), placeholder: 'TIME', required: true },
    source: { description: 'Who or what made you aware.', ...TEXT, required: true },
    reason,
  },
  json: true,
  run: (context) => {
    const { scheme, at, source, reason: why } = context.options
    return decideCase(context, context.arguments.id, 'aware', ({ identity }) => ({
      case: identity as unknown as Json,
      scheme,
      awareAt: secondsOf(at),
      source,
      reason: why,
    }))
  },
})

const impact = defineCommand({
  name: 'case impact',
  summary: 'Sign the impact analysis report',
  arguments: { id: caseArgument },
  options: {
    ...caseDecisionOptions,
    summary: { description: 'What happened, and what it means.', ...TEXT, required: true },
    practice,
    from: { description: 'Version before the change.', value: text(256), placeholder: 'VERSION' },
    to: { description: 'Version after it.', value: text(256), placeholder: 'VERSION' },
    change: several('WHAT: EFFECT of a change', 'TEXT'),
    affected: several('Evidence of the assessment that is affected', 'TEXT'),
    class: changeClass,
  },
  json: true,
  run: (context) => {
    const { summary, practice: practices, from, to, change, affected, class: proposedClass } = context.options
    const changes = change.map((each) => {
      const [what, effect] = pair(each, '--change "WHAT: EFFECT"')
      return { what, effect }
    })
    return decideCase(context, context.arguments.id, 'impact', () => ({
      summary,
      from: from ?? null,
      to: to ?? null,
      changes,
      practices,
      affectedEvidence: affected,
      proposedClass,
    }))
  },
})

const plan = defineCommand({
  name: 'case plan',
  summary: 'Plan the remediation, of at most 30 days',
  examples: [
    'keepseal case plan cas_… --until 2026-12-12 \\\n    --action "2026-12-10 Ben: roll the boot loader back"',
  ],
  arguments: { id: caseArgument },
  options: {
    ...caseDecisionOptions,
    action: { ...several('DAY OWNER: what is done', 'TEXT'), required: true },
    until: { description: 'When it is fixed.', value: checkedTime(), placeholder: 'TIME', required: true },
  },
  json: true,
  run: (context) => {
    const form = '--action "2026-12-10 OWNER: WHAT"'
    const actions = context.options.action.map((each) => {
      const found = /^(\d{4}-\d{2}-\d{2}) ([^:]+): (.+)$/.exec(each)
      const [, day = '', owner = '', what = ''] = found ?? []
      const due = Date.parse(`${day}T00:00:00Z`) / 1000
      if (found === null || Number.isNaN(due)) throw new KeepsealError('usage.invalid', `${form} is wanted`)
      return { what, owner, due }
    })
    const until = secondsOf(context.options.until)
    return decideCase(context, context.arguments.id, 'plan', () => ({ actions, until }))
  },
})

const fixed = defineCommand({
  name: 'case fixed',
  summary: 'Report that it is fixed; somebody else verifies and signs it off',
  arguments: { id: caseArgument },
  options: {
    ...caseDecisionOptions,
    what: { description: 'What was done.', ...TEXT, required: true },
    at: { description: 'Since when the fix is there; now without.', value: checkedTime(), placeholder: 'TIME' },
    release: {
      description: 'Release that brings it, and that units have to run: PRODUCT@NAME.',
      value: text(600),
      placeholder: 'RELEASE',
    },
  },
  json: true,
  run: (context) => {
    const { what, at, release } = context.options
    return decideCase(context, context.arguments.id, 'fixed', async (_, client) => ({
      fixedAt: at === undefined ? Math.floor(Date.now() / 1000) : secondsOf(at),
      what,
      release: release === undefined ? null : await releaseIdOf(client, release),
    }))
  },
})

export const remediationCommands: readonly Command[] = [triage, aware, impact, plan, fixed]
