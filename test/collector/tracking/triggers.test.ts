import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Release } from '../../../collector/model/release.ts'
import { openCases } from '../../../collector/tracking/cases/open.ts'
import {
  catalogueChanged,
  certificateReviews,
  documentsExpired,
  supportEnds,
  updateKeysExpire,
} from '../../../collector/tracking/triggers/calendar-triggers.ts'
import {
  assumptionsBreak,
  compensationsFail,
  coverageIsLow,
  practiceDrifts,
  revokedKeysUsed,
  vulnerabilitiesKnown,
} from '../../../collector/tracking/triggers/evidence-triggers.ts'
import {
  analysesMissing,
  lineDiverged,
  obligationsMissed,
  releasesNotAssessed,
} from '../../../collector/tracking/triggers/registry-triggers.ts'
import type { FindingCode } from '../../../shared/codes/findings.ts'
import { causeOf } from '../../../shared/maturity/causes.ts'
import type { AssumptionState, LimitationState } from '../../../shared/maturity/checks.ts'
import type { ConditionState } from '../../../shared/maturity/conformity/conditions.ts'
import { finding, NOW, storedDevice, storedProduct } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'

const DAY = 86_400
const now = NOW / 1000
const causes = (calls: readonly { readonly cause: string }[]) => calls.map(({ cause }) => cause)

const dates = {
  number: 'KS-1',
  issuedAt: now,
  validUntil: now + 1000 * DAY,
  supportUntil: now + 2000 * DAY,
}

const release = (over: Partial<Release> = {}): Release => ({
  id: 'rel_1',
  productId: 'prd_1',
  name: '1.0',
  digest: new Uint8Array(32),
  state: 'active',
  authors: [],
  createdAt: NOW,
  approved: null,
  countersigned: null,
  order: 1,
  activatedAt: NOW,
  supersededAt: null,
  acceptedUntil: null,
  revokedAt: null,
  isMinimum: false,
  ...over,
})

const condition = {
  profile: { id: 'pro_1', version: 1 },
  title: 'as the profile says',
  practices: ['patch-management'],
  check: 'the document filter',
} as const
const limitation = (state: LimitationState): ConditionState => ({
  ...condition,
  kind: 'limitation',
  id: 'no-updates-by-day',
  measure: 'a filter in front',
  state,
})
const assumption = (state: AssumptionState): ConditionState => ({
  ...condition,
  kind: 'assumption',
  id: 'indoors',
  state,
})

describeStore('a finding', (store) => {
  const dependencies = { decisions: { certificatesCovering: async () => [{ id: 'crt_1' }] }, random: randomBytes }
  const codes: readonly (readonly [string, FindingCode, string])[] = [
    ['T1: a boot that is not as approved', 'boot.pcr-changed', 'high'],
    ['T2: what runs is no release that was approved', 'release.mixture', ''],
    ['T3: a listener that nobody approved', 'sockets.listener-added', ''],
    ['T6: a source of updates that is not signed', 'update-channel.unsigned-source', ''],
    ['T14: evidence that was lost', 'reporting.loss', ''],
    ['T15: a copied identity', 'identity.clone', 'critical'],
  ]

  test.each(codes)('%s opens a case, one however many units show it', async (title, code, severity) => {
    const product = await storedProduct(store())
    const [one, two] = [await storedDevice(store(), 'one', product.id), await storedDevice(store(), 'two', product.id)]
    for (const device of [one, two]) {
      const found = finding(device.id, { code })
      await store().findings.insert(found)
      await openCases(store(), device, found, NOW, dependencies)
    }
    const { items } = await store().cases.list({ limit: 9 })
    const wanted = severity === '' ? causeOf(code).severity : severity
    expect(items).toMatchObject([{ cause: code, trigger: causeOf(code).trigger, severity: wanted, state: 'triggered' }])
    expect(causeOf(code).trigger).toBe(title.slice(0, title.indexOf(':')))
    expect(await store().cases.affectedUnits(items[0]?.id ?? '')).toBe(2)
  })
})

