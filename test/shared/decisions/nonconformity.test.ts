import { beforeEach, expect, test } from 'vitest'
import { standingNonconformity } from '../../../shared/decisions/nonconformity.ts'
import { approveProfile, certificate, DecidingPeople, exampleNonconformity } from '../../support/decision-log.ts'
import { refusalOf } from '../../support/keepseal-error.ts'

let people: DecidingPeople
beforeEach(async () => {
  people = await DecidingPeople.begin()
})

const refused = async (promise: Promise<unknown>): Promise<string> => (await refusalOf(promise)).code
const confirm = (over: object = {}, by = people.certifier) =>
  people.decide(by, 'nonconformity.confirm', 'prd_1', exampleNonconformity(over))
const withdraw = (by = people.second, practice = 'access-control') =>
  people.decide(by, 'nonconformity.withdraw', 'prd_1', { practice, reason: 'it was mended' })
const standing = () => standingNonconformity(people.log.register, 'prd_1', 'access-control')

test('a nonconformity is confirmed once, and withdrawn once, by certifiers alone', async () => {
  expect(await refused(confirm({}, people.vendor))).toBe('decision.role')
  expect(await refused(withdraw())).toBe('nonconformity.not-confirmed')
  await confirm()
  expect(standing()).toMatchObject({ by: people.certifier.id, reason: 'seen on site', since: people.now })
  expect(await refused(confirm({}, people.second))).toBe('nonconformity.confirmed-already')
  expect(await refused(withdraw(people.vendor))).toBe('decision.role')
  expect(await refused(withdraw(people.second, 'patch-management'))).toBe('nonconformity.not-confirmed')
  await withdraw()
  expect(standing()).toBeUndefined()
  expect(await refused(withdraw())).toBe('nonconformity.not-confirmed')
  await confirm({ reason: 'again' })
  expect(standing()).toMatchObject({ reason: 'again', withdrawn: null })
})

test('nothing but a drift of a practice is confirmed, with its reason', async () => {
  expect(await refused(confirm({ status: 'at-risk' }))).toBe('log.malformed')
  expect(await refused(confirm({ practice: 'magic' }))).toBe('log.malformed')
  expect(await refused(confirm({ reason: ' ' }))).toBe('log.malformed')
})

test('a nonconformity is confirmed by nobody with the key of another', async () => {
  const { certifier, vendor } = people
  const borrowed = { ...vendor, signer: { ...vendor.signer, keyId: certifier.signer.keyId } }
  expect(await refused(confirm({}, borrowed))).toBe('log.signature-invalid')
  expect(standing()).toBeUndefined()
})

test('an agreement says after how many whole days a drift is one, or nothing of it', async () => {
  await approveProfile(people, 1, 3)
  const draft = (id: string, more: object) => {
    const detail = certificate(people)
    const agreement = { ...detail.agreement, ...more }
    return people.decide(people.certifier, 'certificate.draft', id, { ...detail, agreement })
  }
  for (const nonconformingAfterDays of [0, 367, '30', null]) {
    expect(await refused(draft('crt_1', { nonconformingAfterDays }))).toBe('log.malformed')
  }
  await draft('crt_1', { nonconformingAfterDays: 366 })
  await draft('crt_2', {})
  const daysOf = (id: string) => people.log.register.certificates.get(id)?.agreement.nonconformingAfterDays
  expect(['crt_1', 'crt_2'].map(daysOf)).toEqual([366, undefined])
})
