import { describe, expect, it } from 'vitest'
import {
  assessPractice,
  type AssessmentInput,
  type DocumentCriterion,
} from '../../../shared/maturity/conformity/assess.ts'
import type { AssuredUnits } from '../../../shared/maturity/conformity/caps.ts'
import { capOfFleet } from '../../../shared/maturity/conformity/caps.ts'
import { DAY_MS, idle, shareOf, single, type Measurement } from '../../../shared/maturity/conformity/sample.ts'
import { PRACTICE_IDS, type PracticeId } from '../../../shared/maturity/practices.ts'
import { SIGNAL_IDS, SIGNALS, signalsOf, type SignalId } from '../../../shared/maturity/signals.ts'
import { LEVELS, type Level } from '../../../shared/maturity/signals/definition.ts'

const proven: AssuredUnits = {
  identity: 'tpm-endorsed',
  bootCoverage: 'measured',
  matches: true,
  agentMeasured: true,
  count: 100,
}
const good = (signal: SignalId): Measurement => (SIGNALS[signal].unit === 'share' ? shareOf(100, 100) : single(0))
const bad = (signal: SignalId): Measurement =>
  SIGNALS[signal].unit === 'share' ? shareOf(0, 100) : single(3650 * DAY_MS)

const TODAY = 20_000
const allGood = new Map(SIGNAL_IDS.map((signal) => [signal, good(signal)]))

interface Case {
  readonly level?: Level | null
  readonly signals?: ReadonlyMap<SignalId, Measurement>
  readonly units?: readonly AssuredUnits[]
  readonly documents?: readonly DocumentCriterion[]
  readonly conditions?: AssessmentInput['conditions']
}

function assess(
  practice: PracticeId,
  { level = 3, signals = allGood, units = [proven], documents = [], conditions = [] }: Case = {},
) {
  const input: AssessmentInput = {
    today: TODAY,
    signals: new Map([...signals].map(([signal, now]) => [signal, { now, history: [] }])),
    units,
    documents,
    conditions,
    target: level === null ? null : { level, slo: {} },
  }
  return assessPractice(practice, input)
}
const but = (signal: SignalId, now: Measurement) => new Map([...allGood, [signal, now]])

describe('what signals support', () => {
  it.each([
    ['an endorsed TPM, boot and agent measured', proven, 3],
    ['a TPM trusted on first use', { ...proven, identity: 'tpm-tofu' }, 3],
    ['an agent that nobody measured', { ...proven, agentMeasured: false }, 2],
    ['a device that does not match', { ...proven, matches: false }, 2],
    ['software alone', { ...proven, identity: 'software' }, 1],
  ] as const)('of access control, asserted by %s: level %#', (_, units, level) => {
    expect(assess('access-control', { level: 4, units: [units] })).toMatchObject({ supported: level, raw: 'unknown' })
  })

  it.each([
    ['measured', 4],
    ['partial', 2],
    ['none', 1],
  ] as const)('of what depends on the boot, with boot coverage %s: level %i', (bootCoverage, level) => {
    const claim = SIGNALS['configuration.reference-match']
    expect(capOfFleet(claim, [{ ...proven, bootCoverage }])).toBe(level)
  })

  it('of devices of software alone is level 1, also where the collector itself saw the rest', () => {
    const { supported, raw, reasons } = assess('patch-management', { units: [{ ...proven, identity: 'software' }] })
    expect(supported).toBe(1)
    expect(raw).toBe('unknown')
    expect(reasons[0]?.code).toBe('level-capped')
  })

  it('is what nearly all units carry, and not what the best of them do', () => {
    const software = { ...proven, identity: 'software' } as const
    expect(assess('access-control', { units: [proven, { ...software, count: 5 }] }).supported).toBe(3)
    expect(assess('access-control', { units: [proven, { ...software, count: 6 }] }).supported).toBe(1)
  })

  it('is no level above one whose criterion fails', () => {
    const signals = but('access.no-empty-password', shareOf(99, 100))
    expect(assess('access-control', { signals })).toMatchObject({ supported: 0, raw: 'drift' })
  })

  it('is not raised by what is there without an effect', () => {
    const present = new Map<SignalId, Measurement>([
      ['monitoring.log-service', shareOf(100, 100)],
      ['monitoring.fresh-reports', shareOf(92, 100)],
      ['monitoring.logs-forwarded', shareOf(92, 100)],
      ['monitoring.time-synchronised', shareOf(0, 100)],
    ])
    expect(assess('monitoring-practice', { signals: present }).supported).toBe(2)
  })

  it('needs something that was measured: what had no occasion is neither good nor bad', () => {
    const quiet = new Map<SignalId, Measurement>([
      ['awareness.feed-age', single(0)],
      ['awareness.triage-time', idle],
      ['awareness.own-advisory-time', idle],
      ['awareness.notification-time', idle],
    ])
    const practice = 'situation-awareness-and-information-sharing'
    expect(assess(practice, { level: 3, signals: quiet })).toMatchObject({ supported: 3, raw: 'conforming' })
    expect(assess(practice, { level: 4, signals: quiet })).toMatchObject({ supported: 3, raw: 'unknown' })
  })
})