describe('trigger', () => {
  test('T2: a release is in force that nobody has countersigned, once for each release', () => {
    const act = { by: { tokenId: 'api_1', name: 'c' }, at: NOW }
    const all = [release(), release({ id: 'rel_2', countersigned: act }), release({ id: 'rel_3', state: 'draft' })]
    expect(releasesNotAssessed(all)).toMatchObject([
      { releaseId: 'rel_1', isOnce: true, cause: 'release.not-assessed' },
    ])
  })

  test('T3: a practice comes to drift; being at risk is no case', () => {
    const change = { practice: 'patch-management', from: 'at-risk', why: 'p90 is 20 days' } as const
    expect(causes(practiceDrifts({ ...change, to: 'drift' }))).toEqual(['practice.drift'])
    expect(practiceDrifts({ ...change, to: 'nonconforming' })).toMatchObject([{ subject: 'patch-management' }])
    for (const to of ['at-risk', 'conforming', 'unknown'] as const)
      expect(practiceDrifts({ ...change, to })).toEqual([])
  })

  test('T4: a critical or exploited vulnerability, unless the vendor has refuted it', () => {
    const about = { releaseId: 'rel_1', hasFix: false, isRefuted: false }
    const all = [
      { id: 'CVE-1', severity: 'critical', isExploited: false, ...about },
      { id: 'CVE-2', severity: 'medium', isExploited: true, ...about },
      { id: 'CVE-3', severity: 'high', isExploited: false, ...about },
      { id: 'CVE-4', severity: 'critical', isExploited: true, ...about, isRefuted: true },
    ] as const
    const calls = vulnerabilitiesKnown(all)
    expect(calls.map(({ subject }) => subject)).toEqual(['CVE-1', 'CVE-2'])
    expect(calls.map(({ summary }) => summary.includes('assess now'))).toEqual([false, true])
  })

  test('T5: the version in force was not searched for vulnerabilities, or too long ago', () => {
    const at = (days: number, analyses: { release: string; madeAt: number }[] = []) =>
      causes(analysesMissing([release()], analyses, now + days * DAY))
    expect(at(29)).toEqual([])
    expect(at(30)).toEqual(['analysis.missing'])
    expect(at(30, [{ release: 'rel_other', madeAt: now }])).toEqual(['analysis.missing'])
    const analysis = { release: 'rel_1', madeAt: now }
    expect(at(364, [analysis])).toEqual([])
    expect(at(365, [analysis])).toEqual(['analysis.old'])
  })

  test('T6: the key that signs updates expires within two months', () => {
    const key = (days: number) => updateKeysExpire([{ keyId: 'k', expiresAt: now + days * DAY }], now)
    expect(causes(key(60))).toEqual(['update-key.expires-soon'])
    expect(key(61)).toEqual([])
  })

  test('T7: support ends soon, has ended, or has stopped while something critical is open', () => {
    const life = { lastUpdateAt: now, criticalOpenSince: null }
    const at = (days: number, over: object = {}) =>
      causes(supportEnds({ ...dates, supportUntil: now + 200 * DAY }, { ...life, ...over }, now + days * DAY))
    expect(at(109)).toEqual([])
    expect(at(110)).toEqual(['support.ends-soon'])
    expect(at(200)).toEqual(['support.ended'])
    const open = { criticalOpenSince: now + 5 * DAY }
    expect(at(94, open)).toEqual([])
    expect(at(95, open)).toEqual(['support.stopped'])
    expect(at(95, { ...open, lastUpdateAt: now + 6 * DAY })).toEqual([])
  })

  test('T8: a document has expired, or a review is overdue; once until it is renewed', () => {
    const document = { id: 'doc_1', title: 'patch policy', kind: 'document', validUntil: now } as const
    const review = { ...document, id: 'rev_1', kind: 'review' } as const
    expect(causes(documentsExpired([document, review], now))).toEqual(['document.expired', 'review.overdue'])
    expect(documentsExpired([document, review], now - 1)).toEqual([])
    const renewed = documentsExpired([{ ...document, validUntil: now + DAY }], now + 2 * DAY)
    expect(renewed[0]?.subject).not.toBe(documentsExpired([document], now)[0]?.subject)
  })

  test('T10: a measure that makes up for a limitation does not work', () => {
    expect(compensationsFail([limitation('covered'), limitation('unknown'), limitation('uncompensated')])).toEqual([])
    expect(compensationsFail([limitation('uncovered')])).toMatchObject([
      { cause: 'compensation.failing', subject: 'no-updates-by-day' },
    ])
  })

  test('T11: an assumption about the surroundings does not hold; one that nobody can see is no fact', () => {
    expect(assumptionsBreak([assumption('holds'), assumption('unknown'), assumption('unmonitored')])).toEqual([])
    expect(assumptionsBreak([assumption('broken')])).toMatchObject([{ cause: 'assumption.broken', subject: 'indoors' }])
    expect(assumptionsBreak([limitation('uncovered')])).toEqual([])
  })

  test('T12: a member has left its line, or hardware reports that is not listed', () => {
    const none = { unlisted: [], diverged: [], unlistedModel: 0 }
    expect(lineDiverged(none)).toEqual([])
    const diverged = [{ releaseId: 'rel_9', release: 'fork-1', units: 2 }]
    const calls = lineDiverged({ unlisted: [{ revision: 'D', units: 3 }], diverged, unlistedModel: 1 })
    expect(calls.map(({ cause, subject, releaseId }) => [cause, subject, releaseId])).toEqual([
      ['line.unlisted', 'D', null],
      ['line.unlisted', 'model', null],
      ['line.diverged', 'code base', 'rel_9'],
    ])
  })

  test('T15: keys of revoked units are still used', () => {
    expect(revokedKeysUsed([])).toEqual([])
    expect(causes(revokedKeysUsed(['a', 'b']))).toEqual(['identity.revoked-key'])
  })

  test('T14: fewer than 95 percent of the declared units report; no units are no loss', () => {
    expect(causes(coverageIsLow({ basis: 'declared', declared: 100, shown: 94 }))).toEqual(['coverage.low'])
    expect(coverageIsLow({ basis: 'declared', declared: 100, shown: 95 })).toEqual([])
    expect(coverageIsLow({ basis: 'declared', declared: 0, shown: 0 })).toEqual([])
  })

  test('T16: the certificate ends within nine months; each year has its review, once', () => {
    const at = (days: number) =>
      certificateReviews(dates, now + days * DAY).map(({ cause, subject }) => [cause, subject])
    expect(at(0)).toEqual([])
    expect(at(334)).toEqual([])
    expect(at(335)).toEqual([['certificate.anniversary', 'year 1']])
    expect(at(400)).toEqual(at(335))
    expect(at(725)).toEqual([['certificate.anniversary', 'year 2']])
    expect(at(726)).toEqual([
      ['certificate.expires-soon', '2029-01-25'],
      ['certificate.anniversary', 'year 2'],
    ])
    expect(at(1000).map(([cause]) => cause)).toEqual(['certificate.anniversary'])
  })

  test('T17: what the profile was assessed by has a new version', () => {
    const before = { catalogue: '1.0', 'etsi-en-303-645': 'V2.1.1' }
    expect(catalogueChanged(before, before)).toEqual([])
    expect(catalogueChanged(before, { ...before, 'etsi-en-303-645': 'V3.1.3', 'new-law': '2027' })).toMatchObject([
      { cause: 'catalogue.changed', subject: 'etsi-en-303-645 V3.1.3' },
      { cause: 'catalogue.changed', subject: 'new-law 2027' },
    ])
  })

  test('T19: what the vendor should have done is overdue for two weeks', () => {
    const missed = { caseId: 'cas_1', deadline: 'impact', title: 'impact analysis report', due: now }
    expect(obligationsMissed([missed], now + 14 * DAY - 1)).toEqual([])
    expect(causes(obligationsMissed([missed], now + 14 * DAY))).toEqual(['obligation.missed'])
  })
})
