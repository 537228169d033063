import { describe, expect, test } from 'vitest'
import { coverageOf, divergencesOf, type Unit } from '../../../shared/decisions/coverage.ts'
import {
  approveProfile,
  certified,
  DAY,
  DecidingPeople,
  digestOf,
  issueCertificate,
} from '../../support/decision-log.ts'
import { refusalOf } from '../../support/keepseal-error.ts'

const PRODUCT = 'Acme/Gate 7'
const SUBJECT = `${PRODUCT}@2.0`
const release = (people: DecidingPeople, over: Partial<NonNullable<Unit['release']>> = {}) => ({
  name: '2.0',
  digest: digestOf('release 2.0'),
  activatedAt: people.now - DAY,
  isCountersigned: true,
  ...over,
})
const unitOf = (people: DecidingPeople, over: Partial<Unit> = {}): Unit => ({
  vendor: 'Acme',
  model: 'Gate 7',
  hardwareRevision: 'B',
  release: release(people),
  isFailing: false,
  ...over,
})

async function inForce(over: object = {}): Promise<DecidingPeople> {
  const people = await DecidingPeople.begin()
  await approveProfile(people, 1, 3)
  await issueCertificate(people, 'crt_1', over)
  return people
}
const reason = (people: DecidingPeople, over: Partial<Unit> = {}, at = people.now) =>
  coverageOf(people.log.register, unitOf(people, over), at).reason

describe('a unit', () => {
  test('is covered by the certificate in force that lists it, with the release that was assessed', async () => {
    const people = await inForce()
    expect(coverageOf(people.log.register, unitOf(people), people.now)).toEqual({
      coverage: 'covered',
      certificate: 'crt_1',
      reason: null,
    })
  })

  test.each([
    ['of another vendor', { vendor: 'Other' }, 'no-certificate'],
    ['of an unlisted model of the same vendor', { model: 'Gate 9' }, 'product-not-listed'],
    ['of unlisted hardware', { hardwareRevision: 'Z' }, 'hardware-not-listed'],
    ['without a release', { release: null }, 'release-unknown'],
    ['that fails', { isFailing: true }, 'unit-failing'],
  ])('%s is not covered', async (_, over, expected) => {
    const people = await inForce({ products: [certified(PRODUCT, true, { hardwareRevisions: ['B'] })], line: null })
    expect(reason(people, over)).toBe(expected)
  })

  test('is not covered with a release outside of the listed line, or that nobody countersigned', async () => {
    const people = await inForce({ products: [certified(PRODUCT, true, { firmwareLines: ['2.*'] })], line: null })
    expect(reason(people, { release: release(people, { name: '3.0' }) })).toBe('release-not-listed')
    expect(reason(people, { release: release(people, { isCountersigned: false }) })).toBe('not-countersigned')
  })

  test('is not covered while its product is suspended, after the end, and after the withdrawal', async () => {
    const people = await inForce()
    expect(reason(people, {}, people.now + 1000 * DAY)).toBe('expired')
    const suspend = { reason: 'a hole', until: people.now + DAY, products: [PRODUCT] }
    await people.decide(people.certifier, 'certificate.suspend', 'crt_1', suspend)
    expect(reason(people)).toBe('suspended')
    expect(reason(people, { model: 'Gate 7 Mini' })).toBeNull()
    await people.decide(people.certifier, 'certificate.withdraw', 'crt_1', { reason: 'r' })
    expect(reason(people)).toBe('no-certificate')
  })
})

