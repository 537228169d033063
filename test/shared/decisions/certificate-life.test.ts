import { describe, expect, test } from 'vitest'
import { standingOf, type Certificate } from '../../../shared/decisions/certificate.ts'
import {
  approveProfile,
  certificate,
  certified,
  DAY,
  DecidingPeople,
  digestOf,
  issueCertificate,
  profile,
  PROFILE,
} from '../../support/decision-log.ts'
import { refusalOf } from '../../support/keepseal-error.ts'

const certificateOf = (people: DecidingPeople, id = 'crt_1'): Certificate => {
  const found = people.log.register.certificates.get(id)
  if (found === undefined) throw new Error(`no ${id}`)
  return found
}

async function inForce(): Promise<DecidingPeople> {
  const people = await DecidingPeople.begin()
  await approveProfile(people, 1, 3)
  await issueCertificate(people)
  return people
}

const refusal = async (people: DecidingPeople, ...decision: Parameters<DecidingPeople['decide']>) =>
  (await refusalOf(people.decide(...decision))).code

describe('a certificate', () => {
  test('is issued for an approved profile, and may be claimed from then until it or the support ends', async () => {
    const people = await inForce()
    const issued = certificateOf(people)
    expect(issued).toMatchObject({ state: 'valid', issuedAt: people.now })
    const claims = (at: number) => standingOf(issued, at).claimsAllowedFor
    expect(claims(people.now)).toEqual(['Acme/Gate 7', 'Acme/Gate 7 Mini'])
    expect(claims(issued.validFrom - 1)).toEqual([])
    expect(claims(issued.validUntil)).toEqual([])
    expect(standingOf({ ...issued, supportUntil: people.now + 5 }, people.now + 5).isExpired).toBe(true)
  })

  test.each([
    [
      'of a profile that nobody approved',
      { profile: { id: 'pro_other', version: 1, digest: digestOf('x') } },
      'profile.not-approved',
    ],
    [
      'of another content of the profile',
      { profile: { id: PROFILE, version: 1, digest: digestOf('x') } },
      'certificate.profile-mismatch',
    ],
    ['that ends before it begins', { validFrom: 4, validUntil: 3 }, 'log.malformed'],
    ['that would be expired', { validFrom: 3, validUntil: 4 }, 'decision.period'],
    [
      'for one product twice',
      { products: [certified('Acme/Gate 7', true), certified('Acme/Gate 7')] },
      'log.malformed',
    ],
    ['for no product', { products: [] }, 'log.malformed'],
  ])('%s is not drafted', async (_, over, code) => {
    const people = await DecidingPeople.begin()
    await approveProfile(people, 1, 3)
    expect(await refusal(people, people.certifier, 'certificate.draft', 'crt_1', certificate(people, over))).toBe(code)
  })

  test('is not decided by the vendor', async () => {
    const people = await inForce()
    const withdraw = { reason: 'we would rather not' }
    expect(await refusal(people, people.vendor, 'certificate.withdraw', 'crt_1', withdraw)).toBe('decision.role')
  })

  test('is not issued by whoever has submitted its profile', async () => {
    const people = await DecidingPeople.begin()
    const submitted = profile(1, 3)
    await people.decide(people.certifier, 'profile.submit', PROFILE, submitted)
    const approve = { version: 1, digest: submitted.digest }
    expect(await refusal(people, people.certifier, 'profile.approve', PROFILE, approve)).toBe('decision.own-work')
    await people.decide(people.second, 'profile.approve', PROFILE, approve)
    await people.decide(people.second, 'certificate.draft', 'crt_1', certificate(people))
    const reason = { reason: 'assessed' }
    expect(await refusal(people, people.certifier, 'certificate.issue', 'crt_1', reason)).toBe('decision.own-work')
    await people.decide(people.second, 'certificate.issue', 'crt_1', reason)
  })

  test('is not issued when the profile has moved on since the draft', async () => {
    const people = await DecidingPeople.begin()
    await approveProfile(people, 1, 3)
    await people.decide(people.certifier, 'certificate.draft', 'crt_1', certificate(people))
    await approveProfile(people, 2, 4, { kind: 'raise', reason: 'a new market' })
    const reason = { reason: 'assessed' }
    expect(await refusal(people, people.certifier, 'certificate.issue', 'crt_1', reason)).toBe(
      'certificate.profile-mismatch',
    )
  })
})

