import type * as v from 'valibot'
import { IN_FORCE, type Certificate, type CertificateState } from './certificate.ts'
import * as guard from './certificate-guards.ts'
import { draftSchema, periodSchema, reasonSchema, suspendSchema, type DraftDetail } from './certificate-schemas.ts'
import { defineGuarded, type Guard } from './guarded.ts'
import { refuse, type Decision, type DecisionKind } from './kind.ts'
import type { Register } from './register.ts'

const CONDITIONS_DAYS = 30
const SUSPENSION_DAYS = 42

const existing = ({ certificates }: Register, { subject }: Pick<Decision<unknown>, 'subject'>): Certificate =>
  certificates.get(subject) ?? refuse('decision.no-such-subject', subject)

function ended(certificate: Certificate, state: CertificateState, reason: string): Certificate {
  return { ...certificate, state, reason, conditions: null, suspension: null }
}

const CERTIFIER = ['certifier'] as const

/** A decision about one certificate that is in one of these states. */
function change<D extends { readonly reason: string }>(
  title: string,
  schema: v.GenericSchema<unknown, D>,
  states: readonly CertificateState[],
  guards: readonly Guard<Certificate, D>[],
  next: (certificate: Certificate, decision: Decision<D>) => Certificate,
): DecisionKind<D> {
  return defineGuarded<Certificate, D>({
    title,
    roles: CERTIFIER,
    schema,
    subject: existing,
    guards: [guard.inState(...states), ...guards],
    conclude: ({ certificates }, certificate, decision) => {
      certificates.set(certificate.id, { ...next(certificate, decision), reason: decision.detail.reason })
    },
  })
}

const draft: DecisionKind<DraftDetail> = defineGuarded<string, DraftDetail>({
  title: 'A certificate is drafted',
  roles: CERTIFIER,
  schema: draftSchema,
  subject: (_, { subject }) => {
    // It is part of public addresses.
    if (/^[\w.-]+$/.test(subject)) return subject
    return refuse('log.malformed', 'the id of a certificate has letters, digits, _ . and - alone')
  },
  guards: guard.draftGuards,
  conclude: ({ certificates }, id, { author, index, detail }) => {
    certificates.set(id, {
      ...detail,
      id,
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

const issue: DecisionKind<v.InferOutput<typeof reasonSchema>> = defineGuarded<
  Certificate,
  v.InferOutput<typeof reasonSchema>
>({
  title: 'A certificate is issued',
  roles: CERTIFIER,
  schema: reasonSchema,
  subject: existing,
  // The profile may have moved on since it was drafted, or the certificate that is replaced.
  guards: [
    guard.inState('draft'),
    guard.stagesArePassed,
    ...guard.profileIsApproved,
    guard.notTheSubmitter,
    guard.notExpired,
    ...guard.supersededIsInForce,
  ],
  conclude: ({ certificates }, certificate, { at, detail }) => {
    const before = certificate.supersedes === null ? undefined : certificates.get(certificate.supersedes)
    if (before !== undefined) {
      certificates.set(before.id, ended(before, 'superseded', `replaced by ${certificate.number}`))
    }
    certificates.set(certificate.id, { ...certificate, state: 'valid', issuedAt: at, reason: detail.reason })
  },
})

export const certificateKinds = {
  'certificate.draft': draft,
  'certificate.issue': issue,
  'certificate.abandon': change('A draft is abandoned', reasonSchema, ['draft'], [], (certificate) => ({
    ...certificate,
    state: 'abandoned',
  })),
  'certificate.condition': change(
    'A certificate stays in force under conditions',
    periodSchema,
    ['valid'],
    [guard.endsWithin(CONDITIONS_DAYS)],
    (certificate, { detail: { until, reason } }) => ({
      ...certificate,
      state: 'valid-with-conditions',
      conditions: { text: reason, until, extended: false },
    }),
  ),
  'certificate.extend-conditions': change(
    'Conditions are extended, once',
    periodSchema,
    ['valid-with-conditions'],
    [guard.notExtendedYet, guard.endsWithin(CONDITIONS_DAYS)],
    (certificate, { detail: { until } }) => ({
      ...certificate,
      conditions: certificate.conditions && { ...certificate.conditions, until, extended: true },
    }),
  ),
  'certificate.lift-conditions': change(
    'Conditions are met',
    reasonSchema,
    ['valid-with-conditions'],
    [],
    (certificate) => ({ ...certificate, state: 'valid', conditions: null }),
  ),
  'certificate.suspend': change(
    'A certificate is suspended',
    suspendSchema,
    ['valid', 'valid-with-conditions'],
    [guard.endsWithin(SUSPENSION_DAYS), guard.withinYear, guard.productsAreListed],
    (certificate, { at, detail: { until, products } }) => ({
      ...certificate,
      state: 'suspended',
      suspension: { since: at, until, products },
    }),
  ),
  'certificate.extend-suspension': change(
    'A suspension is extended',
    periodSchema,
    ['suspended'],
    [guard.extendsSuspension, guard.endsWithin(guard.SUSPENSION_TOTAL_DAYS), guard.withinYear],
    (certificate, { detail: { until } }) => ({
      ...certificate,
      suspension: certificate.suspension && { ...certificate.suspension, until },
    }),
  ),
  'certificate.restore': change('A suspension ends', reasonSchema, ['suspended'], [], (certificate, { at }) => ({
    ...certificate,
    state: certificate.conditions === null ? 'valid' : 'valid-with-conditions',
    suspendedSeconds: guard.suspendedUntil(certificate, at, at),
    suspension: null,
  })),
  'certificate.withdraw': change('A certificate is withdrawn', reasonSchema, IN_FORCE, [], (certificate, { detail }) =>
    ended(certificate, 'withdrawn', detail.reason),
  ),
}
