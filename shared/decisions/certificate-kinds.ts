import * as v from 'valibot'
import { IN_FORCE, PUBLIC_CONFORMITY, standingOf, type Certificate, type CertificateState } from './certificate.ts'
import {
  DAY,
  defineKind,
  digest,
  longText,
  refuse,
  seconds,
  shortText,
  type Decision,
  type DecisionKind,
} from './kind.ts'
import { lineSchema, namesOf, productsSchema, widened } from './products.ts'
import { approvedOf, lowered } from './profile.ts'
import type { Register } from './register.ts'
import { assertStagesPassed } from './stages.ts'

const CONDITIONS_DAYS = 30
const SUSPENSION_DAYS = 42
const SUSPENSION_TOTAL_DAYS = 365

const someProductsSchema = v.pipe(
  v.array(shortText),
  v.minLength(1),
  v.maxLength(256),
  v.check((products) => new Set(products).size === products.length, 'a product is named twice'),
)

const draftSchema = v.pipe(
  v.strictObject({
    number: shortText,
    products: productsSchema,
    line: v.nullable(lineSchema),
    profile: v.strictObject({ id: shortText, version: v.number(), digest }),
    agreement: v.strictObject({
      publicConformity: v.picklist(PUBLIC_CONFORMITY),
      claimsWhileSuspended: v.boolean(),
      closingShare: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
      nonconformingAfterDays: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(366))),
    }),
    validFrom: seconds,
    validUntil: seconds,
    supportUntil: seconds,
    /** The certificate that this one replaces once it is issued: a renewal, a new scope, a reduction. */
    supersedes: v.nullable(shortText),
    /** A reduction has no more than it reduces, and needs no new assessment of what is left. */
    isReduction: v.boolean(),
  }),
  v.check(({ validFrom, validUntil }) => validFrom < validUntil, 'it ends before it begins'),
  v.check(
    ({ products, line }) => products.length === 1 || line !== null,
    'several products are no line without its basis',
  ),
  v.check(({ isReduction, supersedes }) => !isReduction || supersedes !== null, 'a reduction of nothing'),
)
type Draft = v.InferOutput<typeof draftSchema>

const reasonSchema = v.strictObject({ reason: longText })
const periodSchema = v.strictObject({ reason: longText, until: seconds })
const suspendSchema = v.strictObject({ reason: longText, until: seconds, products: v.nullable(someProductsSchema) })

function existing(register: Register, subject: string, ...states: readonly CertificateState[]): Certificate {
  const certificate = register.certificates.get(subject) ?? refuse('decision.no-such-subject', subject)
  if (states.includes(certificate.state)) return certificate
  return refuse('decision.wrong-state', `${subject} is ${certificate.state}`)
}

function assertPeriod(at: number, until: number, days: number): void {
  if (until <= at || until > at + days * DAY) refuse('decision.period', `at most ${days} days from now`)
}

/** How long it was suspended in all, were it to stay so until then. */
const suspendedUntil = ({ suspendedSeconds, suspension }: Certificate, since: number, until: number): number =>
  suspendedSeconds + until - (suspension?.since ?? since)

function assertTotal(certificate: Certificate, at: number, until: number): void {
  const isTooLong = suspendedUntil(certificate, at, until) > SUSPENSION_TOTAL_DAYS * DAY
  if (isTooLong) refuse('decision.period', `at most ${SUSPENSION_TOTAL_DAYS} days of suspension in all`)
}

/** A certificate and its profile belong together: the version that was approved, by its digest. */
function assertProfile(register: Register, { profile }: Pick<Draft, 'profile'>): void {
  const approved = approvedOf(register.profiles.get(profile.id))
  if (approved === undefined) refuse('profile.not-approved', profile.id)
  if (approved.profileKind === 'template') refuse('certificate.profile-mismatch', `${profile.id} is a template`)
  if (approved.version !== profile.version || approved.digest !== profile.digest) {
    refuse('certificate.profile-mismatch', `${profile.id} ${profile.version}, approved is ${approved.version}`)
  }
}

function assertReduction(register: Register, before: Certificate, draft: Draft): void {
  const added = widened(before.products, draft.products)
  if (added.length > 0) refuse('certificate.scope-widened', added.join(', '))
  const targetsOf = (profile: Draft['profile']) =>
    register.profiles.get(profile.id)?.find(({ version }) => version === profile.version)?.targets ?? {}
  const raised = lowered(targetsOf(draft.profile), targetsOf(before.profile))
  if (raised.length > 0) refuse('certificate.scope-widened', raised.join(', '))
  const isLonger = draft.validUntil > before.validUntil || draft.supportUntil > before.supportUntil
  if (isLonger) refuse('decision.period', `a reduction ends no later than ${before.id}`)
}

/** The rules for a lowering compare the versions of one profile: another profile would be a lowering without any. */
function assertSameProfile(before: Certificate, { profile }: Draft): void {
  if (profile.id === before.profile.id) return
  refuse('certificate.profile-mismatch', `${before.id} is for ${before.profile.id}`)
}

function ended(certificate: Certificate, state: CertificateState, reason: string): Certificate {
  return { ...certificate, state, reason, conditions: null, suspension: null }
}

const CERTIFIER = ['certifier'] as const
type Apply<D> = (register: Register, decision: Decision<D>) => void

