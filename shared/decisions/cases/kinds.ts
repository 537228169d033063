import type * as v from 'valibot'
import type { Guard } from '../guarded.ts'
import { defineGuarded } from '../guarded.ts'
import { refuse, type Decision, type DecisionKind } from '../kind.ts'
import type { PersonRole } from '../person.ts'
import type { Register } from '../register.ts'
import { isFinal, newCase, type Act, type Case, type CaseIdentity, type CaseState } from './case.ts'
import * as guard from './guards.ts'
import * as schemas from './schemas.ts'

type Conclusion = Partial<Case> & { readonly state: CaseState }

const actOf = ({ author, at }: Decision<unknown>): Act => ({ by: author.id, at })

/** Somebody has decided about it before. */
function known({ cases }: Register, { subject }: Decision<unknown>): Case {
  return cases.get(subject) ?? refuse('decision.no-such-subject', `${subject}: it was not triaged`)
}

/** The first decision about a case brings its facts into the log; later ones have to name the same. */
function knownOrNew<D extends { readonly case: CaseIdentity }>({ cases }: Register, decision: Decision<D>): Case {
  const { subject, detail } = decision
  return cases.get(subject) ?? newCase(subject, detail.case, 'low', detail.case.openedAt)
}

interface CaseDecision<D> {
  readonly step: string
  readonly title: string
  readonly roles: readonly PersonRole[]
  readonly schema: v.GenericSchema<unknown, D>
  readonly subject: (register: Register, decision: Decision<D>) => Case
  readonly guards: readonly Guard<Case, D>[]
  readonly next: (found: Case, decision: Decision<D>) => Conclusion
}

function defineCaseKind<D>({ step, next, ...kind }: CaseDecision<D>): DecisionKind<D> {
  return defineGuarded<Case, D>({
    ...kind,
    conclude: ({ cases, head }, found, decision) => {
      const conclusion = next(found, decision)
      const { state } = conclusion
      const since = state === found.state ? found.since : decision.at
      const done = { ...actOf(decision), index: (head?.index ?? -1) + 1, step, state }
      cases.set(found.id, { ...found, since, ...conclusion, history: [...found.history, done] })
    },
  })
}

const ANYBODY_CONCERNED = ['vendor', 'certifier'] as const
/** The certifier's own matters, such as a review of the certificate, are mended by a certifier. */
const WHO_MENDS = ['vendor', 'operator', 'certifier'] as const
const CERTIFIER = ['certifier'] as const
const VENDOR = ['vendor'] as const

const triage = defineCaseKind<v.InferOutput<typeof schemas.triageSchema>>({
  step: 'triage',
  title: 'A case is taken up, or dismissed',
  roles: ANYBODY_CONCERNED,
  schema: schemas.triageSchema,
  subject: knownOrNew,
  guards: [guard.inState('triggered'), guard.sameFacts, guard.dismissesByRank],
  next: (_, decision) => {
    const { outcome, severity, reason } = decision.detail
    return { state: outcome === 'accepted' ? 'triaged' : 'dismissed', severity, reason, triaged: actOf(decision) }
  },
})

const aware = defineCaseKind<v.InferOutput<typeof schemas.awareSchema>>({
  step: 'aware',
  title: 'The vendor says since when he is aware of it',
  roles: VENDOR,
  schema: schemas.awareSchema,
  subject: knownOrNew,
  guards: [guard.isOpen, guard.sameFacts, guard.awareBefore],
  next: (found, decision) => {
    const { scheme, awareAt, reason, source } = decision.detail
    return { state: found.state, aware: { ...found.aware, [scheme]: { ...actOf(decision), awareAt, reason, source } } }
  },
})

const impact = defineCaseKind<v.InferOutput<typeof schemas.impactSchema>>({
  step: 'impact',
  title: 'The impact is analysed',
  roles: ANYBODY_CONCERNED,
  schema: schemas.impactSchema,
  subject: known,
  guards: [guard.inState('triaged', 'impact-analysis')],
  next: (_, decision) => ({ state: 'impact-analysis', impact: { ...decision.detail, ...actOf(decision) } }),
})

const scope = defineCaseKind<v.InferOutput<typeof schemas.scopeSchema>>({
  step: 'scope',
  title: 'It is said what has to be assessed anew',
  roles: CERTIFIER,
  schema: schemas.scopeSchema,
  subject: known,
  guards: [guard.inState('impact-analysis', 'scoped'), guard.notTheReporter],
  next: (_, decision) => {
    const { detail } = decision
    const { reason, severity } = detail
    return { state: 'scoped', scope: { ...detail, ...actOf(decision) }, reason, severity }
  },
})

