import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../shared/codes/errors.ts'
import { fromBase64Url, fromHex, toBase64Url } from '../../shared/bytes/bytes.ts'
import * as nodeCrypto from '../../shared/crypto/node.ts'
import { signDecision } from '../../shared/decisions/entry.ts'
import type { Json } from '../../shared/decisions/json-cbor.ts'
import { readLog } from '../../shared/decisions/log.ts'
import { newPerson } from '../../shared/decisions/person.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { certified, signatory, type Signatory } from '../support/decision-log.ts'
import { DAY, PracticeFleet } from '../support/practice-fleet.ts'
import { useApi, type TestApi } from './api/support.ts'
import { storedProduct } from './store/samples.ts'

const LOG = new Uint8Array(16).fill(7)
const PROFILE = 'gate-seven'
const DAY_SECONDS = 86_400
const SUPPORT_DAYS = 700

const certifier = signatory('per_certifier', 'certifier')
const assessor = signatory('per_assessor', 'certifier')
const vendor = signatory('per_vendor', 'vendor')

/** People who decide by the API, on simulated time. */
class Life {
  readonly api: TestApi
  readonly fleet: PracticeFleet

  constructor(api: TestApi, fleet: PracticeFleet) {
    this.api = api
    this.fleet = fleet
  }

  get seconds(): number {
    this.api.clock.now = this.fleet.now
    return Math.floor(this.fleet.now / 1000)
  }

  async get<T = Record<string, unknown>>(path: string): Promise<T> {
    const { status, body } = await this.api.call('auditor', 'GET', `/api/v1${path}`)
    expect(status, path).toBe(200)
    return body as T
  }

  async post(by: Signatory, path: string, body: object): Promise<Record<string, unknown>> {
    const answer = await this.api.call(by.role as 'vendor', 'POST', `/api/v1${path}`, body)
    return { status: answer.status, ...answer.body }
  }

  async #sign(by: Signatory, kind: string, subject: string, detail: object): Promise<string> {
    const at = this.seconds
    const { index, previous } = await this.get<{ index: number; previous: string | null }>('/decisions/next')
    const place = { log: LOG, index, previous: previous === null ? null : fromHex(previous) }
    return toBase64Url(await signDecision({ ...place, at, kind, subject, detail: detail as Json }, by.signer))
  }

  async decide(by: Signatory, kind: string, subject: string, detail: object): Promise<void> {
    const entry = await this.#sign(by, kind, subject, detail)
    expect(await this.post(by, '/decisions', { entry }), `${kind} ${subject}`).toMatchObject({ status: 201 })
  }

  /** The guard does not hold, and nothing is changed. */
  async refused(code: ErrorCode, by: Signatory, kind: string, subject: string, detail: object): Promise<void> {
    const before = await this.get('/decisions/next')
    const entry = await this.#sign(by, kind, subject, detail)
    expect(await this.post(by, '/decisions', { entry }), `${kind} ${subject}`).toMatchObject({ type: code })
    expect(await this.get('/decisions/next')).toEqual(before)
  }

  certificate(id: string): Promise<Record<string, unknown>> {
    return this.get(`/certificates/${id}`)
  }

  async caseOf(cause: string): Promise<{ id: string; identity: object; state: string; severity: string }> {
    const { items } = await this.get<{ items: { id: string; cause: string }[] }>('/cases')
    const found = items.find((each) => each.cause === cause)
    if (found === undefined) throw new Error(`no case of ${cause}`)
    return this.get(`/cases/${found.id}`)
  }

  /** A document of a kind, submitted by the vendor and accepted by the certifier. */
  async document(kind: string, practice: string, days = 365): Promise<void> {
    const detail = {
      kind,
      practices: [practice],
      criterion: `there is a ${kind}`,
      statement: 'It is in force.',
      file: { name: `${kind}.pdf`, sha256: '11'.repeat(32) },
      capacity: 'head of development',
      products: [this.product],
      issued: this.seconds,
      validUntil: this.seconds + days * DAY_SECONDS,
      supersedes: null,
    }
    await this.decide(vendor, 'document.submit', `doc_${kind}`, detail)
    await this.refused('decision.role', vendor, 'document.accept', `doc_${kind}`, { reason: 'as it should be' })
    await this.decide(certifier, 'document.accept', `doc_${kind}`, { reason: 'as it should be' })
  }

  get product(): string {
    const { vendor: name, model } = this.fleet.product
    return `${name}/${model}`
  }

  /** Stores the document of a version, and gives what a decision says of it. */
  async version(version: number, level: number, change: object): Promise<{ version: number; digest: string }> {
    const practices = {
      'patch-management': { target: { level, scope: 'system' }, priority: 'must' },
      'access-control': { target: { level: 2, scope: 'industry' }, priority: 'must' },
    }
    const review = { everyDays: 180 }
    const document = { schema: 1, id: PROFILE, version, kind: 'individual', title: 'Gate 7', practices, review }
    const { digest } = (await this.post(vendor, '/profile-documents', { document })) as { digest: string }
    const targets = Object.fromEntries(Object.entries(practices).map(([id, { target }]) => [id, target]))
    return { version, digest, targets, change } as { version: number; digest: string }
  }
}