/** A decision about one certificate that is in one of these states. */
function change<D extends { readonly reason: string }>(
  title: string,
  schema: v.GenericSchema<unknown, D>,
  states: readonly CertificateState[],
  next: (certificate: Certificate, decision: Decision<D>) => Certificate,
): DecisionKind<D> {
  const apply: Apply<D> = (register, decision) => {
    const certificate = existing(register, decision.subject, ...states)
    register.certificates.set(certificate.id, { ...next(certificate, decision), reason: decision.detail.reason })
  }
  return { title, roles: CERTIFIER, schema, apply }
}

const draft: DecisionKind<Draft> = defineKind({
  title: 'A certificate is drafted',
  roles: CERTIFIER,
  schema: draftSchema,
  apply: (register, { author, index, subject, at, detail }) => {
    // It is part of public addresses.
    if (!/^[\w.-]+$/.test(subject))
      refuse('log.malformed', 'the id of a certificate has letters, digits, _ . and - alone')
    if (register.certificates.has(subject)) refuse('decision.exists-already', subject)
    assertProfile(register, detail)
    if (detail.supersedes !== null) {
      const before = existing(register, detail.supersedes, ...IN_FORCE)
      assertSameProfile(before, detail)
      if (detail.isReduction) assertReduction(register, before, detail)
    }
    if (detail.validUntil <= at || detail.supportUntil <= at) refuse('decision.period', 'it would be expired')
    register.certificates.set(subject, {
      ...detail,
      id: subject,
      state: 'draft',
      issuedAt: null,
      place: index,
      draftedBy: author.id,
      conditions: null,
      suspension: null,
      suspendedSeconds: 0,
      reason: '',
    })
  },
})

const issue: DecisionKind<v.InferOutput<typeof reasonSchema>> = defineKind({
  title: 'A certificate is issued',
  roles: CERTIFIER,
  schema: reasonSchema,
  apply: (register, { author, subject, at, detail }) => {
    const certificate = existing(register, subject, 'draft')
    assertStagesPassed(register, subject)
    // Meanwhile the profile may have moved on, or the certificate that is replaced.
    assertProfile(register, certificate)
    const { submittedBy } = approvedOf(register.profiles.get(certificate.profile.id)) ?? { submittedBy: '' }
    if (submittedBy === author.id) refuse('decision.own-work', `${author.name} has submitted the profile`)
    if (standingOf(certificate, at).isExpired) refuse('decision.period', 'it would be expired')
    const before = certificate.supersedes === null ? null : existing(register, certificate.supersedes, ...IN_FORCE)
    if (before !== null) {
      register.certificates.set(before.id, ended(before, 'superseded', `replaced by ${certificate.number}`))
    }
    register.certificates.set(subject, { ...certificate, state: 'valid', issuedAt: at, reason: detail.reason })
  },
})

export const certificateKinds = {
  'certificate.draft': draft,
  'certificate.issue': issue,
  'certificate.abandon': change('A draft is abandoned', reasonSchema, ['draft'], (certificate) => ({
    ...certificate,
    state: 'abandoned',
  })),
  'certificate.condition': change(
    'A certificate stays in force under conditions',
    periodSchema,
    ['valid'],
    (certificate, { at, detail: { until, reason } }) => {
      assertPeriod(at, until, CONDITIONS_DAYS)
      return { ...certificate, state: 'valid-with-conditions', conditions: { text: reason, until, extended: false } }
    },
  ),
  'certificate.extend-conditions': change(
    'Conditions are extended, once',
    periodSchema,
    ['valid-with-conditions'],
    (certificate, { at, detail: { until } }) => {
      const { conditions } = certificate
      if (conditions === null || conditions.extended) refuse('decision.wrong-state', 'extended already')
      assertPeriod(at, until, CONDITIONS_DAYS)
      return { ...certificate, conditions: { ...conditions, until, extended: true } }
    },
  ),
  'certificate.lift-conditions': change(
    'Conditions are met',
    reasonSchema,
    ['valid-with-conditions'],
    (certificate) => ({ ...certificate, state: 'valid', conditions: null }),
  ),
  'certificate.suspend': change(
    'A certificate is suspended',
    suspendSchema,
    ['valid', 'valid-with-conditions'],
    (certificate, { at, detail: { until, products } }) => {
      assertPeriod(at, until, SUSPENSION_DAYS)
      assertTotal(certificate, at, until)
      const listed = namesOf(certificate.products)
      const foreign = (products ?? []).filter((product) => !listed.includes(product))
      if (foreign.length > 0) refuse('decision.no-such-subject', foreign.join(', '))
      return { ...certificate, state: 'suspended', suspension: { since: at, until, products } }
    },
  ),
  'certificate.extend-suspension': change(
    'A suspension is extended',
    periodSchema,
    ['suspended'],
    (certificate, { at, detail: { until } }) => {
      const { suspension } = certificate
      if (suspension === null) return refuse('decision.wrong-state', 'not suspended')
      if (until <= suspension.until) refuse('decision.period', 'it is no extension')
      assertPeriod(at, until, SUSPENSION_TOTAL_DAYS)
      assertTotal(certificate, at, until)
      return { ...certificate, suspension: { ...suspension, until } }
    },
  ),
  'certificate.restore': change('A suspension ends', reasonSchema, ['suspended'], (certificate, { at }) => ({
    ...certificate,
    state: certificate.conditions === null ? 'valid' : 'valid-with-conditions',
    suspendedSeconds: suspendedUntil(certificate, at, at),
    suspension: null,
  })),
  'certificate.withdraw': change('A certificate is withdrawn', reasonSchema, IN_FORCE, (certificate, { detail }) =>
    ended(certificate, 'withdrawn', detail.reason),
  ),
}
