import { equal, toHex } from '../../../shared/bytes/bytes.ts'
import type { OutcomeCode } from '../../../shared/codes/outcomes.ts'
import { OutcomeError, outcomeOf } from '../../../shared/errors.ts'
import type { ImaSuffix } from '../../../shared/evidence/tpm-evidence.ts'
import { detectImaFormat } from '../../../shared/ima/detect.ts'
import { parseBinaryImaList } from '../../../shared/ima/parse-binary.ts'
import { quotedPcr10, type QuotedPcr10 } from '../../../shared/ima/quoted.ts'
import { verifyImaSuffix } from '../../../shared/ima/replay.ts'
import type { ImaBase, VerifiedImaSuffix } from '../../../shared/ima/types.ts'
import { initialImaSummary, type ImaState } from '../../model/ima-state.ts'
import type { AppraisalContext, Deviation } from '../context.ts'
import { judgeList, verdictOf } from '../ima/judged-list.ts'
import type { AppraisalStep } from '../registry.ts'

const LIST_SUBJECT = 'measurement list'
const MISSING: Deviation['code'] = 'boot.list-missing'
const REFUSED: Deviation['code'] = 'boot.ima-refused'

/** Digests of lists that are waited for. One more makes the oldest one give way. */
const MAX_WAITING = 4

/** In the place of the entries, 32 bytes are always a digest. */
const DIGEST_SIZE = 32

/**
 * What the kernel measured, proven by the quoted PCR 10: the device sends the entries since the last verified one, and
 * they have to lead from there to the quoted value. Only the newest evidence moves that place, only a verified list
 * does, and nothing ever sets it back within a boot.
 */
export const ima: AppraisalStep = {
  id: 'ima',
  title: "The kernel's measurement list leads to the quoted PCR 10",
  failure: 'integrity',
  run(context) {
    const { quote, known, unverified } = context
    const sent = unverified.tpm?.logs.ima ?? null
    if (quote === undefined) {
      // Without the values nothing can be judged; with them it is to come again.
      if (sent !== null && context.missing.pcrs) context.missing.ima = known.state.ima?.base?.entries ?? 0
      return
    }
    const base = baseOf(context)
    const quoted = quotedPcr10(quote.pcrs, base?.bank)
    if (!context.newest) appraiseHistory(context, sent, quoted)
    else if (quoted?.extended === true) appraiseNewest(context, base, sent, quoted)
    else if (sent !== null)
      refuse(context, quoted, 'ima.not-measured: PCR 10 is not quoted, or nothing is measured into it')
    else if (known.state.ima !== null) lack(context, known.state.ima, null, 'ima.not-measured')
  },
}

/** As far as the device's claim goes, and the TPM's count of its resets. */
function isOfThisBoot({ known, unverified, quote }: AppraisalContext): boolean {
  const { ima: state } = known.state
  if (state === null || quote === undefined) return false
  return equal(state.bootSeed, unverified.claims.bootSeed) && state.summary.resetCount === quote.clockInfo.resetCount
}

/**
 * Whether the TPM was not reset since. The kernel's boot id is the device's claim: another one costs it the resending
 * of its list, and clears nothing that was found.
 */
const isOfThisTpmBoot = ({ known, quote }: AppraisalContext): boolean =>
  known.state.ima !== null && quote !== undefined && known.state.ima.summary.resetCount === quote.clockInfo.resetCount

const baseOf = (context: AppraisalContext): ImaBase | null =>
  isOfThisBoot(context) ? (context.known.state.ima?.base ?? null) : null