const draft = (life: Life, profile: { version: number; digest: string }, over: object = {}) => ({
  number: 'KS-2026-001',
  products: [certified(life.product)],
  line: null,
  profile: { id: PROFILE, version: profile.version, digest: profile.digest },
  agreement: { publicConformity: 'none', claimsWhileSuspended: false, closingShare: 90 },
  validFrom: life.seconds,
  validUntil: life.seconds + 1000 * DAY_SECONDS,
  supportUntil: life.seconds + SUPPORT_DAYS * DAY_SECONDS,
  supersedes: null,
  isReduction: false,
  ...over,
})

const IMPACT = {
  summary: 'Fixes reach the units later than agreed.',
  from: '1.0',
  to: '1.1',
  changes: [{ what: 'a fix of CVE-2026-1', effect: 'none on what was assessed' }],
  practices: ['patch-management'],
  affectedEvidence: ['the time to patch of 2026'],
  proposedClass: 'minor',
}

const SCOPE = {
  practices: ['patch-management'],
  criteria: [{ practice: 'patch-management', criterion: 'critical fixes reach the fleet in time' }],
  class: 'minor',
  recommendations: ['roll out in larger waves'],
  reason: 'nothing else is touched',
}

describe('the life of a certificate', () => {
  const api = useApi()

  it('is walked by the API from its issue to its end, each step refused while its guard does not hold', async () => {
    const { store } = api()
    const product = await storedProduct(store)
    const fleet = PracticeFleet.of(store, product)
    const life = new Life(api(), fleet)

    // Issued: people, profile, documents, certificate.
    const begin = { operator: 'Example Certifier', certifier: newPerson('Ada', 'certifier', certifier.key) }
    await life.decide(certifier, 'log.begin', certifier.id, begin)
    for (const { id, role, key } of [assessor, vendor]) {
      await life.decide(certifier, 'person.add', id, newPerson(id, role, key))
    }
    const first = await life.version(1, 3, { kind: 'initial' })
    await life.refused('profile.not-approved', certifier, 'certificate.draft', 'crt_1', draft(life, first))
    await life.decide(vendor, 'profile.submit', PROFILE, first)
    const approval = { version: 1, digest: first.digest }
    await life.refused('decision.role', vendor, 'profile.approve', PROFILE, approval)
    await life.decide(certifier, 'profile.approve', PROFILE, approval)
    for (const kind of ['patch-policy', 'emergency-patch-procedure']) await life.document(kind, 'patch-management')
    const wrong = { version: 1, digest: '00'.repeat(32) }
    await life.refused('certificate.profile-mismatch', certifier, 'certificate.draft', 'crt_1', draft(life, wrong))
    await life.decide(certifier, 'certificate.draft', 'crt_1', draft(life, first))
    await life.refused('decision.role', vendor, 'certificate.issue', 'crt_1', { reason: 'we are good' })
    await life.decide(certifier, 'certificate.issue', 'crt_1', { reason: 'the assessment of 2026' })
    expect(await life.certificate('crt_1')).toMatchObject({ state: 'valid', claimsAllowedFor: [life.product] })

    // The fleet drifts on patch time: at risk, then drift, and a case.
    const old = await fleet.release('1.0', 1, { state: 'superseded', acceptedUntil: fleet.now + 400 * DAY })
    const posture = await fleet.posture()
    await fleet.add(10, { postureDigest: posture, ...fleet.runs(old) })
    expect(await fleet.days(2, 'patch-management')).toEqual(['conforming', 'conforming'])
    await fleet.record('advisory-published', { advisory: 'CVE-2026-1', severity: 'critical' })
    const fixed = await fleet.release('1.1', 2)
    await fleet.record('fix-released', { advisory: 'CVE-2026-1', fixedIn: { release: '1.1' } })
    const late: string[] = []
    while (late.at(-1) !== 'at-risk' && late.length < 40) late.push(...(await fleet.days(1, 'patch-management')))
    expect(new Set(late)).toEqual(new Set(['conforming', 'at-risk']))
    expect((await life.get<{ items: object[] }>('/cases')).items).toEqual([])
    while (late.at(-1) !== 'drift' && late.length < 80) late.push(...(await fleet.days(1, 'patch-management')))
    expect(late.at(-1)).toBe('drift')
    const drift = await life.caseOf('practice.drift')
    expect(drift).toMatchObject({ state: 'triggered', trigger: 'T3' })
    // Software decides nothing: the certificate is as it was.
    expect(await life.certificate('crt_1')).toMatchObject({ state: 'valid' })

    // Scoped re-assessment after the fix.
    const { id, identity, severity } = drift
    const triage = { case: identity, severity, outcome: 'accepted', reason: 'it is so' }
    await life.refused('case.facts-mismatch', vendor, 'case.triage', id, {
      ...triage,
      case: { ...identity, facts: '00'.repeat(32) },
    })
    await life.decide(vendor, 'case.triage', id, triage)
    await life.refused('decision.wrong-state', certifier, 'case.scope', id, { ...SCOPE, severity })
    await life.decide(vendor, 'case.impact', id, IMPACT)
    await life.refused('decision.role', vendor, 'case.scope', id, { ...SCOPE, severity })
    await life.decide(certifier, 'case.scope', id, { ...SCOPE, severity })
    const plan = (days: number) => ({
      actions: [{ what: 'roll 1.1 out', owner: 'operations', due: life.seconds + days * DAY_SECONDS }],
      until: life.seconds + days * DAY_SECONDS,
    })
    await life.refused('decision.period', vendor, 'case.plan', id, plan(60))
    await life.decide(vendor, 'case.plan', id, plan(20))
    fleet.now += DAY
    const fixedAt = life.seconds
    await life.decide(vendor, 'case.fixed', id, { fixedAt, what: '1.1 is rolled out', release: fixed.id })
    const verify = (shown: number) => ({
      results: [{ practice: 'patch-management', result: 'units run 1.1' }],
      fleet: { since: fixedAt, shown, declared: 10 },
      documents: [],
    })
    await life.refused('case.share-overstated', certifier, 'case.verify', id, verify(10))
    fleet.now += DAY
    for (const device of fleet.devices.slice(0, 8)) {
      await fleet.set(device, { postureDigest: posture, ...fleet.runs(fixed) })
    }
    await life.refused('case.share-too-small', certifier, 'case.verify', id, verify(8))
    for (const device of fleet.devices) await fleet.set(device, { postureDigest: posture, ...fleet.runs(fixed) })
    await life.refused('decision.own-work', vendor, 'case.verify', id, verify(10))
    await life.refused('decision.wrong-state', certifier, 'case.decide', id, { outcome: 'closed', reason: 'soon' })
    await life.decide(certifier, 'case.verify', id, verify(10))
    await life.refused('decision.role', vendor, 'case.decide', id, { outcome: 'closed', reason: 'fixed' })
    await life.decide(assessor, 'case.decide', id, { outcome: 'closed', reason: 'the fix is in the fleet' })
    expect(await life.get(`/cases/${id}`)).toMatchObject({ state: 'closed' })
    const after = await fleet.days(70, 'patch-management')
    expect(after.at(-1)).toBe('conforming')

    // A critical nonconformity that nobody could foresee: the profile is lowered by the rules, the certificate reduced.
    const report = {
      productId: product.id,
      trigger: 'T4',
      summary: 'the boot loader cannot be replaced',
      source: 'lab',
    }
    expect(await life.post(vendor, '/cases', report)).toMatchObject({ status: 201 })
    const critical = await life.caseOf('vulnerability.critical')
    await life.decide(certifier, 'case.triage', critical.id, {
      case: critical.identity,
      severity: critical.severity,
      outcome: 'accepted',
      reason: 'confirmed in the laboratory',
    })
    const unresolvable = {
      kind: 'unresolvable-nonconformity',
      case: critical.id,
      unresolvable: 'the boot loader is in ROM',
      unforeseen: 'the flaw was published this year',
      publicNote: 'Patches of the boot loader are not guaranteed any more.',
    }
    const lower = await life.version(2, 2, unresolvable)
    const raised = { ...lower, change: { kind: 'raise', reason: 'better so' } }
    await life.refused('profile.lowering-refused', vendor, 'profile.submit', PROFILE, raised)
    await life.refused('decision.wrong-state', vendor, 'profile.submit', PROFILE, lower)
    await life.decide(vendor, 'case.impact', critical.id, IMPACT)
    const intend = { outcome: 'profile-change', reason: 'it cannot be resolved' }
    await life.decide(certifier, 'case.scope', critical.id, { ...SCOPE, severity: 'high' })
    await life.refused('case.not-critical', certifier, 'case.decide', critical.id, intend)
    await life.decide(certifier, 'case.scope', critical.id, { ...SCOPE, severity: 'critical' })
    await life.decide(certifier, 'case.decide', critical.id, intend)
    await life.decide(vendor, 'profile.submit', PROFILE, lower)
    await life.decide(certifier, 'profile.approve', PROFILE, { version: 2, digest: lower.digest })
    const { validUntil, supportUntil } = await life.certificate('crt_1')
    const until = {
      validUntil: Date.parse(String(validUntil)) / 1000,
      supportUntil: Date.parse(String(supportUntil)) / 1000,
    }
    const reduced = { number: 'KS-2026-002', supersedes: 'crt_1', isReduction: true, ...until }
    await life.refused('certificate.scope-widened', certifier, 'certificate.draft', 'crt_2', {
      ...draft(life, lower),
      ...reduced,
      products: [certified(life.product, true), certified('Acme/Gate 9')],
      line: { name: 'Gate', codeBase: 'one image', hardware: 'one board' },
    })
    await life.decide(certifier, 'certificate.draft', 'crt_2', { ...draft(life, lower), ...reduced })
    await life.refused('case.certificate-in-force', certifier, 'case.decide', critical.id, {
      outcome: 'ended',
      reason: 'the certificate was reduced',
    })
    await life.decide(assessor, 'certificate.issue', 'crt_2', { reason: 'reduced after the nonconformity' })
    expect(await life.certificate('crt_1')).toMatchObject({ state: 'superseded', claimsAllowedFor: [] })
    expect(await life.certificate('crt_2')).toMatchObject({ state: 'valid', claimsAllowedFor: [life.product] })
    await life.decide(certifier, 'case.decide', critical.id, {
      outcome: 'ended',
      reason: 'the certificate was reduced',
    })

    // Support ends, and with it the certificate, without anybody doing anything.
    fleet.now = until.supportUntil * 1000 - 1000
    void life.seconds
    expect(await life.certificate('crt_2')).toMatchObject({ expired: false, claimsAllowedFor: [life.product] })
    fleet.now += 1000
    void life.seconds
    expect(await life.certificate('crt_2')).toMatchObject({ state: 'valid', expired: true, claimsAllowedFor: [] })
    await life.refused('decision.period', certifier, 'certificate.draft', 'crt_3', {
      ...draft(life, lower),
      ...until,
      number: 'KS-2026-003',
    })

    // What was decided can be checked by anybody, without the collector.
    const { entries } = await life.get<{ entries: string[] }>('/decisions')
    const log = entries.map(fromBase64Url)
    const { register } = readLog(log, nodeCrypto)
    expect([...register.certificates.values()].map(({ state }) => state)).toEqual(['superseded', 'valid'])
    expect([...register.cases.values()].map(({ state }) => state)).toEqual(['closed', 'ended'])
    const changed = log.map((entry, index) =>
      index === 9 ? Uint8Array.from(entry, (byte, at) => (at === entry.length - 1 ? byte ^ 1 : byte)) : entry,
    )
    const broken = caught(() => readLog(changed, nodeCrypto))
    expect(broken).toBeInstanceOf(KeepsealError)
    expect((broken as KeepsealError).message).toContain('entry 9')
    expect(caught(() => readLog(log.toSpliced(4, 1), nodeCrypto))).toMatchObject({ code: 'log.broken-link' })
  }, 120_000)
})

function caught(action: () => unknown): unknown {
  try {
    return action()
  } catch (error) {
    return error
  }
}
