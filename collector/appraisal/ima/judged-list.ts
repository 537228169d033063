import { bootAggregatesOver, checkBootAggregate } from '../../../shared/ima/boot-aggregate.ts'
import { appraiseIma, type ImaPolicy } from '../../../shared/ima/policy.ts'
import type { VerifiedImaSuffix } from '../../../shared/ima/types.ts'
import { initialImaSummary, type ImaState, type ImaSummary, type ImaVerdict } from '../../model/ima-state.ts'
import type { AppraisalContext, Deviation } from '../context.ts'
import { pcrsAtKernelStart } from '../../../shared/ima/kernel-start.ts'
import { problemDeviations } from './problem-deviations.ts'

export const AGGREGATE_SUBJECT = 'boot aggregate'
const NO_POLICY: ImaPolicy = { allow: new Map(), signers: [], excludes: [] }

export interface JudgedList {
  readonly state: ImaState
  readonly deviations: readonly Deviation[]
}

/** What verified entries say. `before`: what the earlier ones of the boot said; null where these are the first. */
export function judgeList(
  context: AppraisalContext,
  bootSeed: Uint8Array,
  suffix: VerifiedImaSuffix,
  before: ImaSummary | null,
): JudgedList {
  const policy = context.known.imaPolicy ?? NO_POLICY
  const aggregate = before === null ? judgeAggregate(context, suffix) : { status: before.aggregate, deviations: [] }
  const quoted = context.quote?.pcrs ?? new Map()
  const appraisal = appraiseIma(suffix.entries, policy, () => [
    ...bootAggregatesOver(quoted, context.hash),
    ...bootAggregatesOver(pcrsAtKernelStart(quoted, context.bootLog, context.hash), context.hash),
  ])
  const judges = policy.allow.size > 0 || policy.signers.length > 0
  const earlier = before ?? initialImaSummary
  const found = problemDeviations(appraisal.problems, earlier, context.hash)
  const bySigners = [...appraisal.allowedBySigner.values()].reduce((sum, count) => sum + count, 0)
  const summary: ImaSummary = {
    ...found.summary,
    resetCount: context.quote?.clockInfo.resetCount ?? null,
    aggregate: aggregate.status,
    allowed: earlier.allowed + appraisal.allowedByDigest + bySigners,
    unjudged: earlier.unjudged + (judges ? 0 : suffix.matchedEntries),
    excluded: sumOf(earlier.excluded, appraisal.excluded),
    refused: null,
    missing: null,
    waiting: [],
  }
  return {
    state: { bootSeed, base: suffix.next, verdict: verdictOf(summary), summary },
    deviations: [...aggregate.deviations, ...found.deviations],
  }
}

/** Accepted is what is left when each entry of the boot was looked at and nothing speaks against it. */
export function verdictOf({ problems, aggregate, unjudged, allowed }: ImaSummary): ImaVerdict {
  if (problems > 0 || aggregate === 'refused') return 'refused'
  return aggregate === 'matches' && unjudged === 0 && allowed > 0 ? 'accepted' : 'not-appraised'
}

function judgeAggregate(
  context: AppraisalContext,
  suffix: VerifiedImaSuffix,
): { readonly status: ImaSummary['aggregate']; readonly deviations: readonly Deviation[] } {
  const { quote, bootLog, hash } = context
  const pcrs = pcrsAtKernelStart(quote?.pcrs ?? new Map(), bootLog, hash)
  const check = checkBootAggregate(suffix.entries[0], pcrs, hash)
  if (check.status === 'matches') return { status: 'matches', deviations: [] }
  const { code, detail = '' } = check.problem
  // Without a proven log the quoted values may hold what user space has measured since the kernel started.
  const isUnproven = bootLog === undefined && code === 'ima.boot-aggregate-mismatch'
  if (isUnproven || code === 'ima.boot-aggregate-unchecked') return { status: 'unchecked', deviations: [] }
  const deviation = { subject: AGGREGATE_SUBJECT, before: null, after: `${code}: ${detail}` }
  return { status: 'refused', deviations: [{ code: 'boot.ima-refused', ...deviation }] }
}

function sumOf(a: ImaSummary['excluded'], b: ImaSummary['excluded']): ImaSummary['excluded'] {
  const sums = new Map<string, number>()
  for (const { pattern, entries } of [...a, ...b]) sums.set(pattern, (sums.get(pattern) ?? 0) + entries)
  return [...sums].map(([pattern, entries]) => ({ pattern, entries }))
}