function appraiseNewest(
  context: AppraisalContext,
  known: ImaBase | null,
  sent: ImaSuffix | null,
  quoted: QuotedPcr10,
): void {
  const { state } = context.known
  // Of another bank nothing is verified: the whole list has to lead to that one too.
  const base = known !== null && known.bank === quoted.bank ? known : null
  if (state.ima !== null && base !== null && equal(base.pcr10, quoted.value)) {
    const summary = { ...state.ima.summary, refused: null, missing: null, waiting: [] }
    explain(context, { ...state.ima, verdict: verdictOf(summary), summary }, [], sent)
    return
  }
  if (sent === null) {
    const refused = state.ima?.summary.refused ?? null
    // Its list for this very value was refused: asking for it again would only bring it once more.
    if (refused?.pcr10 === toHex(quoted.value)) refuse(context, quoted, refused.reason)
    else if (state.ima !== null) lack(context, state.ima, base?.entries ?? 0)
    return
  }
  const bytes = bytesOf(context, sent)
  if (bytes === undefined || waitsForBootLog(context, base)) {
    hold(context, sent, bytes === undefined)
    return
  }
  if (sent.first > (base?.entries ?? 0)) {
    lack(context, state.ima ?? emptyState(context), base?.entries ?? 0)
    spend(context, sent)
    return
  }
  const again = refusedBefore(context, sent, quoted)
  if (again !== undefined) {
    refuse(context, quoted, again, sent)
    return
  }
  const suffix = outcomeOf(() => verify(sent.first, bytes, base, quoted, context))
  if (suffix instanceof OutcomeError) {
    refuse(context, quoted, `${suffix.code}: ${suffix.message}`, sent)
    return
  }
  const before = base === null ? null : (state.ima?.summary ?? null)
  const judged = judgeList(context, context.unverified.claims.bootSeed, suffix, before)
  context.imaFromStart = base === null && !isOfThisTpmBoot(context)
  explain(context, judged.state, judged.deviations, sent)
}

/** A list that was named by its digest and refused for this very value is not worth another replay. */
function refusedBefore(context: AppraisalContext, { entries }: ImaSuffix, { value }: QuotedPcr10): string | undefined {
  const { ima: state } = context.known.state
  if (state === null || !isOfThisBoot(context) || entries.length !== DIGEST_SIZE) return undefined
  const { refused, waiting } = state.summary
  return refused?.pcr10 === toHex(value) && waiting.includes(toHex(entries)) ? refused.reason : undefined
}

/**
 * Evidence from the past is judged by itself, which it can be where its list begins at the start. It says that the
 * device failed, and moves nothing.
 */
function appraiseHistory(context: AppraisalContext, sent: ImaSuffix | null, quoted: QuotedPcr10 | undefined): void {
  if (sent === null) return
  if (sent.first !== 0 || quoted === undefined || !quoted.extended) {
    spend(context, sent)
    return
  }
  const bytes = bytesOf(context, sent)
  if (bytes === undefined || waitsForBootLog(context, null)) return
  spend(context, sent)
  const suffix = outcomeOf(() => verify(0, bytes, null, quoted, context))
  if (suffix instanceof OutcomeError) {
    context.deviations.push(refusal(`${suffix.code}: ${suffix.message}`))
    return
  }
  context.deviations.push(...judgeList(context, context.unverified.claims.bootSeed, suffix, null).deviations)
}

/** The entries themselves; undefined for a content that has not arrived. */
function bytesOf({ known }: AppraisalContext, { entries }: ImaSuffix): Uint8Array | undefined {
  return entries.length === DIGEST_SIZE ? (known.contents.get(toHex(entries)) ?? undefined) : entries
}

/** The boot aggregate is judged with the start of the list, by the values that the firmware's log tells. */
const waitsForBootLog = ({ known }: AppraisalContext, base: ImaBase | null): boolean =>
  base === null && known.bootLog === 'missing'

/** What was verified before is not looked at again, whatever stands in its place now. */
function verify(
  first: number,
  bytes: Uint8Array,
  base: ImaBase | null,
  quoted: QuotedPcr10,
  { hash }: AppraisalContext,
): VerifiedImaSuffix {
  const format = detectImaFormat(bytes)
  const byteOrder = format.format === 'binary' ? format.byteOrder : 'little-endian'
  const list = parseBinaryImaList(bytes, { first, byteOrder })
  const from = base?.entries ?? 0
  const suffix = { first: from, entries: list.entries.filter(({ sequence }) => sequence >= from) }
  return verifyImaSuffix({ base, suffix, quotedPcr10: quoted.value, bank: quoted.bank }, hash)
}

