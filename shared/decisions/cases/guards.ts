import type { GuardCode } from '../../codes/guards.ts'
import type { Certificate } from '../certificate.ts'
import type { Guard } from '../guarded.ts'
import { DAY } from '../kind.ts'
import { namesOf } from '../products.ts'
import type { Register } from '../register.ts'
import { isFinal, type Case, type CaseIdentity, type CaseState, type Fix, type Verification } from './case.ts'

/** The guards of decisions about cases, each by its name. */

type CaseGuard<Detail> = Guard<Case, Detail>

/** Days from the first plan within which something is fixed. */
export const REMEDIATION_DAYS = 30
/** A verification that is older than this shows no present. */
const VERIFICATION_DAYS = 30
/** Where the log does not know the certificate, nobody has agreed to less. */
const WHOLE_FLEET = 100

export const closingShareOf = (certificate: Certificate | undefined): number =>
  certificate?.agreement.closingShare ?? WHOLE_FLEET

const holdsIf = (holds: boolean, wrong: () => string): string | undefined => (holds ? undefined : wrong())

export const inState = (...states: readonly CaseState[]): CaseGuard<unknown> => ({
  code: 'decision.wrong-state',
  wants: `the case is ${states.join(' or ')}`,
  breach: ({ state }) => holdsIf(states.includes(state), () => `the case is ${state}`),
})

export const isOpen: CaseGuard<unknown> = {
  code: 'decision.wrong-state',
  wants: 'the case is open',
  breach: ({ state }) => holdsIf(!isFinal(state), () => `the case is ${state}`),
}

/** Only where the guards before have let the state pass does this say something of its own. */
export const sameFacts: CaseGuard<{ readonly case: CaseIdentity }> = {
  code: 'case.facts-mismatch',
  wants: 'the facts are those that were recorded',
  breach: (found, { detail }) => {
    const keys = Object.keys(detail.case) as (keyof CaseIdentity)[]
    const other = keys.filter((key) => found[key] !== detail.case[key])
    return holdsIf(other.length === 0, () => other.join(', '))
  },
}

export const dismissesByRank: CaseGuard<{ readonly severity: string; readonly outcome: string }> = {
  code: 'case.dismissal-critical',
  wants: 'what is critical is dismissed by the certifier alone',
  breach: (_, { author, detail: { severity, outcome } }) =>
    holdsIf(outcome === 'accepted' || severity !== 'critical' || author.role === 'certifier', () => author.name),
}

const notBy = <Detail>(wants: string, others: (found: Case) => readonly (string | undefined)[]): CaseGuard<Detail> => ({
  code: 'decision.own-work',
  wants,
  breach: (found, { author }) => holdsIf(!others(found).includes(author.id), () => author.name),
})

export const notTheReporter = notBy<unknown>('somebody else wrote the impact analysis', ({ impact }) => [impact?.by])
export const notTheFixer = notBy<unknown>('somebody else reported the fix', ({ fixers }) => fixers)

export const plansInTime: CaseGuard<{ readonly until: number }> = {
  code: 'decision.period',
  wants: `it is fixed within ${REMEDIATION_DAYS} days of the first plan`,
  breach: ({ plan }, { at, detail: { until } }) => {
    const latest = (plan?.firstAt ?? at) + REMEDIATION_DAYS * DAY
    return holdsIf(until > at && until <= latest, () => `at most ${REMEDIATION_DAYS} days from the first plan`)
  },
}

export const fixIsDated: CaseGuard<Fix> = {
  code: 'case.fix-misdated',
  wants: 'the fix is dated after the case was opened, and not in the future',
  breach: ({ openedAt }, { at, detail: { fixedAt } }) =>
    holdsIf(fixedAt >= openedAt && fixedAt <= at, () => new Date(fixedAt * 1000).toISOString()),
}

export const awareBefore: CaseGuard<{ readonly scheme: keyof Case['aware']; readonly awareAt: number }> = {
  code: 'case.awareness-later',
  wants: 'the time is past, and no later than what was said before',
  breach: ({ aware }, { at, detail: { scheme, awareAt } }) =>
    holdsIf(awareAt <= Math.min(at, aware[scheme]?.awareAt ?? at), () => new Date(awareAt * 1000).toISOString()),
}