describe('conditions', () => {
  test('last at most 30 days, are extended once, and show when nobody decided in time', async () => {
    const people = await inForce()
    const until = (days: number) => ({ reason: 'patch the fleet', until: people.now + days * DAY })
    const { certifier } = people
    expect(await refusal(people, certifier, 'certificate.condition', 'crt_1', until(31))).toBe('decision.period')
    await people.decide(certifier, 'certificate.condition', 'crt_1', until(30))
    people.days(20)
    await people.decide(certifier, 'certificate.extend-conditions', 'crt_1', until(30))
    people.days(20)
    expect(await refusal(people, certifier, 'certificate.extend-conditions', 'crt_1', until(30))).toBe(
      'decision.wrong-state',
    )
    people.days(10)
    const standing = standingOf(certificateOf(people), people.now)
    expect(standing).toMatchObject({ state: 'valid-with-conditions', conditionsOverdue: true })
    expect(standing.claimsAllowedFor).toEqual(['Acme/Gate 7', 'Acme/Gate 7 Mini'])
    await people.decide(certifier, 'certificate.lift-conditions', 'crt_1', { reason: 'done' })
    expect(certificateOf(people)).toMatchObject({ state: 'valid', conditions: null })
  })
})

describe('a suspension', () => {
  test('takes claims away for its products alone, and gives them back', async () => {
    const people = await inForce()
    const { certifier } = people
    const suspend = { reason: 'a hole', until: people.now + 42 * DAY, products: ['Acme/Gate 7 Mini'] }
    await people.decide(certifier, 'certificate.suspend', 'crt_1', suspend)
    expect(standingOf(certificateOf(people), people.now).claimsAllowedFor).toEqual(['Acme/Gate 7'])
    people.days(10)
    await people.decide(certifier, 'certificate.restore', 'crt_1', { reason: 'mended' })
    expect(certificateOf(people)).toMatchObject({ state: 'valid', suspendedSeconds: 10 * DAY, suspension: null })
  })

  test('lasts at most 42 days at first and a year in all, however often it ends', async () => {
    const people = await inForce()
    const { certifier } = people
    const suspend = (days: number) => ({ reason: 'a hole', until: people.now + days * DAY, products: null })
    expect(await refusal(people, certifier, 'certificate.suspend', 'crt_1', suspend(43))).toBe('decision.period')
    await people.decide(certifier, 'certificate.suspend', 'crt_1', suspend(42))
    const extend = (days: number) => ({ reason: 'still', until: people.now + days * DAY })
    expect(await refusal(people, certifier, 'certificate.extend-suspension', 'crt_1', extend(366))).toBe(
      'decision.period',
    )
    await people.decide(certifier, 'certificate.extend-suspension', 'crt_1', extend(340))
    people.days(340)
    await people.decide(certifier, 'certificate.restore', 'crt_1', { reason: 'mended' })
    people.days(1)
    expect(await refusal(people, certifier, 'certificate.suspend', 'crt_1', suspend(26))).toBe('decision.period')
    await people.decide(certifier, 'certificate.suspend', 'crt_1', suspend(25))
  })

  test('of a certificate under conditions ends in conditions', async () => {
    const people = await inForce()
    const { certifier } = people
    const until = people.now + 20 * DAY
    await people.decide(certifier, 'certificate.condition', 'crt_1', { reason: 'patch', until })
    await people.decide(certifier, 'certificate.suspend', 'crt_1', { reason: 'a hole', until, products: null })
    await people.decide(certifier, 'certificate.restore', 'crt_1', { reason: 'mended' })
    expect(certificateOf(people)).toMatchObject({ state: 'valid-with-conditions', conditions: { until } })
  })
})