/** The list explains PCR 10. What was found in this boot before is still so: the kernel never takes an entry back. */
function explain(
  context: AppraisalContext,
  state: ImaState,
  deviations: readonly Deviation[],
  sent: ImaSuffix | null,
): void {
  context.spentLists.push(...(context.known.state.ima?.summary.waiting ?? []))
  spend(context, sent)
  context.imaState = state
  context.imaIsCurrent = true
  context.deviations.push(...standing(context), ...deviations)
  if (state.summary.aggregate === 'unchecked') context.obstacles.push('ima.boot-aggregate-unchecked')
}

function spend({ spentLists }: AppraisalContext, sent: ImaSuffix | null): void {
  if (sent !== null && sent.entries.length === DIGEST_SIZE) spentLists.push(toHex(sent.entries))
}

function standing(context: AppraisalContext): readonly Deviation[] {
  if (!isOfThisTpmBoot(context)) return []
  return context.known.standingFindings.filter(
    ({ code, subject }) => code !== MISSING && !(code === REFUSED && subject === LIST_SUBJECT),
  )
}

const refusal = (reason: string): Deviation => ({ code: REFUSED, subject: LIST_SUBJECT, before: null, after: reason })

function refuse(
  context: AppraisalContext,
  quoted: QuotedPcr10 | undefined,
  reason: string,
  sent: ImaSuffix | null = null,
): void {
  const state = withWaiting(context, sent)
  const refused = quoted === undefined ? null : { pcr10: toHex(quoted.value), reason }
  const missing = sent === null ? state.summary.missing : null
  context.imaState = { ...state, verdict: 'refused', summary: { ...state.summary, refused, missing } }
  context.deviations.push(...standing(context), refusal(reason))
}

/**
 * PCR 10 went on, and what would explain it is not here. It is asked for, and told when it does not come: receipts that
 * are lost, and agents and collectors that are restored, make do with a report or two more.
 */
function lack(
  context: AppraisalContext,
  state: ImaState,
  from: number | null,
  obstacle: OutcomeCode = 'ima.entries-missing',
): void {
  const { missing } = state.summary
  if (missing?.told === true && !context.known.standingFindings.some(({ code }) => code === MISSING)) {
    // A person has resolved the finding: this device may do without a list.
    context.imaState = null
    return
  }
  context.deviations.push(...standing(context))
  context.obstacles.push(obstacle)
  context.missing.ima = from
  context.imaState = unexplained(context, state)
}

/** PCR 10 went on without an explanation: what was accepted before says nothing of it, and waiting has an end. */
function unexplained(context: AppraisalContext, state: ImaState): ImaState {
  const { missing } = state.summary
  const since = missing?.since ?? context.receivedAt
  const told = missing?.told === true || context.receivedAt - since >= context.policy.freshnessWindowMs
  if (told) {
    const before = state.base === null ? null : `${state.base.entries} entries`
    context.deviations.push({ code: MISSING, subject: LIST_SUBJECT, before, after: null })
  }
  const verdict = state.verdict === 'accepted' ? 'not-appraised' : state.verdict
  return { ...state, verdict, summary: { ...state.summary, missing: { since, told } } }
}

/** What is needed to judge the list is on its way. */
function hold(context: AppraisalContext, sent: ImaSuffix, isAbsent: boolean): void {
  context.deviations.push(...standing(context))
  context.imaState = unexplained(context, withWaiting(context, sent))
  context.obstacles.push('content.missing')
  if (isAbsent) context.missing.contents.push(sent.entries)
}

/** What is known, and that this list was named: its content is of no use once a later one is verified. */
function withWaiting(context: AppraisalContext, sent: ImaSuffix | null): ImaState {
  const state = context.known.state.ima ?? emptyState(context)
  if (sent === null || sent.entries.length !== DIGEST_SIZE) return state
  const waiting = [...new Set([...state.summary.waiting, toHex(sent.entries)])]
  context.spentLists.push(...waiting.slice(0, -MAX_WAITING))
  return { ...state, summary: { ...state.summary, waiting: waiting.slice(-MAX_WAITING) } }
}

function emptyState({ unverified, quote }: AppraisalContext): ImaState {
  const summary = { ...initialImaSummary, resetCount: quote?.clockInfo.resetCount ?? null }
  return { bootSeed: unverified.claims.bootSeed, base: null, verdict: 'not-reported', summary }
}
