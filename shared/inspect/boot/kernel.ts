import type { HashFunction } from '../../crypto/crypto.ts'
import { OutcomeError, outcomeOf } from '../../errors.ts'
import type { ReplayedLog } from '../../eventlog/types.ts'
import { checkBootAggregate, type BootAggregateCheck } from '../../ima/boot-aggregate.ts'
import { IMA_PCR } from '../../ima/constants.ts'
import { pcrsAtKernelStart } from '../../ima/kernel-start.ts'
import { verifyImaSuffix } from '../../ima/replay.ts'
import type { UnverifiedImaList, VerifiedImaSuffix } from '../../ima/types.ts'
import { violationsOf } from '../../ima/violations.ts'
import type { PcrValues } from '../../tpm/pcr-selection.ts'
import {
  failed,
  failureOf,
  failureOfCode,
  good,
  notAppraised,
  type BootPart,
  type KernelListFacts,
  type PartFailure,
} from './report.ts'

export interface AppraisedKernelList {
  readonly parts: readonly BootPart[]
  readonly facts: readonly KernelListFacts[]
  readonly bootAggregate: BootAggregateCheck | null
}

/** `list`: as parsed, why it could not be, or null where none was given. `pcrs`: proven by a quote. */
export function appraiseKernelList(
  list: UnverifiedImaList | OutcomeError | null,
  pcrs: PcrValues,
  logs: readonly ReplayedLog[],
  hash: HashFunction,
): AppraisedKernelList {
  if (list === null || list instanceof OutcomeError) {
    const part =
      list === null
        ? notAppraised('kernel list', false, 'not given: --ima FILE')
        : failed('kernel list', [failureOf(list)])
    return { parts: [part, aggregateMissing(list !== null)], facts: [], bootAggregate: null }
  }
  const failures: PartFailure[] = []
  const verified: VerifiedImaSuffix[] = []
  for (const [bank, values] of pcrs) {
    const quotedPcr10 = values.get(IMA_PCR)
    if (quotedPcr10 === undefined || (bank !== 'sha256' && bank !== 'sha384')) continue
    const result = outcomeOf(() => verifyImaSuffix({ base: null, suffix: list, quotedPcr10, bank }, hash))
    if (result instanceof OutcomeError) failures.push(failureOf(result, REMEDIES[result.code]))
    else verified.push(result)
  }
  const facts = verified.map((suffix) => factsOf(suffix, list.entries.length))
  const [first] = verified
  if (failures.length > 0 || first === undefined) {
    const part =
      failures.length > 0
        ? failed('kernel list', failures)
        : notAppraised('kernel list', true, 'the quote does not cover PCR 10')
    return { parts: [part, aggregateMissing(true)], facts, bootAggregate: null }
  }
  const valuesAtStart = logs.reduce((values, log) => pcrsAtKernelStart(values, log, hash), pcrs)
  const bootAggregate = checkBootAggregate(first.entries[0], valuesAtStart, hash)
  return { parts: [listPart(first, facts[0]), aggregatePart(bootAggregate)], facts, bootAggregate }
}

const REMEDIES: Readonly<Partial<Record<OutcomeError['code'], string>>> = {
  'ima.replay-mismatch':
    'Read the list after the quote, whole and in the same boot; if it was, treat the device as possibly compromised.',
  'ima.wrong-start': 'Give the whole list of this boot.',
}

const aggregateMissing = (given: boolean): BootPart =>
  notAppraised('boot aggregate', given, 'needs a kernel list that leads to the quoted PCR 10')

function factsOf({ next, entries, matchedEntries, laterEntries }: VerifiedImaSuffix, count: number): KernelListFacts {
  const violations = entries.flatMap((entry) =>
    entry.kind === 'violation' ? [{ sequence: entry.sequence, path: entry.claimedPath }] : [],
  )
  return { bank: next.bank, entries: count, matchedEntries, laterEntries, paddingMode: next.paddingMode, violations }
}

function listPart(
  { entries, matchedEntries, laterEntries, next }: VerifiedImaSuffix,
  facts?: KernelListFacts,
): BootPart {
  const of = facts === undefined ? matchedEntries + laterEntries : facts.entries
  const mode = next.paddingMode === 'per-bank' ? '' : ', by SHA-1 digests and zeros'
  const summary = `${matchedEntries} of ${of} entries lead to the quoted PCR 10${mode}`
  const violations = violationsOf(entries)
  if (violations.length === 0) return good('kernel list', summary)
  const failures = violations.map(({ code, sequence, path }) => failureOfCode(code, `entry ${sequence}, ${path}`))
  return failed('kernel list', failures, `${summary}; `)
}

function aggregatePart(check: BootAggregateCheck): BootPart {
  return check.status === 'matches'
    ? good('boot aggregate', `matches PCRs ${check.pcrs} of ${check.bank}: list and firmware log are of one boot`)
    : failed('boot aggregate', [failureOfCode(check.problem.code, check.problem.detail)])
}