describe('documents', () => {
  const model = (state: DocumentCriterion['state'], level: Level = 3): DocumentCriterion => ({
    level,
    kind: 'threat-model',
    state,
  })

  it('support what no signal can tell of, until they expire', () => {
    expect(assess('threat-modeling')).toMatchObject({ supported: 0, raw: 'unknown' })
    expect(assess('threat-modeling', { documents: [model('in-force')] })).toMatchObject({
      supported: 3,
      raw: 'conforming',
    })
    expect(assess('threat-modeling', { documents: [model('in-grace')] })).toMatchObject({
      supported: 3,
      raw: 'at-risk',
    })
    expect(assess('threat-modeling', { documents: [model('expired')] })).toMatchObject({ supported: 0, raw: 'unknown' })
    expect(assess('threat-modeling', { documents: [model('lapsed')] })).toMatchObject({ supported: 0, raw: 'drift' })
  })

  it('are contradicted by what is seen in the fleet', () => {
    const signals = but('access.expected-listeners', shareOf(90, 100))
    const { raw, reasons } = assess('threat-modeling', { documents: [model('in-force')], signals })
    expect(raw).toBe('drift')
    expect(reasons[0]).toMatchObject({
      code: 'signal-broken',
      signal: 'access.expected-listeners',
      since: '2024-10-04',
    })
  })

  it('do not lift a scan to a maturity: all criteria of a level are needed', () => {
    const scanned = new Map<SignalId, Measurement>([
      ['vulnerability.matching-age', single(0)],
      ['vulnerability.component-list', shareOf(100, 100)],
    ])
    expect(assess('vulnerability-assessment', { signals: scanned }).supported).toBeLessThan(2)
  })
})

describe('every practice', () => {
  it.each(PRACTICE_IDS)('%s without any evidence is unknown, at level 0', (practice) => {
    for (const level of LEVELS) {
      expect(assess(practice, { level, signals: new Map(), units: [] })).toMatchObject({ supported: 0, raw: 'unknown' })
    }
  })

  it.each(PRACTICE_IDS)('%s is never conforming while its fleet is silent', (practice) => {
    const silent = new Map(
      SIGNAL_IDS.filter((signal) => SIGNALS[signal].objective.coverage !== undefined).map((signal) => [
        signal,
        shareOf(0, 0, 100),
      ]),
    )
    expect(assess(practice, { signals: silent, units: [] }).raw).toBe('unknown')
  })

  it.each(PRACTICE_IDS.flatMap((practice) => signalsOf(practice).map((signal) => [practice, signal] as const)))(
    '%s drifts when %s is broken, and says which level that is against',
    (practice, signal) => {
      const level = 4
      const { raw, supported, reasons } = assess(practice, { level, signals: but(signal, bad(signal)) })
      const lowest = Math.min(...Object.keys(SIGNALS[signal].practices[practice]?.levels ?? {}).map(Number))
      expect(raw).toBe('drift')
      expect(supported).toBeLessThan(lowest)
      expect(reasons.find((reason) => reason.signal === signal)).toMatchObject({ code: 'signal-broken', level: lowest })
    },
  )

  it.each(PRACTICE_IDS)('%s that no profile asks for is unknown, and says so', (practice) => {
    const { raw, reasons } = assess(practice, { level: null })
    expect(raw).toBe('unknown')
    expect(reasons[0]?.code).toBe('not-in-profile')
  })

  it('does not drift for a level above its target', () => {
    const signals = but('patch.critical-time', single(20 * DAY_MS))
    expect(assess('patch-management', { level: 3, signals }).raw).toBe('conforming')
    expect(assess('patch-management', { level: 4, signals }).raw).toBe('drift')
  })
})
