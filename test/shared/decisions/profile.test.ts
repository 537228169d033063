import { beforeEach, describe, expect, test } from 'vitest'
import { nextReviewDue } from '../../../shared/decisions/profile-review.ts'
import { DAY, DecidingPeople, digestOf, profile } from '../../support/decision-log.ts'
import { refusalOf } from '../../support/keepseal-error.ts'

let people: DecidingPeople
beforeEach(async () => {
  people = await DecidingPeople.begin()
})

const refused = async (promise: Promise<unknown>): Promise<string> => (await refusalOf(promise)).code

/** A profile of this id, submitted by the vendor. */
const submit = (id: string, over: object = {}) =>
  people.decide(people.vendor, 'profile.submit', id, { ...profile(1, 2), digest: digestOf(id), ...over })
const approve = (id: string) =>
  people.decide(people.certifier, 'profile.approve', id, { version: 1, digest: digestOf(id) })
const reference = (id: string, over: object = {}) => ({ id, version: 1, digest: digestOf(id), ...over })

describe('a profile that is based on a template', () => {
  test('is taken when the template was approved', async () => {
    await submit('base', { profileKind: 'template' })
    expect(await refused(submit('own', { basedOn: reference('base') }))).toBe('profile.template-unknown')
    await approve('base')
    await submit('own', { basedOn: reference('base') })
    expect(people.log.register.profiles.get('own')).toMatchObject([
      { basedOn: { id: 'base' }, profileKind: 'individual' },
    ])
  })

  test.each<[string, object]>([
    ['another digest', { digest: digestOf('other') }],
    ['another version', { version: 2 }],
  ])('is refused with %s of it', async (_, over) => {
    await submit('base', { profileKind: 'template' })
    await approve('base')
    expect(await refused(submit('own', { basedOn: reference('base', over) }))).toBe('profile.template-unknown')
  })

  test('is refused when it is no template', async () => {
    await submit('base')
    await approve('base')
    expect(await refused(submit('own', { basedOn: reference('base') }))).toBe('profile.template-unknown')
  })

  test('is refused when the way over templates leads back to it, and the way is named', async () => {
    await submit('a', { profileKind: 'template' })
    await approve('a')
    await submit('b', { profileKind: 'template', basedOn: reference('a') })
    await approve('b')
    const later = { ...profile(2, 2, { kind: 'raise', reason: 'x' }), profileKind: 'template', basedOn: reference('b') }
    const refusal = await refusalOf(people.decide(people.vendor, 'profile.submit', 'a', later))
    expect(refusal).toMatchObject({ code: 'profile.circular', message: expect.stringContaining('a -> b -> a') })
    expect(await refused(submit('c', { basedOn: reference('c') }))).toBe('profile.circular')
  })
})

test('what was approved as a template does not become an individual profile', async () => {
  await submit('a', { profileKind: 'template' })
  await approve('a')
  const later = profile(2, 2, { kind: 'raise', reason: 'x' })
  expect(await refused(people.decide(people.vendor, 'profile.submit', 'a', later))).toBe('decision.wrong-state')
})

test('a template is certified by nobody', async () => {
  await submit('a', { profileKind: 'template' })
  await approve('a')
  const { certificate } = await import('../../support/decision-log.ts')
  const draft = certificate(people, { profile: reference('a') })
  expect(await refused(people.decide(people.certifier, 'certificate.draft', 'crt_1', draft))).toBe(
    'certificate.profile-mismatch',
  )
})

describe('the review of a profile', () => {
  const review = (over: object = {}) =>
    people.decide(people.vendor, 'profile.review', 'a', {
      version: 1,
      digest: digestOf('a'),
      outcome: 'confirmed',
      text: 'nothing has changed',
      ...over,
    })
  const due = () => {
    const { profiles, profileReviews } = people.log.register
    return nextReviewDue(profiles.get('a'), profileReviews.get('a'), 180)
  }

  test('is due a while after the approval, and after each review', async () => {
    await submit('a')
    expect(due()).toBeNull()
    expect(await refused(review())).toBe('profile.not-approved')
    await approve('a')
    const approvedAt = people.now
    expect(due()).toBe(approvedAt + 180 * DAY)
    people.days(100)
    await review()
    expect(due()).toBe(approvedAt + 280 * DAY)
  })

  test('is of the version that is approved', async () => {
    await submit('a')
    await approve('a')
    expect(await refused(review({ version: 2 }))).toBe('decision.no-such-subject')
    expect(await refused(review({ digest: digestOf('b') }))).toBe('decision.no-such-subject')
  })
})
