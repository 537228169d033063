import { beforeEach, describe, expect, test } from 'vitest'
import { currentStage, STAGES } from '../../../shared/decisions/stages.ts'
import { approveProfile, certificate, DecidingPeople } from '../../support/decision-log.ts'
import { refusalOf } from '../../support/keepseal-error.ts'

let people: DecidingPeople
beforeEach(async () => {
  people = await DecidingPeople.begin()
  await approveProfile(people, 1, 3)
  await people.decide(people.certifier, 'certificate.draft', 'crt_1', certificate(people))
})

const refused = async (promise: Promise<unknown>): Promise<string> => (await refusalOf(promise)).code
const begin = (scenario = 'new-product', by = people.certifier) =>
  people.decide(by, 'assessment.begin', 'crt_1', { scenario })
const stage = (name: string, outcome = 'passed', by = people.certifier) =>
  people.decide(by, 'assessment.stage', 'crt_1', { stage: name, outcome, reason: 'as assessed' })
const issue = () => people.decide(people.certifier, 'certificate.issue', 'crt_1', { reason: 'assessed' })

describe('the assessment of a new product', () => {
  test('goes through its stages one after the other, and only then the certificate is issued', async () => {
    await begin()
    for (const name of STAGES['new-product']) {
      expect(await refused(issue())).toBe('certificate.stage-open')
      await stage(name)
    }
    expect(currentStage(people.log.register.assessments.get('crt_1') ?? expect.fail())).toBeNull()
    await issue()
    expect(people.log.register.certificates.get('crt_1')).toMatchObject({ state: 'valid' })
  })

  test('stays at a stage that was not passed', async () => {
    await begin()
    await stage('design')
    await stage('development', 'failed')
    expect(await refused(stage('integration'))).toBe('decision.wrong-state')
    expect(await refused(stage('design'))).toBe('decision.wrong-state')
    await stage('development')
    expect(people.log.register.assessments.get('crt_1')?.results).toHaveLength(3)
    expect(await refused(issue())).toBe('certificate.stage-open')
  })

  test('is the matter of the certifier, of a draft, and begun once', async () => {
    expect(await refused(begin('new-product', people.vendor))).toBe('decision.role')
    expect(await refused(stage('design'))).toBe('decision.no-such-subject')
    await begin()
    expect(await refused(begin())).toBe('decision.exists-already')
    expect(await refused(stage('design', 'passed', people.vendor))).toBe('decision.role')
    const other = people.decide(people.certifier, 'assessment.begin', 'crt_9', { scenario: 'new-product' })
    expect(await refused(other)).toBe('decision.no-such-subject')
    for (const name of STAGES['new-product']) await stage(name)
    await issue()
    expect(await refused(stage('release'))).toBe('decision.wrong-state')
  })
})

test('a draft whose assessment has no stages is issued as before', async () => {
  await issue()
  expect(await refused(begin())).toBe('decision.wrong-state')
})