describe('a release after the certificate', () => {
  const later = (people: DecidingPeople) => ({ release: release(people, { activatedAt: people.now + DAY }) })
  const propose = {
    digest: digestOf('release 2.0'),
    class: 'none',
    from: '1.0',
    changes: ['a fix of the parser'],
    practices: ['patch-management'],
    analysis: digestOf('analysis of 2.0'),
  }
  const verdict = (change: string) => ({ digest: propose.digest, class: change, reason: 'reviewed' })
  async function classified(change: string): Promise<DecidingPeople> {
    const people = await inForce()
    await people.decide(people.vendor, 'release.propose', SUBJECT, propose)
    await people.decide(people.certifier, 'release.classify', SUBJECT, verdict(change))
    return people
  }

  test('is pending until the certifier has classified it: what the vendor says alone covers nothing', async () => {
    const people = await inForce()
    expect(reason(people, later(people))).toBe('release-pending')
    await people.decide(people.vendor, 'release.propose', SUBJECT, propose)
    expect(reason(people, later(people))).toBe('release-pending')
    expect(reason(people, { release: release(people, { activatedAt: null }) })).toBe('release-pending')
  })

  test.each(['none', 'minor'])('that changes %s is covered then', async (change) => {
    const people = await classified(change)
    expect(reason(people, later(people))).toBeNull()
    const another = { release: release(people, { activatedAt: people.now + DAY, digest: digestOf('another') }) }
    expect(reason(people, another)).toBe('release-pending')
  })

  test('of a major change is pending until it is reassessed', async () => {
    const people = await classified('major')
    expect(reason(people, later(people))).toBe('release-pending')
    await people.decide(people.certifier, 'release.assess', SUBJECT, { digest: propose.digest, reason: 'done' })
    expect(reason(people, later(people))).toBeNull()
  })

  test('for an emergency is covered for 30 days', async () => {
    const people = await classified('emergency')
    expect(reason(people, later(people), people.now + 30 * DAY - 1)).toBeNull()
    expect(reason(people, later(people), people.now + 30 * DAY)).toBe('release-pending')
    await people.decide(people.certifier, 'release.assess', SUBJECT, { digest: propose.digest, reason: 'done' })
    expect(reason(people, later(people), people.now + 30 * DAY)).toBeNull()
  })

  test('is proposed by the vendor and classified by the certifier: nobody does both', async () => {
    const people = await inForce()
    const code = async (...decision: Parameters<DecidingPeople['decide']>) =>
      (await refusalOf(people.decide(...decision))).code
    expect(await code(people.certifier, 'release.propose', SUBJECT, propose)).toBe('decision.role')
    expect(await code(people.certifier, 'release.classify', SUBJECT, verdict('none'))).toBe('decision.no-such-subject')
    await people.decide(people.vendor, 'release.propose', SUBJECT, propose)
    expect(await code(people.vendor, 'release.classify', SUBJECT, verdict('none'))).toBe('decision.role')
    const other = { ...verdict('none'), digest: digestOf('another') }
    expect(await code(people.certifier, 'release.classify', SUBJECT, other)).toBe('decision.no-such-subject')
    await people.decide(people.certifier, 'release.classify', SUBJECT, verdict('none'))
    expect(await code(people.certifier, 'release.classify', SUBJECT, verdict('major'))).toBe('decision.wrong-state')
    expect(await code(people.vendor, 'release.propose', SUBJECT, propose)).toBe('decision.wrong-state')
    expect(await code(people.vendor, 'release.propose', 'Gate 7', propose)).toBe('log.malformed')
  })

  test('becomes no older by a reduction of the certificate', async () => {
    const people = await inForce()
    people.days(2)
    const reduced = {
      number: 'KS-2',
      supersedes: 'crt_1',
      isReduction: true,
      products: [certified(PRODUCT)],
      line: null,
    }
    const { validFrom, validUntil, supportUntil } = people.log.register.certificates.get('crt_1') as never
    await issueCertificate(people, 'crt_2', { ...reduced, validFrom, validUntil, supportUntil })
    const unit = { release: release(people, { activatedAt: people.now - DAY }) }
    expect(reason(people, unit)).toBe('release-pending')
  })
})

test('a member that diverges from its line is a fact for a review of the scope', async () => {
  const people = await inForce({
    products: [certified(PRODUCT, true, { hardwareRevisions: ['B*'], firmwareLines: ['2.*'] }), certified('Acme/Mini')],
  })
  const device = { vendor: 'Acme', model: 'Gate 7', hardwareRevision: 'B', release: '2.0' }
  const diverging = (over: object) =>
    divergencesOf(people.log.register, { ...device, ...over }).map((each) => each.reason)
  expect(diverging({})).toEqual([])
  expect(diverging({ hardwareRevision: 'C' })).toEqual(['hardware-not-listed'])
  expect(diverging({ release: '3.0' })).toEqual(['release-not-listed'])
  expect(diverging({ release: null })).toEqual([])
  expect(diverging({ model: 'Gate 9' })).toEqual(['product-not-listed'])
  expect(diverging({ vendor: 'Other', model: 'Gate 9' })).toEqual([])
})
