import { expect, it } from 'vitest'
import { buildReport, type ReportSubject } from '../../../collector/report/build.ts'
import { REPORT_KINDS, type Report, type ReportKind } from '../../../collector/report/model.ts'
import { sampleRows } from '../../../collector/report/objectives.ts'
import { digestOfReport, encodeReport } from '../../../collector/report/signed.ts'
import { decodePlain } from '../../../shared/maturity/plain-cbor.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import { defaultCatalogue } from '../../../shared/maturity/catalogue/catalogue.ts'
import { dayOf } from '../../../shared/maturity/conformity/sample.ts'
import { PRACTICE_IDS } from '../../../shared/maturity/practices.ts'
import {
  certificate,
  certified,
  exampleDocument,
  exampleRecommendation,
  exampleStep,
} from '../../support/decision-log.ts'
import { DAY, PracticeFleet } from '../../support/practice-fleet.ts'
import { bytes, finding, id, NOW, reassessment } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'

const PATCH = 'patch-management'

const reported = (fleet: PracticeFleet, kind: ReportKind, subject: ReportSubject = { certificate: 'crt_1' }) =>
  buildReport(
    {
      store: fleet.store,
      decisions: fleet.decisions,
      catalogue: defaultCatalogue,
      collectorId: new Uint8Array(16),
      now: fleet.now,
    },
    { kind, subject, period: { from: NOW - DAY, to: fleet.now } },
  )

const practiceOf = (report: Report, practice: string) =>
  report.products[0]?.practices.find((each) => each.practice === practice)

/** Ten units, and a critical advisory whose fix comes after 36 days: patching drifts. */
async function driftingFleet(fleet: PracticeFleet): Promise<void> {
  const old = await fleet.release('1.0', 1, { state: 'superseded', acceptedUntil: NOW + 400 * DAY })
  await fleet.add(10, { postureDigest: await fleet.posture(), ...fleet.runs(old) })
  await fleet.days(2, PATCH)
  await fleet.record('advisory-published', { advisory: 'CVE-2026-1', severity: 'critical' })
  await fleet.record('fix-released', { advisory: 'CVE-2026-1', fixedIn: { release: '1.1' } })
  await fleet.days(36, PATCH)
}

