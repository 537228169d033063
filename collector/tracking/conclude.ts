import { equal } from '../../shared/bytes/bytes.ts'
import { findings as findingCodes, type FindingCode } from '../../shared/codes/findings.ts'
import type { Appraisal } from '../appraisal/appraise.ts'
import { nextRelease } from '../appraisal/release-values.ts'
import { EVENT_FINDINGS } from '../appraisal/boot-deviations.ts'
import type { Deviation } from '../appraisal/context.ts'
import { isAboutStatus } from '../appraisal/section-deviations.ts'
import type { DeviceState, Latch, Verdict } from '../model/device.ts'
import type { Finding, FindingState } from '../model/finding.ts'
import { REPORT_INTERVAL } from '../../shared/evidence/state.ts'
import { countedInterval } from './report-interval.ts'
import { immediately, leaving, suspecting, type HysteresisOf } from './measured.ts'

/** What becomes of a device's state and findings. Nothing is stored here. */
export interface Conclusion {
  readonly state: DeviceState
  readonly opened: readonly OpenedFinding[]
  /** Findings that are seen again. */
  readonly seen: readonly SeenFinding[]
  /** Findings that the newest evidence does not show any more. */
  readonly left: readonly { readonly id: string; readonly state: FindingState }[]
  /** Findings that it does not show, but for too short a time. */
  readonly leaving: readonly Pick<Finding, 'id' | 'hysteresis'>[]
  /** What was suspected, and is not any more. */
  readonly faded: readonly string[]
}

export type SeenFinding = Pick<Finding, 'id' | 'after' | 'state' | 'hysteresis'>

export interface AppraisalTimes {
  readonly receivedAt: number
  readonly epochIssuedAt: number | null
  /** Where evidence that is long known was compared anew, with other reference values. */
  readonly judgedAt?: number
  /** What is measured waits for N of M; everything opens at once without this. */
  readonly hysteresisOf?: HysteresisOf
  /** For history: what findings have told of before they told of what they do now. */
  readonly told?: ToldValues | undefined
}

/** By the id of a finding: the values that it had. */
export type ToldValues = ReadonlyMap<string, ReadonlySet<string | null>>

export interface OpenedFinding extends Deviation {
  readonly state: FindingState
  readonly hysteresis: Finding['hysteresis']
  /** When the state that it describes began to be reported, ms. */
  readonly openedAt: number
}

const axisOf = (code: Deviation['code']) => findingCodes[code].axis
const keyOf = ({ code, subject }: { code: string; subject: string }): string => `${code} ${subject}`

/**
 * Draws the conclusions from one appraised evidence. Only the newest fresh evidence speaks for the present: it opens,
 * resolves and recovers. Anything else is history, which may add a finding and worsen the latch, and improves nothing.
 * `open`: what is not resolved; for history also what was resolved after its epoch had begun, so that a long backlog
 * tells of one deviation once.
 */
export function conclude(
  state: DeviceState,
  open: readonly Finding[],
  appraisal: Appraisal,
  times: AppraisalTimes,
): Conclusion {
  const { hysteresisOf = immediately, receivedAt } = times
  const unresolved = open.filter(({ state: each }) => each !== 'resolved')
  const known = new Map(unresolved.map((finding) => [keyOf(finding), finding]))
  const seenNow = new Map(appraisal.deviations.map((deviation) => [keyOf(deviation), deviation]))
  const openedAt = times.judgedAt ?? times.epochIssuedAt ?? times.receivedAt
  const newDeviations = [...seenNow].filter(([key]) => !known.has(key)).map(([, deviation]) => deviation)
  const isIntegrity = ({ code }: Deviation): boolean => axisOf(code) === 'integrity'
  const integrityFailed = appraisal.deviations.some(isIntegrity)

  if (!appraisal.newest) {
    const untold = newDeviations.filter((deviation) => !open.some((finding) => isTold(deviation, finding, times.told)))
    const opened = untold.map((deviation) => ({
      ...deviation,
      state: pastState(deviation),
      hysteresis: null,
      openedAt,
    }))
    const latch = untold.some(isIntegrity) && state.latch === 'none' ? 'recovered-unacknowledged' : state.latch
    const present = { seen: [], left: [], leaving: [], faded: [] }
    return { state: withHistory(state, appraisal, latch, receivedAt), opened, ...present }
  }

  const explained = explainedBy(appraisal, times)
  const failures = unresolved.filter(({ code }) => axisOf(code) === 'integrity')
  const isExplained = state.latch === 'failed' && failures.length > 0 && failures.every(explained)
  const opened = newDeviations.map((deviation): OpenedFinding => {
    const { state: next, hysteresis } = suspecting(hysteresisOf, { ...deviation, hysteresis: null }, receivedAt)
    return { ...deviation, state: next, hysteresis, openedAt }
  })
  const seen = open.flatMap((finding) => {
    const deviation = seenNow.get(keyOf(finding))
    if (deviation === undefined) return []
    return [{ id: finding.id, after: afterOf(finding, deviation), ...suspecting(hysteresisOf, finding, receivedAt) }]
  })
  // That evidence came is said by evidence that has just come, whatever it says, and not by a second look at it.
  const isAnother = !isSameReport(state, appraisal)
  const isOver = (finding: Finding): boolean =>
    axisOf(finding.code) === 'liveness' ? isAnother : isDecided(finding, appraisal)
  const gone = open
    .filter((finding) => !seenNow.has(keyOf(finding)) && isOver(finding))
    .map((finding) => ({
      finding,
      ...(times.judgedAt === undefined ? leaving(hysteresisOf, finding, receivedAt) : LEFT),
    }))
  const left = gone
    .filter(({ finding, isLeft }) => isLeft && finding.state !== 'suspected')
    .map(({ finding }) => ({
      id: finding.id,
      state: explained(finding) ? ('resolved' as const) : leftState(finding),
      before: finding.state,
    }))
    .filter(({ state: next, before }) => next !== before)
    .map(({ id, state: next }) => ({ id, state: next }))
  return {
    state: presentState(state, appraisal, isExplained ? 'none' : nextLatch(state, appraisal, integrityFailed), times),
    opened,
    seen,
    left,
    leaving: gone.filter(({ isLeft }) => !isLeft).map(({ finding: { id }, hysteresis }) => ({ id, hysteresis })),
    faded: gone
      .filter(({ finding, isLeft }) => isLeft && finding.state === 'suspected')
      .map(({ finding: { id } }) => id),
  }
}

