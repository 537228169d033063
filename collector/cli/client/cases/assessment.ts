import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { toHex } from '../../../../shared/bytes/bytes.ts'
import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { choice, text } from '../../../../shared/config/value-types.ts'
import { hash } from '../../../../shared/crypto/node.ts'
import { OUTCOMES } from '../../../../shared/decisions/cases/case.ts'
import type { Json } from '../../../../shared/decisions/json-cbor.ts'
import { readInput } from '../inspect/files.ts'
import { caseDecisionOptions, decideCase } from './decide-case.ts'
import { changeClass, pair, practice, reason, several } from './options.ts'
import { caseArgument } from './readers.ts'

/** The steps of whoever assesses. */

const scope = defineCommand({
  name: 'case scope',
  summary: 'Say what is assessed anew, and nothing else',
  arguments: { id: caseArgument },
  options: {
    ...caseDecisionOptions,
    practice,
    criterion: several('PRACTICE: a criterion of it', 'TEXT'),
    class: changeClass,
    severity: {
      description: 'critical, high, medium or low, as you confirm it.',
      value: choice(['critical', 'high', 'medium', 'low']),
      placeholder: 'SEVERITY',
      required: true,
    },
    recommend: several('What you recommend', 'TEXT'),
    reason,
  },
  json: true,
  run: (context) => {
    const { practice: practices, criterion, class: named, severity, recommend, reason: why } = context.options
    const criteria = criterion.map((each) => {
      const [of, words] = pair(each, '--criterion "PRACTICE: TEXT"')
      return { practice: of, criterion: words }
    })
    const detail = { practices, criteria, class: named, severity, recommendations: recommend, reason: why }
    return decideCase(context, context.arguments.id, 'scope', () => detail)
  },
})

/** A document by the digest of its content, dated by its file. */
function documentOf(file: string): Json {
  const content = readInput(file)
  const dated = Math.floor(statSync(file).mtimeMs / 1000)
  return { title: basename(file), digest: toHex(new Uint8Array(hash('sha256', content))), dated }
}

const verify = defineCommand({
  name: 'case verify',
  summary: 'Sign that fresh evidence shows the fix: by the units of the fleet, or by documents',
  description: [
    'The number of units is the one that the collector has evidence for, as `case show` prints it. A document is named by ' +
      'the SHA-256 of its file, and dated by when the file was changed last.',
  ],
  arguments: { id: caseArgument },
  options: {
    ...caseDecisionOptions,
    result: { ...several('PRACTICE: what it was found to be', 'TEXT'), required: true },
    document: several('A file that shows it', 'FILE', text(4096)),
  },
  json: true,
  run: (context) => {
    const { result, document } = context.options
    const results = result.map((each) => {
      const [of, found] = pair(each, '--result "PRACTICE: TEXT"')
      return { practice: of, result: found }
    })
    const documents = document.map(documentOf)
    return decideCase(context, context.arguments.id, 'verify', ({ fleet }) => ({
      results,
      fleet: fleet === null ? null : { since: fleet.since, shown: fleet.shown, declared: fleet.declared },
      documents,
    }))
  },
})

const decideCommand = defineCommand({
  name: 'case decide',
  summary: 'Decide what becomes of a case: close it, or something else',
  description: [
    'closed: verified, and not by whoever fixed it. remediation: not good enough, a new plan is wanted. profile-change: a ' +
      'critical nonconformity that cannot be resolved. resume: goes on after an escalation or an intended change of the ' +
      'profile. ended: the certificate is withdrawn or replaced.',
  ],
  arguments: { id: caseArgument },
  options: {
    ...caseDecisionOptions,
    outcome: {
      description: `${OUTCOMES.join(', ')}.`,
      value: choice(OUTCOMES),
      placeholder: 'OUTCOME',
      required: true,
    },
    reason,
  },
  json: true,
  run: (context) => {
    const { outcome, reason: why } = context.options
    return decideCase(context, context.arguments.id, 'decide', () => ({ outcome, reason: why }))
  },
})

const escalate = defineCommand({
  name: 'case escalate',
  summary: 'Propose to suspend or withdraw the certificate; it changes nothing by itself',
  arguments: { id: caseArgument },
  options: {
    ...caseDecisionOptions,
    measure: {
      description: 'suspend or withdraw.',
      value: choice(['suspend', 'withdraw']),
      placeholder: 'MEASURE',
      required: true,
    },
    product: several('VENDOR/MODEL that it is proposed for, all without', 'PRODUCT', text(256)),
    reason,
  },
  json: true,
  run: (context) => {
    const { measure, product, reason: why } = context.options
    return decideCase(context, context.arguments.id, 'escalate', () => ({
      measure,
      products: product.length === 0 ? null : product,
      reason: why,
    }))
  },
})

export const assessmentCommands: readonly Command[] = [scope, verify, decideCommand, escalate]