export const coversScope: CaseGuard<Verification> = {
  code: 'case.scope-mismatch',
  wants: 'each practice of the scope has a result, and no other',
  breach: ({ scope }, { detail: { results } }) => {
    const wanted = [...(scope?.practices ?? [])].sort()
    const given = results.map(({ practice }) => practice).sort()
    return holdsIf(wanted.join() === given.join(), () => `the scope is ${wanted.join(', ')}`)
  },
}

export const hasEvidence: CaseGuard<Verification> = {
  code: 'case.evidence-missing',
  wants: 'fresh evidence of the fleet shows the fix, or documents where no unit can',
  breach: ({ proof }, { detail: { fleet, documents } }) => {
    if (proof === 'documents') return holdsIf(documents.length > 0, () => 'no document')
    return holdsIf(fleet !== null && fleet.shown > 0, () => 'no unit shows it')
  },
}

export const evidenceIsLater: CaseGuard<Verification> = {
  code: 'case.evidence-before-fix',
  wants: 'the evidence is of after the fix',
  breach: ({ fix }, { at, detail: { fleet, documents } }) => {
    const from = fix?.fixedAt ?? at
    const dates = [...(fleet === null ? [] : [fleet.since]), ...documents.map(({ dated }) => dated)]
    const wrong = dates.find((date) => date < from || date > at)
    return wrong === undefined ? undefined : new Date(wrong * 1000).toISOString()
  },
}

/** Whether so many units of so many are the share, in percent, without fractions. */
const isShare = (shown: number, declared: number, percent: number): boolean => shown * 100 >= percent * declared

export const reachesShare: CaseGuard<Verification> = {
  code: 'case.share-too-small',
  wants: 'the agreed share of the units shows the fix',
  breach: (found, { detail: { fleet } }, register) => shareBreach(found, fleet, register),
}

function shareBreach(
  { certificate }: Case,
  fleet: { readonly shown: number; readonly declared: number } | null,
  { certificates }: Register,
): string | undefined {
  if (fleet === null) return undefined
  const percent = closingShareOf(certificates.get(certificate))
  const { shown, declared } = fleet
  return holdsIf(isShare(shown, declared, percent), () => `${shown} of ${declared} units, agreed are ${percent} %`)
}

/** For one outcome alone; the others pass. */
export const forOutcome = <Detail extends { readonly outcome: string }>(
  outcome: Detail['outcome'],
  { code, wants, breach }: Guard<Case, Detail>,
): CaseGuard<Detail> => ({
  code,
  wants: `${outcome}: ${wants}`,
  breach: (found, decision, register) =>
    decision.detail.outcome === outcome ? breach(found, decision, register) : undefined,
})

export const isVerified: CaseGuard<unknown> = {
  code: 'case.evidence-missing',
  wants: `it was verified within the last ${VERIFICATION_DAYS} days, after the last fix`,
  breach: ({ verification, fix }, { at }) => {
    const isCurrent =
      verification !== null &&
      fix !== null &&
      verification.at >= fix.at &&
      verification.at + VERIFICATION_DAYS * DAY >= at
    return holdsIf(isCurrent, () => 'verify it anew')
  },
}

export const isCritical: CaseGuard<unknown> = {
  code: 'case.not-critical',
  wants: 'the certifier has confirmed that it is critical',
  breach: ({ scope }) => holdsIf(scope?.severity === 'critical', () => scope?.severity ?? 'no scope yet'),
}

export const certificateHasEnded: CaseGuard<unknown> = {
  code: 'case.certificate-in-force',
  wants: 'the certificate is withdrawn or superseded',
  breach: ({ certificate }, _, { certificates }) => {
    const state = certificates.get(certificate)?.state
    return holdsIf(state === 'withdrawn' || state === 'superseded', () => `${certificate} is ${state ?? 'unknown'}`)
  },
}

export const productsAreCertified: CaseGuard<{ readonly products: readonly string[] | null }> = {
  code: 'decision.no-such-subject' satisfies GuardCode,
  wants: 'the products are those of the certificate',
  breach: ({ certificate }, { detail: { products } }, { certificates }) => {
    const covered = namesOf(certificates.get(certificate)?.products ?? [])
    const foreign = (products ?? []).filter((product) => !covered.includes(product))
    return holdsIf(foreign.length === 0, () => foreign.join(', '))
  },
}
