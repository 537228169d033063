import { describe, expect, test } from 'vitest'
import * as nodeCrypto from '../../../shared/crypto/node.ts'
import { readLog } from '../../../shared/decisions/log.ts'
import { approveProfile, DAY, digestOf, PROFILE, profile } from '../../support/decision-log.ts'
import { CASE, CaseWork } from '../../support/case-decisions.ts'
import { refusalOf } from '../../support/keepseal-error.ts'

const refusal = async (work: CaseWork, ...decision: Parameters<CaseWork['decide']>) => {
  const before = structuredClone(work.people.log.register.cases)
  const { code } = await refusalOf(work.decide(...decision))
  expect(work.people.log.register.cases).toEqual(before)
  return code
}

describe('a case', () => {
  test('is taken up, analysed, scoped, mended, verified and closed, each step by who it is for', async () => {
    const work = await (await CaseWork.begin()).until('decide')
    expect(work.found).toMatchObject({ state: 'closed', fixers: ['per_vendor'], severity: 'high' })
    expect(work.found.verification?.by).toBe('per_second')
    const read = readLog(work.people.entries, nodeCrypto)
    expect(read.register.cases).toEqual(work.people.log.register.cases)
  })

  test.each(['triage', 'impact', 'scope', 'plan', 'fixed', 'verify', 'decide', 'escalate', 'aware'] as const)(
    'takes no %s once it is closed',
    async (step) => {
      const work = await (await CaseWork.begin()).until('decide')
      const { vendor, certifier } = work.people
      const by = step === 'scope' || step === 'decide' || step === 'escalate' ? certifier : vendor
      expect(await refusal(work, by, step, work.details()[step])).toBe('decision.wrong-state')
    },
  )

  test('that nobody has triaged is not decided about', async () => {
    const work = await CaseWork.begin()
    expect(await refusal(work, work.people.vendor, 'impact', work.details().impact)).toBe('decision.no-such-subject')
  })
})