describe('a profile', () => {
  test.each(['raise', 'initial'])('is not lowered by a change of the kind %s', async (kind) => {
    const people = await inForce()
    const change = kind === 'raise' ? { kind, reason: 'for better' } : { kind }
    const code = kind === 'raise' ? 'profile.lowering-refused' : 'decision.wrong-state'
    expect(await refusal(people, people.vendor, 'profile.submit', PROFILE, profile(2, 2, change))).toBe(code)
  })

  test.each([
    ['without the case', { unresolvable: 'u', unforeseen: 'u', publicNote: 'n' }],
    ['without saying why it cannot be resolved', { case: 'cas_1', unforeseen: 'u', publicNote: 'n' }],
    ['without saying why nobody could foresee it', { case: 'cas_1', unresolvable: 'u', publicNote: 'n' }],
    ['with an empty note for the public', { case: 'cas_1', unresolvable: 'u', unforeseen: 'u', publicNote: ' ' }],
  ])('is not lowered for a nonconformity %s', async (_, proof) => {
    const people = await inForce()
    const change = { kind: 'unresolvable-nonconformity', ...proof }
    expect(await refusal(people, people.vendor, 'profile.submit', PROFILE, profile(2, 2, change))).toBe('log.malformed')
  })

  test('that was lowered by the rules is followed by a reduced certificate, which replaces the first', async () => {
    const people = await inForce()
    const change = { kind: 'lower-guarantee', reason: 'r', publicNote: 'less', recommendation: 'next version' }
    await approveProfile(people, 2, 2, change)
    const reduced = { number: 'KS-2', supersedes: 'crt_1', isReduction: true, products: [certified('Acme/Gate 7')] }
    const after = { ...reduced, profile: { id: PROFILE, version: 2, digest: digestOf('profile 2') } }
    await issueCertificate(people, 'crt_2', after)
    expect(certificateOf(people)).toMatchObject({ state: 'superseded' })
    expect(certificateOf(people, 'crt_2')).toMatchObject({ state: 'valid', products: [certified('Acme/Gate 7')] })
    expect(standingOf(certificateOf(people), people.now).claimsAllowedFor).toEqual([])
  })

  test('may lose a practice by a lowering alone, and a scope likewise', async () => {
    const people = await inForce()
    const raise = { kind: 'raise', reason: 'r' }
    const without = { ...profile(2, 4, raise), targets: { 'patch-management': { level: 4, scope: 'system' } } }
    expect(await refusal(people, people.vendor, 'profile.submit', PROFILE, without)).toBe('profile.lowering-refused')
    const narrower = profile(2, 4, raise)
    const general = { ...narrower, targets: { ...narrower.targets, 'access-control': { level: 4, scope: 'general' } } }
    expect(await refusal(people, people.vendor, 'profile.submit', PROFILE, general)).toBe('profile.lowering-refused')
  })
})

describe('a reduction', () => {
  test('has no product more, and no target higher', async () => {
    const people = await inForce()
    await approveProfile(people, 2, 4, { kind: 'raise', reason: 'a new market' })
    const draft = (over: object) =>
      certificate(people, {
        supersedes: 'crt_1',
        isReduction: true,
        profile: { id: PROFILE, version: 2, digest: digestOf('profile 2') },
        ...over,
      })
    const drafted = (over: object) => refusal(people, people.certifier, 'certificate.draft', 'crt_2', draft(over))
    expect(await drafted({})).toBe('certificate.scope-widened')
    expect(await drafted({ products: [certified('Acme/Gate 9')] })).toBe('certificate.scope-widened')
  })
  test('ends no later than what it reduces', async () => {
    const people = await inForce()
    const { validUntil, supportUntil } = certificateOf(people)
    const reduced = (over: object) => ({
      supersedes: 'crt_1',
      isReduction: true,
      products: [certified('Acme/Gate 7')],
      validUntil,
      supportUntil,
      ...over,
    })
    const drafted = (over: object) =>
      refusal(people, people.certifier, 'certificate.draft', 'crt_2', certificate(people, reduced(over)))
    expect(await drafted({ validUntil: validUntil + 1 })).toBe('decision.period')
    expect(await drafted({ supportUntil: supportUntil + 1 })).toBe('decision.period')
    await issueCertificate(people, 'crt_2', reduced({}))
  })
})

test.each([true, false])('a lowering by another profile is refused (reduction: %s)', async (isReduction) => {
  const people = await inForce()
  const lower = profile(1, 1)
  await people.decide(people.vendor, 'profile.submit', 'pro_lower', lower)
  await people.decide(people.certifier, 'profile.approve', 'pro_lower', { version: 1, digest: lower.digest })
  const over = { supersedes: 'crt_1', isReduction, profile: { id: 'pro_lower', version: 1, digest: lower.digest } }
  const { validUntil, supportUntil } = certificateOf(people)
  const draft = certificate(people, { ...over, validUntil, supportUntil })
  expect(await refusal(people, people.certifier, 'certificate.draft', 'crt_2', draft)).toBe(
    'certificate.profile-mismatch',
  )
})
