import { concat, equal } from '../../shared/bytes/bytes.ts'
import { IMA_PCR } from '../../shared/eventlog/constants.ts'
import { bankId } from '../../shared/tpm/constants.ts'
import { findings } from '../../shared/codes/findings.ts'
import type { OutcomeCode } from '../../shared/codes/outcomes.ts'
import { OutcomeError } from '../../shared/errors.ts'
import type { AuthenticEvidence } from '../../shared/evidence/evidence.ts'
import { quotedStateDigest, type PcrValues } from '../../shared/tpm/pcr-selection.ts'
import type { ClockInfo } from '../../shared/tpm/attest.ts'
import type { BootCoverage, Verdict } from '../model/device.ts'
import type { ImaState } from '../model/ima-state.ts'
import { AppraisalContext, type Deviation, type Freshness, type Missing } from './context.ts'
import { STEPS } from './registry.ts'
import type { ReleaseConclusion } from './release-values.ts'

/** What the appraisal of one message ends in. */
export type Decision =
  | {
      readonly kind: 'refused'
      readonly code: OutcomeCode
      readonly detail: string
      /** What the refusal itself says about the device, such as a clone. */
      readonly deviations: readonly Deviation[]
    }
  | { readonly kind: 'duplicate' }
  | Appraisal

export interface Appraisal {
  readonly kind: 'appraised'
  readonly evidence: AuthenticEvidence
  readonly hashOfMessage: Uint8Array
  readonly freshness: Freshness
  /** Fresh only because the window was extended. */
  readonly freshnessExtended: boolean
  /** Number of the epoch that it answers; null for a nonce that is none of ours. */
  readonly epochNumber: number | null
  readonly newest: boolean
  readonly verdict: Verdict
  /** The first thing that stands against `affirming`: an outcome or a finding. */
  readonly code: string | null
  /** The outcome that ended the steps early, if one did. */
  readonly failure: { readonly code: OutcomeCode; readonly step: string; readonly detail: string } | null
  readonly bootCoverage: BootCoverage
  readonly pcrs: PcrValues | null
  /** Names the quoted PCRs and their values: see quotedStateDigest. */
  readonly pcrDigest: Uint8Array | null
  readonly clock: ClockInfo | null
  readonly deviations: readonly Deviation[]
  /** The boot could not be compared with what was approved, since its log has not arrived. */
  readonly bootUndecided: boolean
  /** Values differ, and no log tells by which events. */
  readonly eventsUndecided: boolean
  /** The log or the values that the evidence names are not here, whatever was concluded without them. */
  readonly bootAwaited: boolean
  /** Names the quoted values without PCR 10. */
  readonly bootDigest: Uint8Array | null
  readonly decidedSections: ReadonlySet<string>
  /** What the boot section asserts was held against a proven log. */
  readonly crossChecked: boolean
  readonly ima: ImaConclusion
  /** null where the product has no releases. */
  readonly release: ReleaseConclusion | null
  readonly missing: Missing
  readonly namedReceipt: number | null
}

/** See the fields of AppraisalContext. */
export interface ImaConclusion {
  readonly state: ImaState | null | undefined
  readonly isCurrent: boolean
  readonly fromStart: boolean
  readonly spentLists: readonly string[]
}

/**
 * Runs the steps. A pure function of its input: no clock, no store. The device's fault ends in a decision; any other
 * error is thrown on, and means that nothing was decided.
 */
export function appraise(input: ConstructorParameters<typeof AppraisalContext>[0]): Decision {
  const context = new AppraisalContext(input)
  let failure: Appraisal['failure'] = null
  for (const step of STEPS) {
    try {
      step.run(context)
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error
      if (step.failure === 'refuse') {
        return { kind: 'refused', code: error.code, detail: error.message, deviations: context.deviations }
      }
      failure = { code: error.code, step: step.id, detail: error.message }
      context.deviations.push({ code: 'boot.quote-refused', subject: step.id, before: null, after: error.code })
      break
    }
    if (context.duplicate) return { kind: 'duplicate' }
  }
  return conclude(context, failure)
}

function conclude(context: AppraisalContext, failure: Appraisal['failure']): Appraisal {
  const { authentic } = context
  if (authentic === undefined) throw new Error('the signature step did not run')
  const [verdict, code] = judge(context, failure)
  const pcrDigest = context.quote === undefined ? null : quotedStateDigest(context.quote, context.hash)
  return {
    kind: 'appraised',
    evidence: authentic,
    hashOfMessage: context.hashOfMessage,
    freshness: context.freshness,
    freshnessExtended: context.freshnessExtended,
    epochNumber: context.known.epoch?.number ?? null,
    newest: context.newest,
    verdict,
    code,
    failure,
    bootCoverage: context.bootCoverage,
    pcrs: context.quote?.pcrs ?? null,
    pcrDigest,
    clock: context.quote?.clockInfo ?? null,
    deviations: context.deviations,
    bootUndecided: context.bootUndecided,
    eventsUndecided: context.eventsUndecided,
    bootAwaited: context.missing.pcrs || context.known.bootLog === 'missing',
    bootDigest: context.quote === undefined ? null : bootDigestOf(context, context.quote.pcrs, pcrDigest),
    decidedSections: context.decidedSections,
    crossChecked: context.crossChecked,
    ima: {
      state: context.imaState,
      isCurrent: context.imaIsCurrent,
      fromStart: context.imaFromStart,
      spentLists: context.spentLists,
    },
    release: context.release,
    missing: context.missing,
    namedReceipt: context.notes.namedReceipt,
  }
}

/** What was booted: PCR 10 changes with each file that the kernel measures. Of the same values it is the same. */
function bootDigestOf(
  { known: { state }, hash }: AppraisalContext,
  pcrs: PcrValues,
  pcrDigest: Uint8Array | null,
): Uint8Array {
  const isAsBefore = pcrDigest !== null && state.pcrDigest !== null && equal(state.pcrDigest, pcrDigest)
  if (isAsBefore && state.bootDigest !== null) return state.bootDigest
  const values = [...pcrs].flatMap(([bank, bankValues]) =>
    [...bankValues]
      .filter(([pcr]) => pcr !== IMA_PCR)
      .flatMap(([pcr, value]) => [Uint8Array.of(bankId(bank) >> 8, bankId(bank) & 0xff, pcr), value]),
  )
  return new Uint8Array(hash('sha256', concat(...values)))
}

/** Worst first. Affirming is what is left when nothing at all speaks against it. */
function judge(context: AppraisalContext, failure: Appraisal['failure']): [Verdict, string | null] {
  const integrity = context.deviations.find(({ code }) => findings[code].axis === 'integrity')
  if (failure !== null) return ['contraindicated', failure.code]
  if (integrity !== undefined) return ['contraindicated', integrity.code]
  const [obstacle] = context.obstacles
  if (obstacle !== undefined) return ['not-appraised', obstacle]
  const [deviation] = context.deviations
  return deviation === undefined ? ['affirming', null] : ['warning', deviation.code]
}