describe('a guard refuses', () => {
  test.each([
    ['scope', 'impact'],
    ['decide', 'verify'],
    ['escalate', 'triage'],
  ] as const)('a %s of the vendor', async (step, last) => {
    const work = await (await CaseWork.begin()).until(last)
    expect(await refusal(work, work.people.vendor, step, work.details()[step])).toBe('decision.role')
  })

  test('what the certifier says of when the vendor was aware', async () => {
    const work = await CaseWork.begin()
    expect(await refusal(work, work.people.certifier, 'aware', work.details().aware)).toBe('decision.role')
  })

  test('the vendor who dismisses what is critical', async () => {
    const work = await CaseWork.begin()
    const dismissed = { ...work.details().triage, severity: 'critical', outcome: 'dismissed' }
    expect(await refusal(work, work.people.vendor, 'triage', dismissed)).toBe('case.dismissal-critical')
    await work.decide(work.people.certifier, 'triage', dismissed)
    expect(work.found.state).toBe('dismissed')
  })

  test('other facts than those that were decided about before', async () => {
    const work = await CaseWork.begin()
    await work.decide(work.people.vendor, 'aware', work.details().aware)
    const { triage } = work.details()
    const other = { ...triage, case: { ...work.identity, facts: digestOf('others') } }
    expect(await refusal(work, work.people.vendor, 'triage', other)).toBe('case.facts-mismatch')
    await work.decide(work.people.vendor, 'triage', triage)
    expect(work.found).toMatchObject({ state: 'triaged', aware: { 'cra-vulnerability': { by: 'per_vendor' } } })
  })

  test('an awareness that is in the future, or that becomes later', async () => {
    const work = await CaseWork.begin()
    const { people } = work
    people.days(2)
    const at = (awareAt: number) => ({ ...work.details().aware, awareAt })
    expect(await refusal(work, people.vendor, 'aware', at(people.now + 1))).toBe('case.awareness-later')
    await work.decide(people.vendor, 'aware', at(people.now - DAY))
    expect(await refusal(work, people.vendor, 'aware', at(people.now))).toBe('case.awareness-later')
    await work.decide(people.vendor, 'aware', at(people.now - 2 * DAY))
  })

  test('a scope by whoever wrote the impact analysis', async () => {
    const work = await (await CaseWork.begin()).until('triage')
    const { certifier, second } = work.people
    await work.decide(certifier, 'impact', work.details().impact)
    expect(await refusal(work, certifier, 'scope', work.details().scope)).toBe('decision.own-work')
    await work.decide(second, 'scope', work.details().scope)
  })

  test('a criterion of a practice that is not in the scope', async () => {
    const work = await (await CaseWork.begin()).until('impact')
    const criteria = [{ practice: 'access-control', criterion: 'no password is shared' }]
    const wide = { ...work.details().scope, criteria }
    expect(await refusal(work, work.people.certifier, 'scope', wide)).toBe('log.malformed')
  })

  test('a plan of more than 30 days, and one that is longer bit by bit', async () => {
    const work = await (await CaseWork.begin()).until('scope')
    const { people } = work
    const plan = (days: number) => ({ ...work.details().plan, until: people.now + days * DAY })
    expect(await refusal(work, people.vendor, 'plan', plan(31))).toBe('decision.period')
    await work.decide(people.vendor, 'plan', plan(30))
    people.days(5)
    expect(await refusal(work, people.vendor, 'plan', plan(26))).toBe('decision.period')
    await work.decide(people.vendor, 'plan', plan(25))
  })

  test('a fix from before the case, or of tomorrow', async () => {
    const work = await (await CaseWork.begin()).until('plan')
    const fixed = (fixedAt: number) => ({ ...work.details().fixed, fixedAt })
    const { people, identity } = work
    expect(await refusal(work, people.vendor, 'fixed', fixed(identity.openedAt - 1))).toBe('case.fix-misdated')
    expect(await refusal(work, people.vendor, 'fixed', fixed(people.now + 1))).toBe('case.fix-misdated')
  })

  test('whoever verifies what he has fixed, also when another reports a fix after him', async () => {
    const work = await (await CaseWork.begin()).until('fixed')
    const { people, other } = work
    expect(await refusal(work, people.vendor, 'verify', work.details().verify)).toBe('decision.own-work')
    await work.decide(other, 'fixed', work.details().fixed)
    expect(await refusal(work, people.vendor, 'verify', work.details().verify)).toBe('decision.own-work')
    await work.decide(people.certifier, 'verify', work.details().verify)
  })

  test('whoever closes what he has fixed', async () => {
    const work = await (await CaseWork.begin()).until('plan')
    const { people } = work
    await work.decide(people.certifier, 'fixed', work.details().fixed)
    await work.decide(people.vendor, 'verify', work.details().verify)
    expect(await refusal(work, people.certifier, 'decide', work.details().decide)).toBe('decision.own-work')
    await work.decide(people.second, 'decide', work.details().decide)
  })

  test.each([
    ['results of other practices', { practice: 'access-control' }, 'case.scope-mismatch'],
    ['no evidence of the fleet', { fleet: null }, 'case.evidence-missing'],
    ['no unit', { shown: 0, declared: 1 }, 'case.evidence-missing'],
    ['evidence from before the fix', { earlier: 1 }, 'case.evidence-before-fix'],
    ['a smaller share than was agreed', { shown: 94 }, 'case.share-too-small'],
    ['more units than there are', { shown: 101 }, 'log.malformed'],
  ])('a verification by %s', async (_, over: object, code) => {
    const work = await (await CaseWork.begin()).until('fixed')
    const { verify } = work.details()
    const { practice = 'patch-management', fleet = {}, earlier = 0, ...counts } = over as Record<string, unknown>
    const since = verify.fleet.since - Number(earlier)
    const detail = {
      ...verify,
      results: [{ practice, result: 'r' }],
      fleet: fleet === null ? null : { ...verify.fleet, ...counts, since },
    }
    expect(await refusal(work, work.people.second, 'verify', detail)).toBe(code)
    await work.decide(work.people.second, 'verify', verify)
  })

  test('documents that are older than the fix, where documents are what shows it', async () => {
    const work = await (
      await CaseWork.begin({ trigger: 'T8', cause: 'document.expired', proof: 'documents' })
    ).until('fixed')
    const { people } = work
    const verify = (dated: number) => ({
      ...work.details().verify,
      fleet: null,
      documents: [{ title: 'patch policy', digest: digestOf('policy'), dated }],
    })
    const none = { ...verify(people.now), documents: [] }
    expect(await refusal(work, people.second, 'verify', none)).toBe('case.evidence-missing')
    expect(await refusal(work, people.second, 'verify', verify(people.now - 1))).toBe('case.evidence-before-fix')
    await work.decide(people.second, 'verify', verify(people.now))
  })

  test('to close on a verification that is from long ago', async () => {
    const work = await (await CaseWork.begin()).until('verify')
    work.people.days(31)
    expect(await refusal(work, work.people.certifier, 'decide', work.details().decide)).toBe('case.evidence-missing')
    await work.decide(work.people.second, 'verify', work.details().verify)
    await work.decide(work.people.certifier, 'decide', work.details().decide)
  })

  test('to close what was not verified', async () => {
    const work = await (await CaseWork.begin()).until('fixed')
    expect(await refusal(work, work.people.certifier, 'decide', work.details().decide)).toBe('decision.wrong-state')
  })

  test('to end a case while its certificate is in force', async () => {
    const work = await (await CaseWork.begin()).until('scope')
    const { people } = work
    const ended = { outcome: 'ended', reason: 'withdrawn' }
    expect(await refusal(work, people.certifier, 'decide', ended)).toBe('case.certificate-in-force')
    await people.decide(people.certifier, 'certificate.withdraw', 'crt_1', { reason: 'at the request of the holder' })
    await work.decide(people.certifier, 'decide', ended)
    expect(work.found.state).toBe('ended')
  })

  test('to propose something for a product that is not of the certificate', async () => {
    const work = await (await CaseWork.begin()).until('triage')
    const foreign = { ...work.details().escalate, products: ['Acme/Gate 9'] }
    expect(await refusal(work, work.people.certifier, 'escalate', foreign)).toBe('decision.no-such-subject')
  })
})