describeStore('a report', (createStore) => {
  it('of a drifting product says target, support, history, and what would restore it', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    await driftingFleet(fleet)
    const report = await reported(fleet, 'surveillance')
    expect(report).toMatchObject({
      operator: 'Example Certifier',
      certificates: [{ id: 'crt_1', profile: { id: 'pro_gateway', version: 1, document: { title: 'Gateway' } } }],
      products: [{ conformity: 'drift', fleet: { denominator: 10, basis: 'enrolled', neverSeen: 0 } }],
    })
    const patching = practiceOf(report, PATCH)
    expect(patching).toMatchObject({ target: 3, supported: 2, conformity: 'drift' })
    expect(patching?.coverage).toEqual({ known: 10, denominator: 10 })
    expect(patching?.reasons[0]).toMatchObject({ code: 'signal-broken', signal: 'patch.critical-time' })
    expect(patching?.history.map(({ from, to }) => `${from} ${to}`)).toEqual([
      'null conforming',
      'conforming at-risk',
      'at-risk drift',
    ])
    expect(report.products[0]?.practices.map(({ practice }) => practice)).toEqual(PRACTICE_IDS)
    // What the profile does not ask for is in the table, and no target.
    expect(practiceOf(report, 'risk-attitude')?.target).toBeNull()
  })

  it('of a roadmap and of gaps has what was signed about them, and decisions about documents', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    await driftingFleet(fleet)
    const { people } = fleet
    const products = [`${fleet.product.vendor}/${fleet.product.model}`]
    const from = people.entries.length
    await people.decide(people.certifier, 'recommendation.make', 'rcm_1', exampleRecommendation({ products }))
    await people.decide(
      people.certifier,
      'recommendation.make',
      'rcm_2',
      exampleRecommendation({ products: ['Rival/Box'] }),
    )
    await people.decide(
      people.vendor,
      'roadmap.add',
      'rmi_1',
      exampleStep(people, { products, recommendation: 'rcm_1' }),
    )
    await people.decide(people.vendor, 'document.submit', 'doc_1', exampleDocument(people, { products }))
    await people.decide(
      people.certifier,
      'certificate.draft',
      'crt_next',
      certificate(people, {
        profile: people.log.register.certificates.get('crt_1')?.profile,
        products: [certified(products[0] ?? '')],
        line: null,
      }),
    )
    await people.decide(people.certifier, 'assessment.begin', 'crt_next', { scenario: 'existing-product' })
    for (const [place, entry] of people.entries.slice(from).entries()) {
      await fleet.store.decisions.append(from + place, entry, fleet.now)
    }
    const { roadmap, limits } = await reported(fleet, 'roadmap')
    const step = roadmap?.items.find(({ id: item }) => item === 'rmi_1')
    expect(step).toMatchObject({
      source: 'decided',
      owner: 'Olga',
      levels: { from: 1, to: 3 },
      recommendation: 'rcm_1',
    })
    expect(roadmap?.items.filter(({ practices }) => practices.includes(PATCH))).toHaveLength(1)
    expect(limits.some((limit) => limit.includes('at the stage current-state'))).toBe(true)
    const { gap } = await reported(fleet, 'gap')
    const patching = gap?.flatMap(({ practices }) => practices).find(({ practice }) => practice === PATCH)
    expect(patching).toMatchObject({
      planned: [{ id: 'rmi_1' }],
      recommended: [{ id: 'rcm_1', standing: 'unanswered' }],
    })
    const { decisions, evidence } = await reported(fleet, 'surveillance')
    const about = new Set(decisions.map(({ subject }) => subject))
    expect(['rcm_1', 'rmi_1', 'doc_1', 'rcm_2'].map((each) => about.has(each))).toEqual([true, true, true, false])
    const document = decisions.find(({ subject }) => subject === 'doc_1')
    expect(evidence).toContainEqual({ kind: 'decision', sha256: document?.hash, about: String(document?.index) })
  })

  it('computes objectives at the level that is agreed, and names the rows that they come from', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    await driftingFleet(fleet)
    const [product] = (await reported(fleet, 'surveillance')).products
    const late = product?.objectives.find(({ signal }) => signal === 'patch.critical-time')
    expect(late).toMatchObject({ unit: 'ms', target: 30 * DAY, state: 'broken', because: 'over-target', known: 10 })
    const samples = await fleet.store.practices.samples(fleet.product.id, 0, 'patch.critical-time')
    const first = dayOf(fleet.now) - (late?.windowDays ?? 0)
    const window = samples.get('patch.critical-time')?.filter(({ day }) => day > first) ?? []
    const digest = toHex(sha256(sampleRows(fleet.product.id, 'patch.critical-time', window)))
    expect(late?.samples).toEqual({ days: window.length, sha256: digest })
    // Only what a target asks for is an objective.
    expect(product?.objectives.every(({ practices }) => practices.length > 0)).toBe(true)
  })

  it('takes what was sampled long ago for unknown', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    await driftingFleet(fleet)
    fleet.now += 5 * DAY
    const [product] = (await reported(fleet, 'surveillance')).products
    const late = product?.objectives.find(({ signal }) => signal === 'patch.critical-time')
    expect(late).toMatchObject({ state: 'unknown', value: null, day: null })
  })

  it('counts who is not covered and why, and units that never reported', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const plain = await fleet.release('1.0', 1, { activatedAt: NOW - 1000 * DAY })
    const countersigned = { by: 'x', name: 'x', at: NOW } as never
    const covered = await fleet.release('1.1', 2, { activatedAt: NOW - 1000 * DAY, countersigned })
    await fleet.add(2, fleet.runs(plain))
    await fleet.add(3, fleet.runs(covered))
    await fleet.add(1, { ...fleet.runs(covered), latch: 'failed' })
    await fleet.add(4, { lastFreshAt: null })
    await fleet.evaluate()
    const [product] = (await reported(fleet, 'surveillance')).products
    expect(product).toMatchObject({
      covered: 3,
      notCovered: { 'not-countersigned': 2, 'unit-failing': 1, 'release-unknown': 4 },
      fleet: { neverSeen: 4, enrolled: 10 },
    })
  })

  it('gathers the findings of the period, with the evidence that each rests on', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const [one, two] = await fleet.add(2, {})
    if (one === undefined || two === undefined) throw new Error('two units')
    const { findings } = fleet.store
    await findings.insert(finding(one.id, { evidenceHash: bytes('a') }))
    await findings.insert(finding(two.id, { evidenceHash: bytes('b') }))
    await findings.insert(finding(two.id, { subject: 'tcp/0.0.0.0:1', evidenceHash: bytes('c') }))
    const before = { openedAt: NOW - 9 * DAY, resolvedAt: NOW - 8 * DAY, state: 'resolved' } as const
    await findings.insert(finding(one.id, { ...before, subject: 'old', evidenceHash: bytes('d') }))
    await findings.insert(finding(one.id, { state: 'suspected', subject: 'maybe', evidenceHash: bytes('e') }))
    const { code, severity } = finding(one.id)
    await fleet.store.findingPolicies.save({
      productId: fleet.product.id,
      code,
      severity: 'low',
      hysteresis: null,
      setBy: 'x',
      setAt: NOW,
    })
    const report = await reported(fleet, 'surveillance')
    expect(severity).toBe('high')
    expect(report.products[0]?.findings).toEqual([
      expect.objectContaining({ code, state: 'open', severity: 'low', findings: 3, units: 2, acknowledged: 0 }),
    ])
    const named = report.evidence.filter(({ kind }) => kind === 'evidence').map(({ sha256: digest }) => digest)
    expect(named).toEqual(['a', 'b', 'c'].map((label) => toHex(bytes(label))).sort())
  })

  it('names decisions and cases of the period, and the head of the log', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    await fleet.store.cases.insert(reassessment(fleet.product.id))
    const report = await reported(fleet, 'surveillance')
    expect(report.decisions.map(({ kind }) => kind)).toContain('certificate.issue')
    expect(report.log?.hash).toBe(toHex((await fleet.decisions.register()).head?.hash ?? new Uint8Array()))
    const hashes = report.evidence.filter(({ kind }) => kind === 'decision').map(({ sha256: digest }) => digest)
    expect(hashes.sort()).toEqual(report.decisions.map(({ hash }) => hash).sort())
    expect(report.cases).toEqual([
      expect.objectContaining({ state: 'triggered', openedInPeriod: true, endedAt: null, endedInPeriod: false }),
    ])
  })

  it('is the same in CBOR and in JSON, and its digest is of what it says', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    await driftingFleet(fleet)
    for (const kind of REPORT_KINDS) {
      const report = await reported(fleet, kind)
      const limits = { maxBytes: 1 << 24, maxDepth: 16, maxItems: 1_000_000 }
      expect(decodePlain(encodeReport(report), limits)).toEqual(JSON.parse(JSON.stringify(report)))
      expect(digestOfReport(report)).toBe(toHex(sha256(encodeReport(report))))
      expect(digestOfReport({ ...report, operator: 'somebody else' })).not.toBe(digestOfReport(report))
    }
  })

  it('of gaps says which level is missing, and the roadmap says that nobody has promised it', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    await driftingFleet(fleet)
    const { gap } = await reported(fleet, 'gap')
    expect(gap?.map(({ domain, practices }) => [domain, practices.length])).toEqual([
      ['governance', 0],
      ['enablement', 1],
      ['hardening', 1],
    ])
    const patching = gap?.[2]?.practices[0]
    expect(patching).toMatchObject({ practice: PATCH, target: 3, supported: 2, missing: 1, conformity: 'drift' })
    expect(patching?.restore[0]).toMatchObject({ code: 'signal-broken', about: 'patch.critical-time' })
    const { roadmap } = await reported(fleet, 'roadmap')
    const item = roadmap?.items.find(({ practices }) => practices.includes(PATCH))
    expect(item).toMatchObject({ source: 'derived', owner: null, due: null, state: 'open' })
    expect(roadmap?.progress.withoutOwner).toBe(roadmap?.items.length)
  })

  it('of a product without a certificate promises nothing', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const other = { ...fleet.product, id: id('prd'), model: 'Other' }
    await fleet.store.products.create(other)
    const report = await reported(fleet, 'gap', { product: other.id })
    expect(report).toMatchObject({ certificates: [], products: [{ conformity: 'unknown' }] })
    expect(report.gap?.flatMap(({ practices }) => practices)).toEqual([])
  })

  it('of nothing is refused', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    const code = { code: 'request.not-found' }
    await expect(reported(fleet, 'gap', { certificate: 'crt_none' })).rejects.toMatchObject(code)
    await expect(reported(fleet, 'gap', { product: 'prd_none' })).rejects.toMatchObject(code)
  })
})