/** Another comparison of the same evidence is no new measurement: what it does not show is over. */
const LEFT = { isLeft: true, hysteresis: null } as const

/**
 * Whether a finding that was resolved after the evidence was made tells of this state already, which may be the one
 * before an approved change or the one after it: the person who resolved it has judged both.
 */
function isTold(deviation: Deviation, finding: Finding, told: ToldValues | undefined): boolean {
  if (finding.state !== 'resolved' || keyOf(finding) !== keyOf(deviation)) return false
  const { after } = deviation
  return after === finding.after || after === finding.before || told?.get(finding.id)?.has(after) === true
}

/** Findings that compare a boot with what was approved, and nothing else: other reference values may explain them. */
const COMPARED: ReadonlySet<FindingCode> = new Set<FindingCode>([
  ...EVENT_FINDINGS,
  'boot.pcr-changed',
  'boot.bank-changed',
  'boot.tpm-firmware-changed',
])

export const comparesBoot = (code: FindingCode): boolean => COMPARED.has(code)

/**
 * Whether a failure is explained by an approved release: the very evidence that failed is that of a release which was
 * put in force since. What the device shows later explains nothing.
 */
function explainedBy({ release, deviations }: Appraisal, { judgedAt }: AppraisalTimes): (finding: Finding) => boolean {
  const isOfRelease = judgedAt !== undefined && release !== null && release.isWhole && release.isAccepted
  const isGood = isOfRelease && !deviations.some(({ code }) => axisOf(code) === 'integrity')
  return ({ code, state, after }) =>
    isGood && state === 'open' && comparesBoot(code) && after?.includes(EARLIER) !== true
}

const EARLIER = '; earlier: '

/**
 * A boot that was found with one value and then with another keeps the first one beside the newest: both have failed, and
 * the release that is the newest explains it alone.
 */
function afterOf({ code, after: known }: Finding, { after }: Deviation): string | null {
  if (!comparesBoot(code) || known === after) return after
  const [newest = '', first = newest] = (known ?? 'nothing').split(EARLIER, 2)
  return `${after ?? 'nothing'}${EARLIER}${first}`
}

/** History does not become the present: what it shows is over, but an integrity failure still wants a person. */
const pastState = ({ code }: Deviation): FindingState => (axisOf(code) === 'integrity' ? 'recovered' : 'resolved')

const leftState = ({ code }: Finding): FindingState => (axisOf(code) === 'integrity' ? 'recovered' : 'resolved')

/** Posture findings are named after their section, but for these. */
const SECTIONS_OF_BOOT: ReadonlyMap<string, string> = new Map([
  ['boot.fact-changed', 'boot'],
  ['boot.bank-never-extended', 'tpm'],
])