test('a fix that did not help is planned anew, and neither its plan nor its verification count', async () => {
  const work = await (await CaseWork.begin()).until('verify')
  const { people } = work
  await work.decide(people.certifier, 'decide', { outcome: 'remediation', reason: 'units fall back' })
  expect(work.found).toMatchObject({
    state: 'scoped',
    plan: null,
    fix: null,
    verification: null,
    fixers: ['per_vendor'],
  })
  people.days(40)
  await work.decide(people.vendor, 'plan', work.details().plan)
})

test('an escalation proposes and changes no certificate, and the case goes on where it was', async () => {
  const work = await (await CaseWork.begin()).until('plan')
  const { people } = work
  const before = people.log.register.certificates.get('crt_1')
  await work.decide(people.certifier, 'escalate', work.details().escalate)
  expect(work.found).toMatchObject({ state: 'escalated', proposal: { measure: 'suspend', by: 'per_certifier' } })
  expect(people.log.register.certificates.get('crt_1')).toEqual(before)
  await work.decide(people.certifier, 'decide', { outcome: 'resume', reason: 'they work again' })
  expect(work.found.state).toBe('remediation')
})

describe('a lowering of the profile for a nonconformity', () => {
  const submit = (work: CaseWork, over: object = {}) => {
    const proof = {
      unresolvable: 'no key can be exchanged',
      unforeseen: 'the chip was thought sound',
      publicNote: 'note',
    }
    const change = { kind: 'unresolvable-nonconformity', case: CASE, ...proof, ...over }
    return work.people.decide(work.people.vendor, 'profile.submit', PROFILE, profile(2, 2, change))
  }
  const intended = { outcome: 'profile-change', reason: 'no fix is possible' }

  test('takes a case of which the certifier has said that it is critical and comes to that', async () => {
    const work = await (await CaseWork.begin()).until('impact')
    const { people } = work
    await work.decide(people.certifier, 'scope', { ...work.details().scope, severity: 'critical' })
    expect((await refusalOf(submit(work))).code).toBe('decision.wrong-state')
    expect((await refusalOf(submit(work, { case: 'cas_9' }))).code).toBe('decision.no-such-subject')
    await work.decide(people.certifier, 'decide', intended)
    await submit(work)
    expect(people.log.register.profiles.get(PROFILE)?.at(-1)?.version).toBe(2)
  })

  test('is not intended for what is not critical', async () => {
    const work = await (await CaseWork.begin()).until('scope')
    expect(await refusal(work, work.people.certifier, 'decide', intended)).toBe('case.not-critical')
  })

  test('is of the profile that the case is about', async () => {
    const work = await (await CaseWork.begin()).until('impact')
    const { people } = work
    await work.decide(people.certifier, 'scope', { ...work.details().scope, severity: 'critical' })
    await work.decide(people.certifier, 'decide', intended)
    await approveProfile(people, 2, 4, { kind: 'raise', reason: 'r' })
    const other = profile(1, 2)
    await people.decide(people.vendor, 'profile.submit', 'pro_other', other)
    await people.decide(people.certifier, 'profile.approve', 'pro_other', { version: 1, digest: other.digest })
    const proof = { unresolvable: 'u', unforeseen: 'u', publicNote: 'n' }
    const change = { kind: 'unresolvable-nonconformity', case: CASE, ...proof }
    const submitted = people.decide(people.vendor, 'profile.submit', 'pro_other', profile(2, 1, change))
    expect((await refusalOf(submitted)).code).toBe('certificate.profile-mismatch')
  })
})

test('a rehearsal shows each guard with its outcome, and changes nothing', async () => {
  const work = await (await CaseWork.begin()).until('fixed')
  const { people } = work
  const { verify } = work.details()
  const detail = { ...verify, fleet: { ...verify.fleet, shown: 94 } }
  const intended = { at: people.now, kind: 'case.verify', subject: CASE, detail }
  const shown = people.log.rehearse({ ...intended, keyId: people.vendor.signer.keyId })
  expect(shown.filter(({ wrong }) => wrong !== null).map(({ code }) => code)).toEqual([
    'decision.own-work',
    'case.share-too-small',
  ])
  expect(shown.length).toBe(8)
  expect(work.found.state).toBe('verification')
  const good = people.log.rehearse({ ...intended, detail: verify, keyId: people.second.signer.keyId })
  expect(good.every(({ wrong }) => wrong === null)).toBe(true)
})
