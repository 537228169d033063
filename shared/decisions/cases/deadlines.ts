import { endOfPeriod, type Period } from '../../maturity/period.ts'
import { triggerOf, type TriggerId } from '../../maturity/triggers.ts'
import type { Certificate } from '../certificate.ts'
import { isFinal, type Case } from './case.ts'
import { CLASS_PERIODS, LEGAL_DEADLINES, LEGAL_SCHEMES, type LegalDeadline } from './schemes.ts'

/** Something that has to be done about a case by a time, in seconds since 1970. */
export interface Deadline {
  readonly id: string
  readonly title: string
  readonly due: number
  /** When it was done; null before. Of legal ones the product does not know: it reports nothing to anybody. */
  readonly metAt: number | null
  /** Of a law or scheme: not legal advice. */
  readonly isLegal: boolean
}

/** What is known of a case that nobody has decided about yet. */
export interface Opened {
  readonly trigger: TriggerId
  readonly openedAt: number
}

const PLAN: Period = { days: 14 }
const SCOPE: Period = { workingDays: 5 }
const VERIFY: Period = { days: 30 }
const DECIDE: Period = { workingDays: 10 }

/** All deadlines of a case that are known so far, earliest first. A pure function: every reader gets the same. */
export function deadlinesOf(
  opened: Opened,
  decided: Case | undefined,
  certificate: Certificate | undefined,
): readonly Deadline[] {
  const own = decided === undefined || !isFinal(decided.state) ? ownDeadlines(opened, decided) : []
  const legal = decided === undefined ? [] : legalDeadlines(decided, certificate)
  return [...own, ...legal].sort((one, other) => one.due - other.due)
}

/** Those that are over at that time, and not known to be met. */
export const overdueOf = (deadlines: readonly Deadline[], at: number): readonly Deadline[] =>
  deadlines.filter(({ due, metAt }) => metAt === null && at > due)

function ownDeadlines({ trigger, openedAt }: Opened, decided: Case | undefined): readonly Deadline[] {
  const { triage, impact } = triggerOf(trigger)
  const { triaged, impact: report, scope, plan, fix, verification } = decided ?? {}
  const step = (
    id: string,
    title: string,
    from: number | undefined,
    period: Period,
    met: { readonly at: number } | null | undefined,
  ): readonly Deadline[] =>
    from === undefined ? [] : [{ id, title, due: endOfPeriod(from, period), metAt: met?.at ?? null, isLegal: false }]
  const whole = scope === undefined || scope === null ? undefined : CLASS_PERIODS[scope.class]
  return [
    ...step('triage', 'somebody says whether it is one', openedAt, triage, triaged),
    ...step('impact', 'impact analysis report', triaged?.at, impact, report),
    ...step('scope', 'what is assessed anew', report?.at, SCOPE, scope),
    ...step('plan', 'remediation plan', scope?.at, PLAN, plan),
    ...(plan === undefined || plan === null
      ? []
      : [{ id: 'remediation', title: 'fixed, as planned', due: plan.until, metAt: fix?.at ?? null, isLegal: false }]),
    ...step('verification', 'the fix is verified in the fleet', fix?.at, VERIFY, verification),
    ...step('decision', 'the certifier decides', verification?.at, DECIDE, null),
    ...(whole === undefined ? [] : step('class', whole.title, scope?.at, whole.period, null)),
  ]
}

function legalDeadlines(decided: Case, certificate: Certificate | undefined): readonly Deadline[] {
  return LEGAL_SCHEMES.flatMap((scheme) => {
    const aware = decided.aware[scheme]
    if (aware === undefined) return []
    const starts = {
      aware: aware.awareAt,
      fix: decided.fix?.fixedAt,
      suspension: certificate?.suspension?.since,
    }
    return LEGAL_DEADLINES[scheme].flatMap(({ id, title, from, period }): readonly Deadline[] => {
      const start = starts[from]
      return start === undefined ? [] : [{ id, title, due: endOf(start, period), metAt: null, isLegal: true }]
    })
  })
}

function endOf(start: number, period: LegalDeadline['period']): number {
  if (!('months' in period)) return endOfPeriod(start, period)
  const date = new Date(start * 1000)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + period.months)
  // A month after 31 January is the last day of February, not a day of March.
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, last))
  return date.getTime() / 1000
}