const plan = defineCaseKind<v.InferOutput<typeof schemas.planSchema>>({
  step: 'plan',
  title: 'The remediation is planned',
  roles: WHO_MENDS,
  schema: schemas.planSchema,
  subject: known,
  guards: [guard.inState('scoped', 'remediation'), guard.plansInTime],
  next: (found, decision) => {
    const firstAt = found.plan?.firstAt ?? decision.at
    return { state: 'remediation', plan: { ...decision.detail, ...actOf(decision), firstAt } }
  },
})

const fixed = defineCaseKind<v.InferOutput<typeof schemas.fixedSchema>>({
  step: 'fixed',
  title: 'A fix is reported',
  roles: WHO_MENDS,
  schema: schemas.fixedSchema,
  subject: known,
  guards: [guard.inState('remediation', 'verification'), guard.fixIsDated],
  next: ({ fixers }, decision) => {
    const fix = { ...decision.detail, ...actOf(decision) }
    const others = fixers.filter((id) => id !== fix.by)
    return { state: 'verification', fix, fixers: [...others, fix.by], verification: null }
  },
})

const verify = defineCaseKind<v.InferOutput<typeof schemas.verifySchema>>({
  step: 'verify',
  title: 'The fix is verified',
  roles: WHO_MENDS,
  schema: schemas.verifySchema,
  subject: known,
  guards: [
    guard.inState('verification', 'assessor-decision'),
    guard.notTheFixer,
    guard.coversScope,
    guard.hasEvidence,
    guard.evidenceIsLater,
    guard.reachesShare,
  ],
  next: (_, decision) => ({ state: 'assessor-decision', verification: { ...decision.detail, ...actOf(decision) } }),
})

type DecideDetail = v.InferOutput<typeof schemas.decideSchema>
type Outcome = DecideDetail['outcome']

/** In which states each outcome can be decided. */
const DECIDED_IN = {
  closed: ['assessor-decision'],
  remediation: ['verification', 'assessor-decision'],
  'profile-change': ['scoped', 'remediation', 'verification', 'assessor-decision'],
  resume: ['escalated', 'profile-change'],
} as const satisfies Partial<Record<Outcome, readonly CaseState[]>>

/** What is thrown away when somebody has to begin again: a plan that did not help says nothing of the next one. */
const ANEW = { plan: null, fix: null, verification: null } as const

function decided(found: Case, { outcome, reason }: DecideDetail): Conclusion {
  switch (outcome) {
    case 'closed':
    case 'ended':
      return { state: outcome, reason }
    case 'remediation':
      return { state: 'scoped', reason, ...ANEW }
    case 'profile-change':
      return { state: 'profile-change', reason, resumes: found.state }
    case 'resume':
      return { state: found.resumes ?? found.state, reason, resumes: null }
  }
}

const decide = defineCaseKind<DecideDetail>({
  step: 'decide',
  title: 'The certifier decides',
  roles: CERTIFIER,
  schema: schemas.decideSchema,
  subject: known,
  guards: [
    guard.isOpen,
    ...(Object.keys(DECIDED_IN) as (keyof typeof DECIDED_IN)[]).map((outcome) =>
      guard.forOutcome<DecideDetail>(outcome, guard.inState(...DECIDED_IN[outcome])),
    ),
    guard.forOutcome<DecideDetail>('closed', guard.notTheFixer),
    guard.forOutcome<DecideDetail>('closed', guard.isVerified),
    guard.forOutcome<DecideDetail>('profile-change', guard.isCritical),
    guard.forOutcome<DecideDetail>('ended', guard.certificateHasEnded),
  ],
  next: (found, { detail }) => decided(found, detail),
})

const escalate = defineCaseKind<v.InferOutput<typeof schemas.escalateSchema>>({
  step: 'escalate',
  title: 'A suspension or withdrawal is proposed',
  roles: CERTIFIER,
  schema: schemas.escalateSchema,
  subject: known,
  guards: [
    {
      code: 'decision.wrong-state',
      wants: 'the case is taken up, open, and not escalated already',
      breach: ({ state }) =>
        isFinal(state) || state === 'triggered' || state === 'escalated' ? `the case is ${state}` : undefined,
    },
    guard.productsAreCertified,
  ],
  next: (found, decision) => ({
    state: 'escalated',
    proposal: { ...decision.detail, ...actOf(decision) },
    reason: decision.detail.reason,
    // A change of the profile that was intended goes on from where the case was before.
    resumes: found.state === 'profile-change' ? found.resumes : found.state,
  }),
})

/** Decisions about reassessment cases. The software opens them, and people decide each step. */
export const caseKinds = {
  'case.triage': triage,
  'case.aware': aware,
  'case.impact': impact,
  'case.scope': scope,
  'case.plan': plan,
  'case.fixed': fixed,
  'case.verify': verify,
  'case.decide': decide,
  'case.escalate': escalate,
}
