import type { Certificate } from '../../../shared/decisions/certificate.ts'
import type { Json } from '../../../shared/decisions/json-cbor.ts'
import { reductionOf, renewalOf } from '../../../shared/decisions/next-draft.ts'
import { namesOf } from '../../../shared/decisions/products.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import { STAGES } from '../../../shared/decisions/stages.ts'
import type { MessageKey } from '../i18n/text.ts'
import {
  lineOf,
  secondsOf,
  severalOf,
  wallTime,
  type DecisionForm,
  type Field,
  type Option,
  type TextField,
} from './decision-form.ts'

/** What decisions about a certificate are made of: what the signed log says, as it was verified here. */
export interface DecidedCertificate {
  readonly certificate: Certificate
  readonly profiles: Register['profiles']
}

type CertificateForm = DecisionForm<DecidedCertificate>

const IN_FORCE = ['valid', 'valid-with-conditions', 'suspended']
const options = (values: readonly string[]): readonly Option[] => values.map((value) => ({ value }))
const isIn =
  (...states: readonly string[]) =>
  ({ certificate }: DecidedCertificate): boolean =>
    states.includes(certificate.state)

const reason: TextField = { kind: 'text', name: 'reason', label: 'case.reason' }
const number: TextField = { kind: 'line', name: 'number', label: 'form.number' }
const until = (hint: MessageKey): TextField => ({ kind: 'time', name: 'until', label: 'form.until', hint })

/** It says its reason and nothing else. */
const simple = (verb: string, title: MessageKey, states: readonly string[]): CertificateForm => ({
  id: verb,
  kind: `certificate.${verb}`,
  title,
  command: `certificate ${verb}`,
  isOffered: isIn(...states),
  fields: () => [reason],
  detail: (values) => ({ reason: lineOf(values, 'reason') }),
})

/** It holds until a time. */
const timed = (verb: string, title: MessageKey, states: readonly string[], hint: MessageKey): CertificateForm => ({
  ...simple(verb, title, states),
  fields: () => [until(hint), reason],
  detail: (values) => ({ reason: lineOf(values, 'reason'), until: secondsOf(values, 'until') }),
})

const productsField = (name: string, label: MessageKey, { certificate }: DecidedCertificate): Field => ({
  kind: 'several',
  name,
  label,
  option: 'product',
  options: options(namesOf(certificate.products)),
  isOptional: true,
  isOneOption: true,
})

const someOf = (values: ReturnType<typeof severalOf>): readonly string[] | null => (values.length === 0 ? null : values)

const suspend: CertificateForm = {
  ...simple('suspend', 'decide.certificate.suspend', ['valid', 'valid-with-conditions']),
  fields: (subject) => [until('form.until.suspend'), productsField('products', 'form.someProducts', subject), reason],
  detail: (values) => ({
    reason: lineOf(values, 'reason'),
    until: secondsOf(values, 'until'),
    products: someOf(severalOf(values, 'products')),
  }),
}

const begin: CertificateForm = {
  id: 'assessment-begin',
  kind: 'assessment.begin',
  title: 'decide.assessment.begin',
  command: 'assessment begin',
  isOffered: isIn('draft'),
  fields: () => [
    {
      kind: 'choice',
      name: 'scenario',
      label: 'form.scenario',
      options: options(Object.keys(STAGES)),
      area: 'scenario',
      isArgument: true,
    },
  ],
  detail: (values) => ({ scenario: lineOf(values, 'scenario') }),
}

const stage: CertificateForm = {
  id: 'assessment-stage',
  kind: 'assessment.stage',
  title: 'decide.assessment.stage',
  command: 'assessment stage',
  isOffered: isIn('draft'),
  fields: () => [
    {
      kind: 'choice',
      name: 'stage',
      label: 'form.stage',
      options: options([...new Set(Object.values(STAGES).flat())]),
      area: 'assessmentStage',
      isArgument: true,
    },
    {
      kind: 'choice',
      name: 'passed',
      label: 'form.outcome',
      options: options(['passed', 'failed']),
      area: 'passed',
      isArgument: true,
    },
    reason,
  ],
  detail: (values) => ({
    stage: lineOf(values, 'stage'),
    outcome: lineOf(values, 'passed'),
    reason: lineOf(values, 'reason'),
  }),
}

const renew: CertificateForm = {
  id: 'renew',
  kind: 'certificate.draft',
  title: 'decide.certificate.renew',
  hint: 'decide.certificate.renew.hint',
  command: 'certificate renew',
  isOffered: isIn(...IN_FORCE),
  fields: () => [
    number,
    { kind: 'time', name: 'validUntil', label: 'form.validUntil', option: 'valid-until' },
    { kind: 'time', name: 'supportUntil', label: 'form.supportUntil', option: 'support-until' },
  ],
  initial: ({ certificate }) => ({ supportUntil: wallTime(certificate.supportUntil * 1000) }),
  detail: (values, { certificate, profiles }, now) =>
    renewalOf({ profiles }, certificate, {
      number: lineOf(values, 'number'),
      validFrom: Math.floor(now / 1000),
      validUntil: secondsOf(values, 'validUntil'),
      supportUntil: secondsOf(values, 'supportUntil'),
    }) as unknown as Json,
  makes: 'certificate',
}

const reduce: CertificateForm = {
  id: 'reduce',
  kind: 'certificate.draft',
  title: 'decide.certificate.reduce',
  hint: 'decide.certificate.reduce.hint',
  command: 'certificate reduce',
  isOffered: isIn(...IN_FORCE),
  fields: (subject) => [number, productsField('stay', 'form.stay', subject)],
  detail: (values, { certificate, profiles }) =>
    reductionOf(
      { profiles },
      certificate,
      lineOf(values, 'number'),
      someOf(severalOf(values, 'stay')),
    ) as unknown as Json,
  makes: 'certificate',
}

export const CERTIFICATE_FORMS: readonly CertificateForm[] = [
  begin,
  stage,
  simple('issue', 'decide.certificate.issue', ['draft']),
  simple('abandon', 'decide.certificate.abandon', ['draft']),
  timed('condition', 'decide.certificate.condition', ['valid'], 'form.until.condition'),
  simple('lift-conditions', 'decide.certificate.lift-conditions', ['valid-with-conditions']),
  timed('extend-conditions', 'decide.certificate.extend-conditions', ['valid-with-conditions'], 'form.until.condition'),
  suspend,
  simple('restore', 'decide.certificate.restore', ['suspended']),
  timed('extend-suspension', 'decide.certificate.extend-suspension', ['suspended'], 'form.until.extend'),
  renew,
  reduce,
  simple('withdraw', 'decide.certificate.withdraw', IN_FORCE),
]