/** Whether this evidence had the means to show the finding: what could not be looked at is not gone. */
function isDecided({ code, subject }: Finding, appraisal: Appraisal): boolean {
  if (isAboutStatus(code)) {
    const hasAnother = appraisal.deviations.some((other) => isAboutStatus(other.code) && other.subject === subject)
    return hasAnother || appraisal.decidedSections.has(subject)
  }
  if (code.startsWith('ima.')) return appraisal.ima.fromStart
  if (code === 'boot.ima-refused' || code === 'boot.list-missing') return appraisal.ima.isCurrent
  if (axisOf(code) === 'posture') {
    return appraisal.decidedSections.has(SECTIONS_OF_BOOT.get(code) ?? code.slice(0, code.indexOf('.')))
  }
  if (code === 'boot.fact-contradicted' && !appraisal.crossChecked) return false
  if (code.startsWith('boot.') && appraisal.bootUndecided) return false
  // Without a log the values alone do not say that it is over.
  if (EVENT_FINDINGS.has(code) && appraisal.eventsUndecided) return false
  return appraisal.failure === null && !appraisal.missing.pcrs
}

/** Good evidence after a failure means recovered, not acquitted: that is for a person to say. */
function nextLatch(state: DeviceState, appraisal: Appraisal, integrityFailed: boolean): Latch {
  if (integrityFailed) return 'failed'
  if (state.latch === 'failed' && !appraisal.missing.pcrs && !appraisal.bootUndecided) return 'recovered-unacknowledged'
  return state.latch
}

function latched(verdict: Verdict, code: string | null, latch: Latch, before: DeviceState): [Verdict, string | null] {
  if (latch === 'none' || verdict === 'contraindicated') return [verdict, code]
  const cause = before.verdict === 'contraindicated' ? before.verdictCode : null
  return ['contraindicated', cause ?? code ?? 'boot.quote-refused']
}

function presentState(state: DeviceState, appraisal: Appraisal, latch: Latch, times: AppraisalTimes): DeviceState {
  const { claims } = appraisal.evidence
  const [verdict, verdictCode] = latched(appraisal.verdict, appraisal.code, latch, state)
  const { clock } = appraisal
  const isAgain = isSameReport(state, appraisal)
  // Field by field here and wherever each report passes: to copy all and then write over most costs V8 twenty times that.
  return {
    verdict,
    verdictCode,
    latch,
    liveness: isAgain ? state.liveness : 'fresh',
    freshExtended: isAgain ? state.freshExtended : appraisal.freshnessExtended,
    bootCoverage: appraisal.missing.pcrs ? state.bootCoverage : appraisal.bootCoverage,
    lastReceivedAt: Math.max(state.lastReceivedAt ?? 0, times.receivedAt),
    lastFreshAt: times.receivedAt,
    lastFreshEpoch: appraisal.epochNumber,
    freshSession: claims.session,
    freshSequence: claims.sequence,
    postureDigest: claims.postureDigest,
    pcrDigest: appraisal.pcrDigest ?? (appraisal.missing.pcrs ? state.pcrDigest : null),
    bootDigest: appraisal.bootDigest ?? (appraisal.missing.pcrs ? state.bootDigest : null),
    bootAwaited: awaitedAfter(state, appraisal, times.receivedAt),
    tpmClock:
      clock === null
        ? state.tpmClock
        : {
            clockMs: clock.clock,
            resetCount: clock.resetCount,
            restartCount: clock.restartCount,
            observedAt: times.receivedAt,
          },
    bootSeed: claims.bootSeed,
    ima: appraisal.ima.state === undefined ? state.ima : appraisal.ima.state,
    release: nextRelease(state.release, appraisal.release, times.judgedAt ?? times.receivedAt),
    namedReceipt: Math.max(state.namedReceipt, appraisal.namedReceipt ?? 0),
    lastReceiptNumber: state.lastReceiptNumber,
    agentVersion: claims.softwareVersion,
    reportInterval: countedInterval(claims.state.get(REPORT_INTERVAL)),
  }
}

/** Counts reports, not looks at one: content that arrives has the newest report appraised again. */
function awaitedAfter(state: DeviceState, appraisal: Appraisal, receivedAt: number): DeviceState['bootAwaited'] {
  if (!appraisal.bootAwaited) return null
  const { bootAwaited: before } = state
  if (before === null) return { since: receivedAt, reports: 1 }
  return isSameReport(state, appraisal) ? before : { since: before.since, reports: before.reports + 1 }
}

/** Whether it is the newest report once more. */
function isSameReport({ freshSession, freshSequence }: DeviceState, { evidence }: Appraisal): boolean {
  const { session, sequence } = evidence.claims
  return freshSession !== null && equal(freshSession, session) && freshSequence === sequence
}

function withHistory(state: DeviceState, appraisal: Appraisal, latch: Latch, receivedAt: number): DeviceState {
  const [verdict, verdictCode] =
    latch === 'none' ? [state.verdict, state.verdictCode] : latched(state.verdict, appraisal.code, latch, state)
  const namedReceipt = Math.max(state.namedReceipt, appraisal.namedReceipt ?? 0)
  const lastReceivedAt = Math.max(state.lastReceivedAt ?? 0, receivedAt)
  return { ...state, verdict, verdictCode, latch, lastReceivedAt, namedReceipt }
}
