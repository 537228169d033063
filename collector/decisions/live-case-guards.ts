import { findings, type FindingCode } from '../../shared/codes/findings.ts'
import { hash } from '../../shared/crypto/node.ts'
import type { Case, CaseIdentity } from '../../shared/decisions/cases/case.ts'
import { factsDigest } from '../../shared/decisions/cases/facts.ts'
import { closingShareOf } from '../../shared/decisions/cases/guards.ts'
import { triggerOf } from '../../shared/maturity/triggers.ts'
import type { ReassessmentCase } from '../model/case.ts'
import type { Store } from '../store/index.ts'
import type { FleetAnswer, FleetQuestion } from '../store/fleet-proof.ts'
import type { LiveContext, LiveGuard } from './live-guard.ts'

const WITH_FACTS = ['case.triage', 'case.aware'] as const

const recordOf = async ({ store, subject }: LiveContext): Promise<ReassessmentCase | undefined> =>
  (await store.cases.byId(subject))?.case

/** What a decision has to call a case. */
export const identityOf = (record: ReassessmentCase): CaseIdentity => ({
  facts: factsDigest(record.facts, hash),
  product: record.productId,
  certificate: record.certificateId,
  trigger: record.trigger,
  cause: record.cause,
  proof: triggerOf(record.trigger).proof,
  openedAt: Math.floor(record.openedAt / 1000),
})

async function factsBreach(context: LiveContext): Promise<string | undefined> {
  const record = await recordOf(context)
  if (record === undefined) return undefined
  const { case: named, severity } = context.detail as { case: CaseIdentity; severity?: string }
  const actual = identityOf(record)
  const keys = Object.keys(actual) as (keyof CaseIdentity)[]
  const other: string[] = keys.filter((key) => actual[key] !== named[key])
  if (severity !== undefined && severity !== record.severity) other.push(`severity, which is ${record.severity}`)
  return other.length === 0 ? undefined : other.join(', ')
}

const isFinding = (cause: string): cause is FindingCode => Object.hasOwn(findings, cause)

/**
 * What units are asked to show for a case, by evidence from `since` on (seconds since 1970), or from the fix if that is
 * later. Undefined before a fix was reported.
 */
export async function fleetQuestion(store: Store, found: Case, since = 0): Promise<FleetQuestion | undefined> {
  const { fix, cause, product } = found
  if (fix === null) return undefined
  const release = fix.release === null ? undefined : await store.releases.byId(fix.release)
  return {
    productId: product,
    code: isFinding(cause) ? cause : null,
    since: Math.max(fix.fixedAt, since) * 1000,
    releaseOrder: release?.order ?? null,
  }
}

/** How many units show the fix of a case now. */
export async function fleetShowing(store: Store, found: Case, since?: number): Promise<FleetAnswer | undefined> {
  const question = await fleetQuestion(store, found, since)
  return question === undefined ? undefined : store.fleetProof.ask(question)
}

async function shareBreach({ detail, subject, register, store }: LiveContext): Promise<string | undefined> {
  const { fleet } = detail as { fleet: { since: number; shown: number; declared: number } | null }
  const found = register.cases.get(subject)
  if (fleet === null || found === undefined) return undefined
  const actual = await fleetShowing(store, found, fleet.since)
  if (actual === undefined) return 'no fix was reported'
  const isCovered = fleet.shown <= actual.shown && fleet.declared >= actual.declared
  return isCovered
    ? undefined
    : `${actual.shown} of ${actual.declared} units show it, not ${fleet.shown} of ${fleet.declared}`
}

/** Between verification and closing a fleet can fall back. */
async function stillShownBreach({ detail, subject, register, store }: LiveContext): Promise<string | undefined> {
  const { outcome } = detail as { outcome: string }
  const found = register.cases.get(subject)
  const fleet = found?.verification?.fleet ?? null
  if (outcome !== 'closed' || found === undefined || fleet === null) return undefined
  const actual = await fleetShowing(store, found, fleet.since)
  const percent = closingShareOf(register.certificates.get(found.certificate))
  if (actual !== undefined && actual.shown * 100 >= percent * actual.declared) return undefined
  return `${actual?.shown ?? 0} of ${actual?.declared ?? 0} units show it now, agreed are ${percent} %`
}

async function releaseBreach({ detail, subject, register, store }: LiveContext): Promise<string | undefined> {
  const { release } = detail as { release: string | null }
  const product = register.cases.get(subject)?.product
  if (release === null || product === undefined) return undefined
  const known = await store.releases.byId(release)
  return known?.productId === product && (known.state === 'active' || known.state === 'superseded')
    ? undefined
    : release
}

export const caseGuards: readonly LiveGuard[] = [
  {
    code: 'case.unknown',
    wants: 'the collector has opened the case',
    kinds: WITH_FACTS,
    breach: async (context) => ((await recordOf(context)) === undefined ? context.subject : undefined),
  },
  {
    code: 'case.facts-mismatch',
    wants: 'facts and severity are those that the collector has',
    kinds: WITH_FACTS,
    breach: factsBreach,
  },
  {
    code: 'case.release-unknown',
    wants: 'the release that brings the fix is, or was, in force',
    kinds: ['case.fixed'],
    breach: releaseBreach,
  },
  {
    code: 'case.share-overstated',
    wants: 'the collector has evidence of so many units',
    kinds: ['case.verify'],
    breach: shareBreach,
  },
  {
    code: 'case.share-too-small',
    wants: 'closed: the agreed share of the units still shows the fix',
    kinds: ['case.decide'],
    breach: stillShownBreach,
  },
]
